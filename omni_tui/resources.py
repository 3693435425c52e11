"""The data files that come with the program: the style sheets and the shipped `config.toml`.

In a wheel they are in `omni_tui/data/`; in a checkout, and so in an editable install, beside the package.
"""

from __future__ import annotations

from pathlib import Path

from omni_tui.errors import OmniError

_PACKAGE = Path(__file__).resolve().parent
_HOMES = (_PACKAGE / "data", _PACKAGE.parent)


def styles_dir() -> Path:
    """Return the directory of the style sheets (`*.tcss`). Raises `OmniError` where the installation lacks it."""
    return _find("styles")


def shipped_config() -> Path:
    """Return the `config.toml` that explains every key. Raises `OmniError` where the installation lacks it."""
    return _find("config.toml")


def _find(name: str) -> Path:
    for home in _HOMES:
        if (home / name).exists():
            return home / name
    raise OmniError(f"this installation has no {name}", where=str(_PACKAGE), fix="install omni-tui again")
