"""Slot `tracker`: where tasks come from, and where their fate is told."""
