"""Orders are values."""

from shop.orders import Order


def test_equal_orders_are_equal() -> None:
    """By content."""
    assert Order("A-1", "Ada", 450) == Order("A-1", "Ada", 450)
