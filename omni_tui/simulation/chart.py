"""A night as a person reads it in the morning: a chart of what ran when, the totals, and what was violated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from omni_tui.model.text import one_line, plural
from omni_tui.simulation.clock import Wakeups
from omni_tui.simulation.play import Played
from omni_tui.simulation.world import Stint

WIDTH = 80
LABEL = 11
COLUMNS = WIDTH - LABEL - 1
LANDED, FAILED, LIMITED, DEAD, FREE = "█", "░", "z", "x", "·"
LEGEND = f"{LANDED} landed  {FAILED} did not land  {LIMITED} waits for its provider  {DEAD} nobody dispatched"


def lines_of(played: Played, replay: str) -> list[str]:
    """Return the chart and the totals; `replay` is the command that plays this night again."""
    end = max([played.hours * 3600, *(stint.ended for stint in played.stints)])
    lanes = _lanes(played.stints)
    label = "agent" if len(lanes) < 100 else "a"
    return [
        f"{_axis(end)}",
        f"{'dispatcher':<{LABEL}}{_dispatcher(played, end)}",
        *(f"{f'{label} {number}':<{LABEL}}{_lane(lane, end)}" for number, lane in enumerate(lanes, 1)),
        LEGEND,
        "",
        *totals(played),
        *(["", *_violations(played, replay)] if played.violations else []),
    ]


def totals(played: Played) -> list[str]:
    """Return the night's numbers."""
    lines = [
        f"After {played.hours:g} h: {_places(played)}.",
        f"Then, all healed, the rest took {played.drained / 3600:.1f} h: {played.landed_in_all} landed in the end.",
        f"Attempts           {played.attempts:,}",
        f"Stalls healed      {played.healed} of {played.stalls}",
        f"Restarts           {played.restarts}",
        f"Double dispatches  {played.doubled}",
        f"Slots idle         {played.idle_share:.2%} of their time, though work could start",
        f"Limits met         {_limits(played)}",
        f"Wake-ups           {_wakeups(played.wakeups)}",
    ]
    if played.stopped:
        lines.append(f"Stopped by itself  {one_line(played.stopped, WIDTH - 19)}")
    failed = {kind: count for kind, count in played.outcomes.items() if kind != "landed"}
    lines += _counted("Attempts that failed", failed)
    lines += _counted("What went wrong", played.faults)
    lines += [f"Blocked {count}: {one_line(reason, WIDTH - 12)}" for reason, count in played.reasons.items()]
    return lines


def _limits(played: Played) -> str:
    parked = sum(count for kind, count in played.outcomes.items() if kind.startswith("limited"))
    return f"{played.limited / 60:.0f} agent minutes waited, {plural(parked, 'attempt')} ended by one"


def _places(played: Played) -> str:
    landed = f"{played.landed} of {played.tasks} landed"
    return f"{landed}, {played.blocked} blocked, {played.running} running, {played.waiting} waiting"


def _wakeups(wakeups: Wakeups) -> str:
    causes = f"{wakeups.event:,} events, {wakeups.deadline:,} deadlines, {wakeups.round:,} rounds"
    return f"{wakeups.total:,}: {causes}, {wakeups.idle:,} idle ({wakeups.idle_share:.1%})"


def _counted(title: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    lines, line = [], f"{title}:"
    for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        word = f" {kind} {count},"
        if len(line) + len(word) > WIDTH:
            lines.append(line)
            line = " "
        line += word
    return [*lines, line.rstrip(",")]


def _violations(played: Played, replay: str) -> Iterator[str]:
    yield "VIOLATED, by the number of the promise in CONTRIBUTING.md:"
    for violation in played.violations:
        yield f"  {violation}"
    yield f"Play it again: {replay}"


def _axis(end: float) -> str:
    """Return the hours above the chart."""
    text = [" "] * (COLUMNS + 4)
    step = max(1, -(-int(end / 3600) // 12))
    for hour in range(0, int(end / 3600) + 1, step):
        mark = f"{hour}h"
        column = int(hour * 3600 / end * COLUMNS)
        text[column : column + len(mark)] = mark
    return (" " * LABEL + "".join(text)[:COLUMNS]).rstrip()


def _dispatcher(played: Played, end: float) -> str:
    row = [DEAD] * COLUMNS
    for begin, until, _ in played.lives:
        for column in _columns(begin, until if until >= 0 else end, end):
            row[column] = LANDED
    for begin, _, _ in played.lives[1:]:
        row[min(COLUMNS - 1, int(begin / end * COLUMNS))] = DEAD
    return "".join(row)


def _lanes(stints: Sequence[Stint]) -> list[list[Stint]]:
    """Put stints that overlap into different lanes, as few as that takes."""
    lanes: list[list[Stint]] = []
    for stint in sorted(stints, key=lambda each: (each.began, each.task)):
        free = next((lane for lane in lanes if 0 <= lane[-1].ended <= stint.began), None)
        if free is None:
            lanes.append([stint])
        else:
            free.append(stint)
    return lanes


def _lane(lane: Iterable[Stint], end: float) -> str:
    row = [FREE] * COLUMNS
    for stint in lane:
        until = stint.ended if stint.ended >= 0 else end
        for column in _columns(stint.began, until, end):
            row[column] = LANDED if stint.outcome == "landed" else FAILED
        for begin, over in stint.limited:
            for column in _columns(begin, over if over >= 0 else until, end):
                row[column] = LIMITED
    return "".join(row)


def _columns(begin: float, until: float, end: float) -> range:
    first = min(COLUMNS - 1, int(begin / end * COLUMNS))
    return range(first, max(first + 1, min(COLUMNS, int(until / end * COLUMNS))))
