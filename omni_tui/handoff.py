"""`HANDOFF.md`: what a person needs to go on from a run that has stopped, the decisions that wait for them first.

Pure: a night in, Markdown out. Titles, reasons and names were written by others: here they are text, no markup.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from omni_tui.model.signal import Health
from omni_tui.model.text import code, one_line, plural
from omni_tui.policy.night import BlockedTask, LandedTask, Night, RunningTask, WaitingTask, totals
from omni_tui.words import moment, parked_for

T = TypeVar("T")

LISTED = 12
"""Tasks of a kind that are named: a hand-off is read at breakfast; `omni-tui report` and `list` have all."""
LONGEST = 300
"""Characters of somebody else's text."""
_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\<[]"})


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Where a workspace's changes land, and where a person merges them."""

    workspace: str
    repo: str
    """The fleet's repository."""
    branch: str
    base: str
    origin: str = ""
    """Where the repository came from, a path or URL."""
    checkout: str = ""
    """The same where it is a checkout on this machine."""


class Handoff(msgspec.Struct, frozen=True, kw_only=True):
    """All that is handed over."""

    root: str
    """The fleet's directory."""
    reason: str
    """Why the run stopped."""
    night: Night
    releases: tuple[Release, ...] = ()


def render(handoff: Handoff) -> str:
    """Return the hand-off as Markdown, most important first."""
    night = handoff.night
    head = [
        "# Hand-off",
        "",
        f"Stopped {moment(night.until)}: {_text(handoff.reason)}. Since {moment(night.since)}: {totals(night)}.",
        f"How it stands now: `omni-tui report`. Commands are meant for {code(handoff.root)}.",
    ]
    sections = (
        ("What you must decide", _decisions(handoff)),
        ("What landed", _each(night.landed, _landed, "omni-tui report")),
        ("What was running", _running(night)),
        ("What waits", _waiting(night.in_line)),
        ("What went wrong on the way", _troubles(night)),
    )
    told = [(title, "\n".join(lines).rstrip()) for title, lines in sections]
    return "\n".join([*head, *(f"\n## {title}\n\n{text}" for title, text in told if text)]) + "\n"


# -- what a person must decide -----------------------------------------------------------------------------------------


def _decisions(handoff: Handoff) -> Iterator[str]:
    night = handoff.night
    items = [*_of_the_fleet(night), *_each(night.blocked, _blocked, "omni-tui list --status blocked")]
    asking = [task for task in night.under_way if task.health == Health.WAITING]
    items += [f"- **{_name(task.task)}** asks: `omni-tui attach {_word(task.task)}`" for task in asking]
    items += [_flagged(task, handoff.releases) for task in night.landed if task.flags]
    landed = {task.task.partition("/")[0] for task in night.landed}
    items += [line for each in handoff.releases if each.workspace in landed for line in _merge(each)]
    yield from items or ["Nothing."]


def _of_the_fleet(night: Night) -> Iterator[str]:
    if night.stopped:
        yield f"- **The run stopped itself**: {_text(night.stopped)}. See to that, then `omni-tui thaw`."
    if night.short:
        yield f"- **Nothing starts**: {_text(night.short)}. Make room: it goes on by itself."
    for name, parked in sorted(night.parked.items()):
        ends = "It goes on by itself." if parked.until is not None else "Mend that, then `omni-tui thaw`."
        yield f"- **{_text(parked_for(name, parked, night.until))}**. {ends}"
    for pause in night.pauses:
        yield f"- **Paused**: {_text(pause)}. Mend that, then `omni-tui thaw`."
    if night.frozen:
        yield "- **The fleet is frozen** by a person: `omni-tui thaw`."


def _blocked(task: BlockedTask) -> list[str]:
    word = _word(task.task)
    looks = ("show", "diff", "logs") if task.attempts else ("show",)
    lines = [
        f"- **{_name(task.task)} is blocked** ({_title(task.title)}): {_text(task.reason) or 'no reason was given'}",
        f"  - look: {', '.join(f'`omni-tui {look} {word}`' for look in looks)}",
    ]
    if task.attempts and not task.left_nothing:
        kept = f" ({', '.join(code(place) for place in task.kept)})" if task.kept else ""
        lines.append(f"  - its work: `omni-tui undo {word}`{kept}")
    return [*lines, f"  - again, with fresh attempts: `omni-tui redispatch {word}`"]


