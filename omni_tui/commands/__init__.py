"""The commands of `omni-tui`, one file a subject, each imported when it is called."""
