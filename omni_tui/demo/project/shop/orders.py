"""Orders: what is to be sent, and to whom."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """One order of one customer."""

    number: str
    customer: str
    total: int
    """Cents."""
