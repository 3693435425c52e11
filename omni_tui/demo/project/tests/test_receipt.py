"""The receipt shows what was bought."""

from shop.cart import Cart
from shop.receipt import render


def test_a_line_an_item_and_a_total() -> None:
    """The total comes last."""
    cart = Cart()
    cart.add("assam", 450, count=2)
    assert render(cart).splitlines()[-1].split() == ["total", "9.00", "EUR"]
