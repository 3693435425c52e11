"""The project that the backlog is for has tests of its own, which are not ours to run."""

collect_ignore = ["project"]
