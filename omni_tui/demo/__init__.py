"""The demo: a small project, a backlog for it, and scripted agents that behave as agents do, the bad ones too."""
