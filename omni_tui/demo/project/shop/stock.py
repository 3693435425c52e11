"""The stock: how much of each tea is on the shelf."""


class Stock:
    """Counts by item."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = dict(counts)

    def take(self, item: str, count: int = 1) -> None:
        """Take `count` of `item` off the shelf."""
        if self.counts.get(item, 0) < count:
            raise LookupError(f"not enough {item}")
        self.counts[item] -= count
