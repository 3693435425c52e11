"""Discounts: prices in cents, always rounded for the customer."""


def percent_off(price: int, percent: int) -> int:
    """Return `price` with `percent` taken off."""
    if not 0 <= percent <= 100:
        raise ValueError("a percentage is from 0 to 100")
    return price * (100 - percent) // 100
