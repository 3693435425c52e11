"""A source in memory: a remote that a test or a simulated night puts offers on, and how it is reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from omni_tui.errors import SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.plugins.source.protocol import Offer, Poll, SourceSpec


class MemoryRemote:
    """What is offered, who asked when, and what was told: it outlives whoever asks."""

    def __init__(self) -> None:
        self.polls: list[float] = []
        """When it was asked, UTC seconds."""
        self.told: dict[str, list[Outcome]] = {}
        """By key; telling the same again adds nothing."""
        self.failure: SourceError | None = None
        """What it answers instead, to questions and tellings."""
        self.wait_seconds = 0.0
        """What it asks for with each answer."""
        self.version = 1
        self.offers: dict[str, Offer] = {}

    def put(self, offer: Offer) -> None:
        """Offer something, or something else under its key."""
        self.offers[offer.key] = offer
        self.version += 1

    def withdraw(self, key: str) -> None:
        """Offer it no more."""
        del self.offers[key]
        self.version += 1


class MemoryOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It has no keys of its own."""


class MemorySource:
    """Reaches a remote."""

    name: ClassVar[str] = "memory"
    remote: ClassVar[bool] = True
    options: ClassVar[type[msgspec.Struct]] = MemoryOptions

    def __init__(self, spec: SourceSpec, remote: MemoryRemote | None = None) -> None:
        self._spec = spec
        self._remote = remote or MemoryRemote()

    @property
    def identity(self) -> str:
        """See `Source`."""
        return self.name

    @property
    def secrets(self) -> Sequence[str]:
        """See `Source`: it needs none."""
        return ()

    def watched(self) -> Sequence[Path]:
        """See `Source`: nothing on this machine."""
        return ()

    async def poll(self, cursor: str) -> Poll:
        """See `Source`; the cursor is the remote's version."""
        remote = self._remote
        remote.polls.append(self._spec.now())
        if remote.failure is not None:
            raise remote.failure
        if cursor == str(remote.version):
            return Poll(changed=False, cursor=cursor, wait_seconds=remote.wait_seconds)
        offers = tuple(remote.offers.values())
        return Poll(offers=offers, cursor=str(remote.version), wait_seconds=remote.wait_seconds)

    async def tell(self, key: str, outcome: Outcome) -> None:
        """See `Source`."""
        if self._remote.failure is not None:
            raise self._remote.failure
        said = self._remote.told.setdefault(key, [])
        if outcome not in said:
            said.append(outcome)
