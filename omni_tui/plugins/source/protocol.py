"""What a source must do: a place that refills a queue that runs low. Contract: `tests/contract/test_source.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from omni_tui.model.outcome import Outcome


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    workspace: str
    folder: Path
    """The workspace's directory, from which relative paths of its settings count."""
    settings: Mapping[str, Any]
    """The source's own keys in its table of `[[sources]]`, which fit the plugin's `options`."""
    variables: Mapping[str, str]
    """Our own environment, from which it takes its credentials."""
    now: Callable[[], float]
    """UTC seconds."""
    is_being_written: Callable[[Path], bool] = lambda _: False
    """Whether somebody is still writing a file on this machine."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can become a task: a whole task file, or a title and a text. All of it is untrusted."""

    key: str
    """Its name, one line of at most 200 characters: the same for ever and nowhere given twice, such as
    `github:acme/shop#12`. A task is made of a key once, whichever source and workspace meet it."""
    stem: str = ""
    """What its task's id is made from where no head gives one, such as a file's name; empty: the next number."""
    file: bytes = b""
    """A task file as it was written; where there is one, the three that follow say nothing."""
    title: str = ""
    body: str = ""
    head: Mapping[str, Any] = {}
    """Further keys of the task's head, such as `labels` and `priority`."""
    url: str = ""
    """Where a person can look at it; empty: nowhere."""


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """What a source answered."""

    offers: Sequence[Offer] = ()
    """All that can become a task now, what should be taken first before the others."""
    changed: bool = True
    """False: it is all as it was when the cursor was given; `offers` is then empty, and those of that time stand."""
    cursor: str = ""
    """What to hand in next time, kept through a restart; means nothing to anybody else. An ETag, for instance."""
    remark: str = ""
    """What a person should know of what is there and not offered, one line; empty: nothing."""
    wait_seconds: float = 0.0
    """How long the remote asks not to be asked again; 0: it says nothing."""


class Source(Protocol):
    """Where more tasks come from. Made once for all that name it with the same settings."""

    name: ClassVar[str]
    """Its `kind` in `[[sources]]`."""
    remote: ClassVar[bool]
    """Whether it is polled; else it is looked at when something in `watched` changes, and at no other time."""
    options: ClassVar[type[msgspec.Struct]]
    """The keys of its table beside those that all sources have: a frozen struct, fields annotated as in settings."""

    @property
    def identity(self) -> str:
        """One line that names what is asked, such as `github acme/shop label:omni`; sources of one identity are one."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Names of the variables of ours that hold its credentials: nothing of ours shows them, no agent needs them."""
        ...

    def watched(self) -> Sequence[Path]:
        """Return the directories whose changes are news to a local source; asked before each poll. Remote: none."""
        ...

    async def poll(self, cursor: str) -> Poll:
        """Return what it offers now; `cursor` as the last answer gave it, or empty. Changes nothing there.

        Raises `SourceError`: with `retry_after` where the remote says when, with `person` where asking again is vain.
        """
        ...

    async def tell(self, key: str, outcome: Outcome) -> None:
        """Say there how the task of an offer ended. Telling it again changes nothing. Raises `SourceError`."""
        ...
