"""Slot `agent`: the harnesses; how an agent is started, and how what it signals is read."""
