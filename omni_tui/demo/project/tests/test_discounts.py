"""Discounts round for the customer."""

from shop.discounts import percent_off


def test_percent_off_rounds_down() -> None:
    """A third of a cent is the customer's."""
    assert percent_off(999, 10) == 899
