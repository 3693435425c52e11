"""Money: whole numbers of the smallest unit, never floats."""

CURRENCIES = {
    "EUR": 2,
    "USD": 2,
    "JPY": 0,
}
"""Decimals of each currency that the till takes."""


def show(amount: int, currency: str = "EUR") -> str:
    """Write `amount`, in the smallest unit, as a person reads it."""
    decimals = CURRENCIES[currency]
    if decimals == 0:
        return f"{amount} {currency}"
    whole, rest = divmod(amount, 10**decimals)
    return f"{whole}.{rest:0{decimals}d} {currency}"
