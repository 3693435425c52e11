"""Offers as drafts of tasks. What a source says is untrusted, so all of it goes through the parser of task files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from omni_tui.errors import TaskFileError
from omni_tui.model.task import Task
from omni_tui.model.taskfile import parse, render
from omni_tui.model.text import one_line
from omni_tui.plugins.source.protocol import Offer

LONGEST_KEY = 200


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as it can be taken."""

    key: str
    digest: str
    """Another one once the offer says something else."""
    task: Task | None = None
    """The draft of its task; None: it makes none."""
    error: str = ""
    """Why not, and what to do."""


def read_offers(offers: Iterable[Offer]) -> list[Offered]:
    """Return what can be made of offers, in their order; of those with one key the first."""
    found: dict[str, Offered] = {}
    for offer in offers:
        if offer.key not in found:
            found[offer.key] = _read(offer)
    return list(found.values())


def _read(offer: Offer) -> Offered:
    digest = hashlib.sha256(msgspec.json.encode(offer)).hexdigest()[:16]
    key = one_line(offer.key, LONGEST_KEY)
    try:
        return Offered(key=key, digest=digest, task=draft(offer))
    except TaskFileError as error:
        return Offered(key=key, digest=digest, error=str(error))


def draft(offer: Offer) -> Task:
    """Return an offer as a draft. Raises `TaskFileError`."""
    if not offer.key or len(offer.key) > LONGEST_KEY or one_line(offer.key) != offer.key:
        fix = f"it is a defect of the source: a key is one line of at most {LONGEST_KEY} characters"
        raise TaskFileError(f"its key is {offer.key[:LONGEST_KEY]!r}", fix=fix)
    task = parse(offer.file or _rendered(offer), workspace="", stem=offer.stem, created_at=0.0)
    return msgspec.structs.replace(task, source=offer.key)


def _rendered(offer: Offer) -> bytes:
    given = {**offer.head, "title": offer.title, "body": offer.body, "workspace": "", "id": ""}
    try:
        return render(msgspec.convert(given, Task)).encode("utf-8", "replace")
    except (msgspec.ValidationError, TypeError, ValueError) as error:  # a head that TOML cannot hold
        raise TaskFileError(f"its head: {error}", fix="it is a defect of the source") from error
