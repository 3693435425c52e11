"""Slot `source`: what refills a queue that runs low."""
