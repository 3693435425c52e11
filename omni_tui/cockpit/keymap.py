"""The keys, as data: each with what it does, when it can be used, and what to say when it cannot (after lazygit)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from omni_tui.cockpit.look import look, needs_person
from omni_tui.model.lifecycle import Occasion, after
from omni_tui.model.task import Status
from omni_tui.model.view import FleetView, TaskRow


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides whether a key can be used now."""

    view: FleetView
    row: TaskRow | None
    """The selected task."""
    here: bool
    """Whether this process dispatches."""
    filtered: bool = False


S = TypeVar("S")
"""What decides over the keys of one screen."""


class Key(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """One thing that can be done by key. `id` names the method of `Actions` that does it."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them; the first is shown."""
    label: str
    help: str
    shown: str = ""
    """How the key is written, where that is not its name."""
    why_not: Callable[[S], str] = lambda _: ""
    """Returns why it cannot be used now, empty if it can."""
    off_label: str = ""
    """The label while `is_on`: the key then undoes."""
    is_on: Callable[[S], bool] = lambda _: False
    footer: bool = True
    """Whether the bottom line has it; the help has all."""

    @property
    def name(self) -> str:
        """How the key is written."""
        return self.shown or self.keys[0]

    def label_in(self, situation: S) -> str:
        """Return what pressing it would do now."""
        return self.off_label if self.off_label and self.is_on(situation) else self.label


def _needs_owner(situation: Situation) -> str:
    return "" if situation.view.owner else "Nobody dispatches this fleet: start `omni-tui` on it first."


def _needs_row(situation: Situation) -> str:
    return "" if situation.row else "No task is selected."


def _needs_row_and_owner(situation: Situation) -> str:
    return _needs_row(situation) or _needs_owner(situation)


def _needs_running(situation: Situation) -> str:
    if situation.row is None:
        return _needs_row(situation)
    return "" if situation.row.status is Status.DOING else f"{situation.row.ref.id} is not running."


def _needs_attempt(situation: Situation) -> str:
    if situation.row is None:
        return _needs_row(situation)
    return "" if situation.row.attempt else f"{situation.row.ref.id} has not been started yet."


def _cannot_redispatch(situation: Situation) -> str:
    if situation.row is None:
        return _needs_row(situation)
    if situation.row.status is Status.TODO:
        return f"{situation.row.ref.id} is waiting already."
    return _needs_owner(situation)


def _cannot_kill(situation: Situation) -> str:
    return _needs_running(situation) or _needs_owner(situation)


def _cannot_block(situation: Situation) -> str:
    if situation.row is None:
        return _needs_row(situation)
    if after(situation.row.status, Occasion.BLOCKED) is None:
        return f"{situation.row.ref.id} is {look(situation.row).word}: only what runs or waits can be blocked."
    return _needs_owner(situation)


def _cannot_undo(situation: Situation) -> str:
    if situation.row is not None and situation.row.status is Status.DOING:
        return f"{situation.row.ref.id} still runs: kill it first."
    return _needs_attempt(situation)


def _needs_waiting(situation: Situation) -> str:
    if situation.row is None:
        return _needs_row(situation)
    if situation.row.status is Status.TODO:
        return ""
    return f"{situation.row.ref.id} is {look(situation.row).word}: only what waits is held."


def _nobody_needed(situation: Situation) -> str:
    return "" if any(needs_person(row) for row in situation.view.rows) else "Nothing needs you."


def _not_filtered(situation: Situation) -> str:
    return "" if situation.filtered else "No filter is set."


def _nothing_to_resume(situation: Situation) -> str:
    view = situation.view
    if view.pauses or any(parked.until is None for parked in view.parked.values()):
        return _needs_owner(situation)
    return "Nothing waits for a person to mend it."


def holds_all(view: FleetView) -> bool:
    """Whether nothing starts until a person thaws the fleet."""
    return view.frozen or bool(view.stopped)


KEYMAP: tuple[Key[Situation], ...] = (
    Key(id="details", keys=("enter",), label="details", help="the selected task's whole story", why_not=_needs_row),
    Key(
        id="why",
        keys=("w",),
        label="why",
        help="what keeps the selected task from starting, what lifts that, who is next in line",
        why_not=_needs_waiting,
    ),
    Key(
        id="next_needed",
        keys=("n",),
        label="needs me",
        help="go to the next task that needs a person",
        why_not=_nobody_needed,
    ),
    Key(
        id="attach",
        keys=("a",),
        label="attach",
        help="go to the agent's terminal, and come back",
        why_not=_needs_running,
    ),
    Key(id="diff", keys=("d",), label="diff", help="what the latest attempt has changed", why_not=_needs_attempt),
    Key(
        id="kill", keys=("x",), label="kill", help="end the agent and all it started; asks first", why_not=_cannot_kill
    ),
    Key(
        id="block",
        keys=("b",),
        label="block",
        help="set the task aside for a person, with a reason; asks first",
        why_not=_cannot_block,
    ),
    Key(
        id="redispatch",
        keys=("r",),
        label="redispatch",
        help="queue the task again with fresh attempts; asks first if work would end",
        why_not=_cannot_redispatch,
    ),
    Key(
        id="undo",
        keys=("u",),
        label="undo",
        help="bring back, as a branch, the work that a kill or a failure left",
        why_not=_cannot_undo,
    ),
    Key(
        id="freeze",
        keys=("f",),
        label="freeze",
        off_label="thaw",
        is_on=lambda situation: holds_all(situation.view),
        help="start and merge nothing, what runs goes on; thaw a frozen or stopped fleet, parts stay frozen (P)",
        why_not=_needs_owner,
    ),
    Key(
        id="resume",
        keys=("c",),
        label="",
        help="go on with what is paused or parked, once its cause is mended",
        why_not=_nothing_to_resume,
        footer=False,
    ),
    Key(
        id="throttle",
        keys=("t",),
        label="throttle",
        off_label="unthrottle",
        is_on=lambda situation: situation.view.throttled,
        help="one task at a time",
        why_not=_needs_owner,
    ),
    Key(
        id="freeze_workspace",
        keys=("F",),
        label="",
        help="as f, but only the selected task's workspace",
        why_not=_needs_row_and_owner,
        footer=False,
    ),
    Key(
        id="throttle_workspace",
        keys=("T",),
        label="",
        help="as t, but only the selected task's workspace",
        why_not=_needs_row_and_owner,
        footer=False,
    ),
    Key(id="plan", keys=("p",), label="plan", help="the waves, what ties what, and the feature flags"),
    Key(
        id="parts",
        keys=("P",),
        label="providers",
        help="fleet, workspaces, providers: health, slots, budgets; freeze and throttle each",
    ),
    Key(id="filter", keys=("slash",), shown="/", label="filter", help="show only the tasks that hold a word"),
    Key(id="help", keys=("question_mark",), shown="?", label="help", help="all keys, and why one is off"),
    Key(id="quit", keys=("q",), label="quit", help="close the cockpit; agents keep running"),
    Key(
        id="unfilter",
        keys=("escape",),
        shown="esc",
        label="",
        help="clear the filter",
        why_not=_not_filtered,
        footer=False,
    ),
    Key(id="up", keys=("k", "up"), shown="k ↑", label="", help="one task up", footer=False),
    Key(id="down", keys=("j", "down"), shown="j ↓", label="", help="one task down", footer=False),
    Key(id="page_up", keys=("pageup", "ctrl+b"), shown="PgUp", label="", help="a page up", footer=False),
    Key(id="page_down", keys=("pagedown", "ctrl+f"), shown="PgDn", label="", help="a page down", footer=False),
    Key(id="first", keys=("g", "home"), shown="g", label="", help="the first task", footer=False),
    Key(id="last", keys=("G", "end"), shown="G", label="", help="the last task", footer=False),
    Key(id="next_pane", keys=("tab",), label="", help="go to the other pane", footer=False),
)
"""Every key of the main screen, in the order of the bottom line; those for moving are in the help only."""


def key_by_id(name: str) -> Key[Situation]:
    """Return the key called `name`."""
    return next(key for key in KEYMAP if key.id == name)
