"""Slot `notifier`: how a person hears of what needs them."""
