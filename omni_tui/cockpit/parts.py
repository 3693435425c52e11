"""The parts of a fleet that can be braked: itself, its workspaces, its providers; how each stands, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.model.brakes import FLEET, Freeze, Scope, Throttle
from omni_tui.model.provider import Standing
from omni_tui.model.task import Status
from omni_tui.model.text import one_line
from omni_tui.model.view import FleetView
from omni_tui.policy.breaker import Breaker
from omni_tui.words import minutes, until

State = tuple[str, Tone]
OPEN: State = ("✓ open", Tone.LANDED)
SERVES: State = ("✓ serves", Tone.LANDED)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    scope: Scope
    kind: str
    name: str
    state: str
    """Glyph and words."""
    tone: Tone
    runs: str
    """How many tasks it runs, and of how many."""
    why: str = ""
    """Why it does not run more."""
    told: tuple[Paragraph, ...] = ()
    """All that is to be said of it."""
    freeze: Freeze | None = None
    throttle: Throttle | None = None


def parts(view: FleetView, workspaces: Sequence[str], standings: Mapping[str, Standing], now: float) -> list[Part]:
    """Return all parts: the fleet, its workspaces, its providers, and what has gone but is braked still."""
    braked = {scope.provider for scope in view.brakes.scopes if scope.provider}
    known = {name: standings.get(name, Standing(name=name)) for name in sorted({*standings, *braked})}
    gone = {scope.workspace for scope in view.brakes.scopes if scope.workspace}.difference(workspaces)
    return [
        _fleet(view),
        *(_workspace(name, view) for name in (*workspaces, *sorted(gone))),
        *(_provider(standing, view, now) for standing in known.values()),
    ]


def _fleet(view: FleetView) -> Part:
    running, limit = view.count(Status.DOING), view.effective
    trouble: State | None = ("✗ stopped", Tone.BLOCKED) if view.stopped else None
    if trouble is None and limit is not None and limit.lowered:
        trouble = (f"~ {limit.bound}", Tone.ASKING)
    why = view.stopped or (limit.reason if limit is not None and limit.lowered else "")
    told = [f"at once: {limit}"] if limit is not None else []
    told += [f"the run was stopped: {view.stopped}"] if view.stopped else []
    runs = f"{running} of {limit.slots}" if limit is not None else f"{running}"
    return _part(FLEET, Path(view.root).name, trouble, OPEN, runs, why, told, view)


def _workspace(name: str, view: FleetView) -> Part:
    running = sum(row.status is Status.DOING and row.ref.workspace == name for row in view.rows)
    waiting = sum(row.status is Status.TODO and row.ref.workspace == name for row in view.rows)
    pauses = [pause for pause in view.pauses if pause.startswith(f"{name}:")]
    paused: State | None = ("✗ paused", Tone.BLOCKED) if pauses else None
    why = "; ".join(pauses) or (f"{waiting} waiting" if waiting else "")
    return _part(Scope(workspace=name), name, paused, OPEN, f"{running}", why, pauses, view)


def _provider(standing: Standing, view: FleetView, now: float) -> Part:
    runs = f"{standing.used} of {standing.slots}" if standing.slots else f"{standing.used}"
    trouble, serves = _health(standing, now), SERVES
    told = list(_record(standing, now))
    scope = Scope(provider=standing.name)
    return _part(scope, standing.name, trouble, serves, runs, _why(standing), told, view)


def _health(standing: Standing, now: float) -> State | None:
    """Return what keeps a provider from serving; None: nothing."""
    if standing.state == Breaker.OPEN and standing.until is not None:
        return f"~ parked {minutes(standing.until - now)}", Tone.ASKING
    if standing.state == Breaker.OPEN:
        return "✗ parked", Tone.BLOCKED
    if standing.spent:
        return "✗ spent", Tone.BLOCKED
    if standing.state == Breaker.HALF_OPEN:
        return "~ half-open", Tone.ASKING
    return ("◌ untried", Tone.WAITING) if standing.unproven and not standing.used else None


def _why(standing: Standing) -> str:
    if standing.reason or standing.spent:
        return standing.reason or standing.spent
    if standing.slots < standing.of:
        return f"set to {standing.of}: the gate rejects {standing.rejected:.0%}"
    return standing.trial or (f"{standing.share:.0%} of its budget spent" if standing.share else "")


def _record(standing: Standing, now: float) -> Iterator[str]:
    """Yield all that is known of a provider, a line each."""
    ends = f"; tried again {until(standing.until, now)}" if standing.until is not None else ""
    yield f"its circuit breaker is {standing.state}" + (f": {standing.reason}{ends}" if standing.reason else "")
    if standing.slots:
        lowered = f", set to {standing.of}" if standing.slots < standing.of else ""
        yield f"serves {standing.used} of {standing.slots} at once{lowered}"
    if standing.judged:
        yield f"the gate rejected {standing.rejected:.0%} of its last {standing.judged} changes"
    share = f", {standing.share:.0%} of its budget" if standing.share else ""
    yield f"spent tonight: {standing.usd:.2f} USD, {standing.tokens:,} tokens{share}"
    if standing.spent:
        yield standing.spent
    if standing.unproven:
        yield standing.trial


def _part(
    scope: Scope, name: str, trouble: State | None, well: State, runs: str, why: str, told: list[str], view: FleetView
) -> Part:
    """Put a part together: a freeze shows before any trouble, a throttle only where there is none."""
    freeze, throttle = view.brakes.freeze_of(scope), view.brakes.throttle_of(scope)
    state, tone = trouble or well
    if freeze is not None:
        state, tone, why = "! frozen hard" if freeze.hard else "! frozen", Tone.ASKING, freeze.reason or why
    elif throttle is not None and trouble is None:
        state, tone = f"! at most {throttle.most}", Tone.ASKING
    lines: list[Paragraph] = [((str(brake), Tone.ASKING),) for brake in (freeze, throttle) if brake is not None]
    lines += [((one_line(line), Tone.TEXT),) for line in told]
    return Part(
        scope=scope,
        kind="workspace" if scope.workspace else "provider" if scope.provider else "fleet",
        name=one_line(name),
        state=state,
        tone=tone,
        runs=runs,
        why=one_line(why),
        told=tuple(lines),
        freeze=freeze,
        throttle=throttle,
    )
