"""Slot `runtime`: where an agent's process runs, and how its whole tree is ended."""
