"""Issues of a repository on GitHub that carry agreed labels, as tasks; and how they ended, as comments and labels."""
