"""What is known of a checkout, kept beside it where its agent has no business.

A record is written when the checkout is complete and taken away before it is touched again: a checkout without one is
half-made and never used. The slot `workspace` writes it; the slot `scm` reads from it what to leave out of a rescue.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

_FOLDER = ".records"


class CheckoutRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A complete checkout: its branch (empty: detached), the commit it was made from, and the files copied into it."""

    branch: str
    base: str
    copied: tuple[str, ...] = ()


def read_record(checkout: Path) -> CheckoutRecord | None:
    """Return the record of a checkout; None: there is none, or it was never finished."""
    try:
        return msgspec.json.decode(_record(checkout).read_bytes(), type=CheckoutRecord)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # not there, or spoilt
        return None


def write_record(checkout: Path, record: CheckoutRecord) -> None:
    """Say that a checkout is complete.

    Not synced to disk: that would sync every file of the checkout first on a journalling file system, and after a power
    loss an unrecorded checkout is only made again: no agent is started before the step is durable.
    """
    path = _record(checkout)
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(record))
    draft.replace(path)


def drop_record(checkout: Path) -> None:
    """Say that a checkout is no longer complete."""
    with contextlib.suppress(FileNotFoundError):  # it never was
        _record(checkout).unlink()


def _record(checkout: Path) -> Path:
    return checkout.parent / _FOLDER / f"{checkout.name}.json"