def _flagged(task: LandedTask, releases: Iterable[Release]) -> str:
    repo = next((each.repo for each in releases if each.workspace == task.task.partition("/")[0]), "")
    look = f": `git -C {shlex.quote(repo)} show {_word(task.commit)}`" if repo else ""
    return f"- **{_name(task.task)}** landed with a flag ({', '.join(map(code, task.flags))}){look}"


def _merge(release: Release) -> list[str]:
    """Say how the release branch gets to where a person wants it: from the fleet, whether it was pushed or not."""
    quoted = {name: shlex.quote(one_line(getattr(release, name))) for name in ("checkout", "repo", "branch", "base")}
    first = f"cd {quoted['checkout']}" if release.checkout else f"# in your clone of {one_line(release.origin) or 'it'}"
    return [
        f"- **Merge {code(release.branch)} of {_name(release.workspace)}**, after a look:",
        "",
        "  ```sh",
        f"  {first}",
        f"  git switch {quoted['base']}",
        f"  git fetch {quoted['repo']} {quoted['branch']}",
        "  git log --stat HEAD..FETCH_HEAD",
        "  git merge --no-ff FETCH_HEAD",
        "  ```",
        "",
    ]


# -- what happened, and what goes on -----------------------------------------------------------------------------------


def _landed(task: LandedTask) -> list[str]:
    by = f" by {_text(task.agent)}" if task.agent else ""
    where = f"{code(task.commit[:12])} on {code(task.release)}"
    return [f"- {_name(task.task)} ({_title(task.title)}): {where}{by}, {moment(task.at)}"]


def _running(night: Night) -> Iterator[str]:
    if night.under_way:
        yield "Nothing to do: `omni-tui` goes on with them, also when it starts again. While none runs, nobody watches."
        yield ""
    yield from _each(night.under_way, _under_way, "omni-tui list --status doing")


def _under_way(task: RunningTask) -> list[str]:
    state = " ".join(filter(None, (task.phase or "its first phase", f"({task.health})" if task.health else "")))
    where = f"; in {code(task.worktree)}" if task.worktree else ""
    watch = f"; `omni-tui attach {_word(task.task)}`"
    by = f" by {_text(task.agent)}" if task.agent else ""
    return [f"- {_name(task.task)} ({_title(task.title)}): attempt {task.attempt}{by}, {_text(state)}{where}{watch}"]


def _waiting(tasks: Iterable[WaitingTask]) -> Iterator[str]:
    """Tell what waits for the same together, in the order of the first of each."""
    groups: dict[str, list[str]] = {}
    for task in tasks:
        groups.setdefault(_text(task.reason) or "nothing holds it back", []).append(_name(task.task))
    for reason, names in list(groups.items())[:LISTED]:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        yield f"- {plural(len(names), 'task')}: {reason}: {', '.join(names[:LISTED])}{more}"
    if len(groups) > LISTED:
        yield f"- and more, for {len(groups) - LISTED} other reasons: `omni-tui list --status todo`"


def _troubles(night: Night) -> Iterator[str]:
    if night.failures:
        yield f"- attempts failed: {', '.join(f'{_text(kind)} {count}' for kind, count in night.failures.items())}"
    told = tuple(f"{task.task}#" for task in night.blocked)  # with what is kept of each attempt
    others = [trouble for trouble in night.troubles if not trouble.startswith(told)]
    yield from _each(others, lambda trouble: [f"- {_text(trouble)}"], "omni-tui report")


# -- others' words -----------------------------------------------------------------------------------------------------


def _each(items: Sequence[T], lines_of: Callable[[T], list[str]], command: str) -> Iterator[str]:
    """Tell the first of `items`, and how many more `command` shows."""
    for item in items[:LISTED]:
        yield from lines_of(item)
    if len(items) > LISTED:
        yield f"- and {len(items) - LISTED} more: `{command}`"


def _text(text: str) -> str:
    """Return somebody's words on one line, none of which Markdown takes for markup, a link or HTML."""
    return one_line(text, LONGEST).translate(_MARKUP)


def _title(title: str) -> str:
    return code(one_line(title, 80))


def _name(task: str) -> str:
    return _text(task)


def _word(text: str) -> str:
    """Return one word of a command line; ids, commits and refs hold nothing that needs quotes."""
    return shlex.quote(one_line(text)).replace("`", "")
