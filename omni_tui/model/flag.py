"""A feature flag of a project: a table of its workspace's `flags.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from omni_tui.model.task import TaskRef

FLAG_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
STATE = r"^[A-Za-z0-9_.%+-]{1,40}$"
ON = "on"
"""The state that a task means which names a flag alone."""


class Flag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One flag. Its name is the table's."""

    state: Annotated[
        str,
        Meta(
            pattern=STATE,
            title='a text: "on", "off", or a word such as "10%"',
            description='"on", "off", or a word of the project\'s own.',
        ),
    ]
    by: Annotated[str, Meta(description="Who flips it.")] = ""
    since: Annotated[datetime | None, Meta(description="Since when it is in this state.")] = None


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's flags as they are in force."""

    known: Mapping[str, Flag] = {}
    fault: str = ""
    """Why `flags.toml` cannot be read as it is now: then `known` is what it said last."""


class FlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """One flag, and what it means for the tasks that are to be done."""

    workspace: str
    name: str
    state: str
    """Empty: tasks name it, and flags.toml does not."""
    by: str = ""
    """Who flips it."""
    since: str = ""
    """ISO 8601; empty: nobody has said."""
    holds: tuple[TaskRef, ...] = ()
    """Tasks that wait because it is not as they require."""
    ships: tuple[TaskRef, ...] = ()
    """Tasks that ship behind it."""
