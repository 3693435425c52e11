"""The cart: what a customer is about to pay for."""


class Cart:
    """Items with their price in cents and their count."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[int, int]] = {}

    def add(self, item: str, price: int, count: int = 1) -> None:
        """Put `count` of `item` in."""
        if count < 1:
            raise ValueError("at least one")
        had = self.lines.get(item, (price, 0))[1]
        self.lines[item] = (price, had + count)

    def total(self) -> int:
        """Return what all of it costs, in cents."""
        return sum(price * count for price, count in self.lines.values())

    def is_empty(self) -> bool:
        """Whether there is nothing to pay for."""
        return not self.lines
