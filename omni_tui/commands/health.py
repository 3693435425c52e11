"""The judgement of `omni-tui doctor`: what is fine, what is a pity, what must be mended, and how."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from omni_tui.model.settings import LimitSettings
from omni_tui.model.space import Space
from omni_tui.model.view import FleetView
from omni_tui.plugins.machine import Facts
from omni_tui.policy.machine import shortage
from omni_tui.words import parked_for

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 38)
"""The first with `merge-tree --write-tree`, by which changes are merged."""
ENOUGH_WATCHES = 8192
RESERVE_BYTES = 2 << 30
"""Free space below which a night may end on a full disk."""
LEAST_BYTES = 256 << 20
RESERVE_INODES_PERCENT = 5.0
MENDED = "mend that, then omni-tui thaw"


class Grade(StrEnum):
    """How well a thing is."""

    OK = "ok"
    WARN = "warn"
    """It works, with a loss that `detail` names."""
    FAIL = "fail"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    grade: Grade
    detail: str
    fix: str = ""


def ok(name: str, detail: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name=name, grade=Grade.OK, detail=detail)


def warn(name: str, detail: str, fix: str) -> Check:
    """Return a check of something that is missed but not needed."""
    return Check(name=name, grade=Grade.WARN, detail=detail, fix=fix)


def fail(name: str, detail: str, fix: str) -> Check:
    """Return a check of something without which no task lands."""
    return Check(name=name, grade=Grade.FAIL, detail=detail, fix=fix)


def judge_machine(facts: Facts) -> Iterator[Check]:
    """Judge the machine, worst news included, in the order in which a person would look."""
    yield _judge_python(facts)
    yield _judge_git(facts)
    yield _judge_tmux(facts)
    yield _judge_namespaces(facts)
    yield _judge_watches(facts)
    yield _judge_disk(facts)


def judge_run(view: FleetView) -> Iterator[Check]:
    """Judge what holds a fleet, or a part of it; nothing where nothing does."""
    if view.stopped:
        yield warn("run", f"stopped: {view.stopped}", MENDED)
    for name, parked in sorted(view.parked.items()):
        fix = MENDED if parked.until is None else "nothing to do: it goes on by itself"
        yield warn(f"provider {name}", parked_for(name, parked, view.taken_at), fix)
    for throttle in view.brakes.throttles:
        if throttle.doubt:
            fix = f"write a number into the file, or omni-tui throttle off{throttle.scope.option}"
            yield warn("throttle", str(throttle), fix)
    for pause in view.pauses:
        yield warn("paused", pause, MENDED)


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)


def _judge_python(facts: Facts) -> Check:
    if facts.python < OLDEST_PYTHON:
        return fail("python", _dotted(facts.python), f"install Python {_dotted(OLDEST_PYTHON)} or newer")
    return ok("python", _dotted(facts.python))


def _judge_git(facts: Facts) -> Check:
    if facts.git is None:
        return fail("git", "not found", "install git")
    if facts.git < OLDEST_GIT:
        return fail(
            "git",
            f"{_dotted(facts.git)} cannot merge without a checkout",
            f"install git {_dotted(OLDEST_GIT)} or newer",
        )
    return ok("git", _dotted(facts.git))


def _judge_tmux(facts: Facts) -> Check:
    if facts.tmux is None:
        return warn("tmux", "not found: agents run on plain terminals and end with omni-tui", "install tmux")
    return ok("tmux", facts.tmux)


def _judge_namespaces(facts: Facts) -> Check:
    if facts.namespaces:
        detail = f"none ({facts.namespaces}): a kill looks for an agent's children one by one"
        return warn(
            "pid namespaces", detail, "allow unprivileged user namespaces (sysctl), if this machine's owner agrees"
        )
    return ok("pid namespaces", "one signal ends all of an agent")


def _judge_watches(facts: Facts) -> Check:
    if facts.watches is None:
        return warn("file watches", "no inotify: another way to watch files is used", "nothing to do on macOS")
    if facts.watches < ENOUGH_WATCHES:
        return warn("file watches", f"only {facts.watches}", f"sysctl fs.inotify.max_user_watches={ENOUGH_WATCHES * 8}")
    return ok("file watches", f"{facts.watches:,} inotify watches")


def judge_reserve(space: Space, limits: LimitSettings) -> Iterator[Check]:
    """Say what the fleet's disk has too little of by the fleet's own settings, if anything."""
    if short := shortage(space, limits):
        yield fail("reserve", f"nothing starts: {short}", "make room, or lower the reserve in config.toml")


def _judge_disk(facts: Facts) -> Check:
    detail = f"{facts.free_bytes / (1 << 30):.1f} GiB and {facts.free_inodes_percent:.0f} % of the inodes are free"
    if facts.free_bytes < LEAST_BYTES:
        return fail("disk", detail, "make room: nothing can be checked out")
    if facts.free_bytes < RESERVE_BYTES or facts.free_inodes_percent < RESERVE_INODES_PERCENT:
        return warn("disk", detail, "make room before a long night")
    return ok("disk", detail)
