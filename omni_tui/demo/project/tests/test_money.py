"""Money is written as a person reads it."""

from shop.money import show


def test_cents_are_shown() -> None:
    """Both decimals, the zero too."""
    assert show(1205) == "12.05 EUR"


def test_yen_have_no_cents() -> None:
    """The smallest unit is the yen."""
    assert show(300, "JPY") == "300 JPY"
