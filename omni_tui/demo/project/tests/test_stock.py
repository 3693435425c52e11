"""The shelf never holds less than nothing."""

import pytest

from shop.stock import Stock


def test_what_is_not_there_cannot_be_taken() -> None:
    """And nothing changes."""
    stock = Stock({"assam": 1})
    with pytest.raises(LookupError):
        stock.take("assam", 2)
    assert stock.counts == {"assam": 1}
