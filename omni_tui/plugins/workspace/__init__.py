"""Slot `workspace`: the checkouts that agents work in."""
