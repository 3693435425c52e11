"""The catalogue: what there is to buy, and its price in cents."""

TEAS = {"assam": 450, "sencha": 620, "rooibos": 380, "oolong": 890}


def price(item: str) -> int:
    """Return the price of `item`."""
    return TEAS[item]
