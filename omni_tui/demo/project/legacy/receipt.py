"""The old till's receipt."""


def render(lines: list[tuple[str, float]]) -> str:
    """Return a receipt; floats, so do not trust the total."""
    return "\n".join(f"{name} {price:.2f}" for name, price in lines)
