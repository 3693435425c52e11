"""The catalogue knows its prices."""

from shop.catalogue import price


def test_price_of_a_tea() -> None:
    """In cents."""
    assert price("sencha") == 620
