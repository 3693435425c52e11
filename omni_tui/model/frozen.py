"""A frozen plan: a workspace's `plan.toml`, which a person may edit and the scheduler keeps to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from omni_tui.model.task import Task


class FrozenPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The waves of one workspace, by the ids of tasks."""

    waves: Annotated[
        tuple[Annotated[tuple[str, ...], Meta(title="lists of ids")], ...],
        Meta(description="Lists of ids: a task starts once all of the lists before its own are done or blocked."),
    ] = ()


def render(waves: Sequence[Sequence[Task]]) -> str:
    """Return the file that says so, each id with its title behind it."""
    lines = [
        "# The frozen plan: waves, one after the other; what is in one may run side by side. Edit it as you like, or",
        "# delete it to let go. A task that is not in it comes after it.",
        "waves = [",
    ]
    for wave in waves:
        lines += ["  [", *(f'    "{task.id}",  # {task.title}' for task in wave), "  ],"]
    return "\n".join([*lines, "]", ""])
