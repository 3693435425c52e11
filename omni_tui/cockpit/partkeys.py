"""The keys of the screen of parts, as data, as `keymap` has those of the main screen."""

from __future__ import annotations

import msgspec

from omni_tui.cockpit.keymap import Key
from omni_tui.cockpit.parts import Part
from omni_tui.model.view import FleetView


class PartSituation(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides whether a key can be used now."""

    view: FleetView
    part: Part | None
    """The selected one."""


def _needs_part(situation: PartSituation) -> str:
    if situation.view.owner is None:
        return "Nobody dispatches this fleet: start `omni-tui` on it first."
    return "" if situation.part else "Nothing is selected."


def _hard_already(situation: PartSituation) -> str:
    part = situation.part
    if part is not None and part.freeze is not None and part.freeze.hard:
        return f"The agents of {part.scope} are suspended already; f has them go on."
    return _needs_part(situation)


def _not_throttled(situation: PartSituation) -> str:
    part = situation.part
    return f"{part.scope} is not throttled." if part is not None and part.throttle is None else _needs_part(situation)


def _no_provider(situation: PartSituation) -> str:
    part = situation.part
    return "Only a provider can be tried." if part is not None and not part.scope.provider else _needs_part(situation)


def _is_frozen(situation: PartSituation) -> bool:
    part = situation.part
    stopped = part is not None and part.scope.is_fleet and bool(situation.view.stopped)
    return part is not None and (part.freeze is not None or stopped)


PART_KEYMAP: tuple[Key[PartSituation], ...] = (
    Key(
        id="freeze",
        keys=("f",),
        label="freeze",
        off_label="thaw",
        is_on=_is_frozen,
        help="start and merge nothing of it; what runs goes on. A thaw is of this part alone",
        why_not=_needs_part,
    ),
    Key(
        id="freeze_hard",
        keys=("H",),
        label="freeze hard",
        help="as f, and its agents stand still until the thaw",
        why_not=_hard_already,
    ),
    Key(
        id="throttle",
        keys=tuple("123456789"),
        shown="1-9",
        label="at once",
        help="throttle it to so many tasks at once",
        why_not=_needs_part,
    ),
    Key(id="unthrottle", keys=("0",), label="no throttle", help="as many as there is room for", why_not=_not_throttled),
    Key(id="check", keys=("p",), label="try it", help="try a provider now, with a tiny task", why_not=_no_provider),
    Key(id="up", keys=("k", "up"), label="", help="one up", footer=False),
    Key(id="down", keys=("j", "down"), label="", help="one down", footer=False),
    Key(id="quit", keys=("escape", "q", "P"), shown="esc", label="back", help="go back"),
)
