"""The receipt: what the printer gets."""

from shop.cart import Cart
from shop.money import show


def render(cart: Cart) -> str:
    """Return the receipt of `cart`, a line an item and a line for the total."""
    lines = [f"{count} x {item:<12} {show(price * count):>12}" for item, (price, count) in cart.lines.items()]
    return "\n".join([*lines, f"{'total':<16} {show(cart.total()):>12}"])
