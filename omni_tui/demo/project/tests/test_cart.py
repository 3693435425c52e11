"""The cart adds up."""

import pytest

from shop.cart import Cart


def test_total_counts_every_item() -> None:
    """Two additions of one item are one line."""
    cart = Cart()
    cart.add("assam", 450)
    cart.add("assam", 450, count=2)
    assert cart.total() == 1350
    assert not cart.is_empty()


def test_nothing_cannot_be_added() -> None:
    """A count below one is a mistake."""
    with pytest.raises(ValueError, match="at least one"):
        Cart().add("assam", 450, count=0)
