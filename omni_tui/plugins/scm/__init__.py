"""Slot `scm`: what an attempt made, and how it gets onto the release branch."""
