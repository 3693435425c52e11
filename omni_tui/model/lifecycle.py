"""The life of a task, in one table: from which folder it may move to which, and on what occasion.

The shape follows h11's state table: every transition is here, and what is not here cannot happen.
"""

from __future__ import annotations

from enum import StrEnum

from omni_tui.model.task import Status


class Occasion(StrEnum):
    """Why a task moves."""

    CLAIMED = "claimed"
    LANDED = "landed"
    BLOCKED = "blocked"
    REQUEUED = "requeued"
    REFUSED = "refused"
    """Its file cannot be read as a task."""


TRANSITIONS: dict[tuple[Status, Occasion], Status] = {
    (Status.TODO, Occasion.CLAIMED): Status.DOING,
    (Status.TODO, Occasion.BLOCKED): Status.BLOCKED,
    (Status.TODO, Occasion.REFUSED): Status.BLOCKED,
    (Status.DOING, Occasion.LANDED): Status.DONE,
    (Status.DOING, Occasion.BLOCKED): Status.BLOCKED,
    (Status.DOING, Occasion.REQUEUED): Status.TODO,
    (Status.BLOCKED, Occasion.REQUEUED): Status.TODO,
    (Status.DONE, Occasion.REQUEUED): Status.TODO,
}


def after(status: Status, occasion: Occasion) -> Status | None:
    """Return the folder a task of `status` moves to on `occasion`; None: it may not."""
    return TRANSITIONS.get((status, occasion))
