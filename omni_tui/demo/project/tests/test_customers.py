"""Customers add up what they spend."""

from shop.customers import Customer


def test_payments_add_up() -> None:
    """Over all visits."""
    ada = Customer("Ada")
    ada.pay(450)
    ada.pay(620)
    assert ada.spent == 1070
