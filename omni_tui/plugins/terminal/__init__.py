"""Slot `terminal`: how a person gets from here to an agent's terminal, and back."""
