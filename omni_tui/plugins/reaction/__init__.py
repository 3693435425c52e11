"""Slot `reaction`: what to propose when an attempt failed. `policy.retry` bounds it."""
