"""Customers of the shop."""

from dataclasses import dataclass


@dataclass
class Customer:
    """Who comes back for more."""

    name: str
    spent: int = 0
    """Cents, over all visits."""

    def pay(self, amount: int) -> None:
        """Note that they paid `amount` cents."""
        self.spent += amount
