"""Tax that is contained in a price."""

RATES = {"standard": 19}
"""Percent, by the name of the rate."""


def contained(gross: int, rate: str = "standard") -> int:
    """Return the cents of tax that `gross` cents contain."""
    percent = RATES[rate]
    return round(gross * percent / (100 + percent))
