"""The tax that a price contains."""

from shop.tax import contained


def test_standard_rate() -> None:
    """19 of 119."""
    assert contained(11900) == 1900
