"""The doctor's judgement, as a table: what it finds of a machine, and that every bad word comes with a cure."""

from __future__ import annotations

import re

import msgspec
import pytest

from omni_tui.commands.health import Check, Grade, judge_machine, judge_reserve
from omni_tui.commands.protection import judge_protection, judge_sandboxes
from omni_tui.model.sandbox_settings import SandboxSettings
from omni_tui.model.settings import LimitSettings
from omni_tui.model.space import Space
from omni_tui.plugins.machine import Facts

WELL = Facts(
    python=(3, 11, 7),
    git=(2, 39, 5),
    tmux="tmux 3.3a",
    namespaces="",
    bwrap="",
    landlock="",
    watches=65536,
    free_bytes=50 << 30,
    free_inodes_percent=90.0,
)


def judged(facts: Facts) -> dict[str, Check]:
    """Return what is said of a machine, by the name of what was looked at."""
    return {check.name: check for check in (*judge_machine(facts), *judge_sandboxes(facts))}


def test_a_fit_machine_is_fine() -> None:
    assert {check.grade for check in judged(WELL).values()} == {Grade.OK}


@pytest.mark.parametrize(
    ("change", "name", "grade"),
    [
        ({"python": (3, 10, 9)}, "python", Grade.FAIL),
        ({"git": None}, "git", Grade.FAIL),
        ({"git": (2, 37, 9)}, "git", Grade.FAIL),
        ({"git": (2, 38)}, "git", Grade.OK),
        ({"tmux": None}, "tmux", Grade.WARN),
        ({"namespaces": "not permitted"}, "pid namespaces", Grade.WARN),
        ({"bwrap": "it is not here"}, "bubblewrap", Grade.WARN),
        ({"landlock": "it is not here"}, "landlock", Grade.OK),
        ({"watches": None}, "file watches", Grade.WARN),
        ({"watches": 1024}, "file watches", Grade.WARN),
        ({"free_bytes": 1 << 30}, "disk", Grade.WARN),
        ({"free_bytes": 1 << 20}, "disk", Grade.FAIL),
        ({"free_inodes_percent": 1.0}, "disk", Grade.WARN),
    ],
)
def test_what_is_missing_is_graded_and_has_a_cure(change: dict[str, object], name: str, grade: Grade) -> None:
    found = judged(msgspec.structs.replace(WELL, **change))
    assert found[name].grade is grade
    assert bool(found[name].fix) is (grade is not Grade.OK)
    assert all(check.grade is Grade.OK for other, check in found.items() if other != name)


def test_a_disk_below_the_fleets_own_reserve_starts_nothing() -> None:
    space, limits = Space(free_bytes=80 * 10**9, free_inodes_percent=96.0), LimitSettings(reserve_gb=100.0)
    (short,) = judge_reserve(space, limits)
    assert short.grade is Grade.FAIL
    assert "80.00 GB free; 100 GB" in short.detail
    assert list(judge_reserve(space, LimitSettings())) == []


@pytest.mark.parametrize("on", [True, False])
def test_it_is_told_where_programs_may_type_into_their_terminals(on: bool) -> None:
    check = judged(msgspec.structs.replace(WELL, terminal_input=on))["bubblewrap"]
    assert ("TIOCSTI" in check.detail) is on
    assert check.grade is Grade.OK, "an agent's terminal is its own: nobody else reads what it types there"


def test_where_there_is_no_sandbox_both_ways_to_one_are_shown() -> None:
    found = judged(msgspec.structs.replace(WELL, bwrap="it is not here", landlock="this kernel offers none"))
    assert "nothing starts" in found["bubblewrap"].fix
    assert found["landlock"].grade is Grade.WARN


NO_BWRAP = {"bwrap": "it is not here"}
NEITHER = {**NO_BWRAP, "landlock": "this kernel offers none"}


@pytest.mark.parametrize(
    ("settings", "machine", "shared", "grade", "words"),
    [
        (SandboxSettings(), {}, [], Grade.OK, "bubblewrap: .*not kept .*keyrings and abstract sockets"),
        (SandboxSettings(net="none"), {}, [], Grade.OK, "with no network"),
        (SandboxSettings(net="proxy"), {}, [], Grade.OK, "with a network of their API alone"),
        (SandboxSettings(net="proxy", hosts=("pypi.org",)), {}, [], Grade.OK, "of their API and pypi.org alone"),
        (SandboxSettings(kind="off"), {}, [], Grade.WARN, "can read and change all that you can"),
        (SandboxSettings(), {}, ["app"], Grade.WARN, "those of app can write all refs"),
        (SandboxSettings(kind="landlock"), {}, [], Grade.WARN, "Landlock: .*no Unix sockets.*not kept from them"),
        (SandboxSettings(), NO_BWRAP, [], Grade.WARN, r"Landlock: .*modes and times of yours"),
        (SandboxSettings(), {**NO_BWRAP, "namespaces": "no"}, [], Grade.WARN, "names of your processes"),
        (SandboxSettings(), {**NO_BWRAP, "landlock_gaps": ("a gap",)}, [], Grade.WARN, "a gap"),
        (SandboxSettings(), NEITHER, [], Grade.FAIL, "nothing starts"),
        (SandboxSettings(kind="bwrap"), NO_BWRAP, [], Grade.FAIL, "nothing starts"),
        (SandboxSettings(kind="landlock"), {"landlock": "none"}, [], Grade.FAIL, "nothing starts"),
    ],
)
def test_what_agents_can_reach_is_said(
    settings: SandboxSettings, machine: dict[str, object], shared: list[str], grade: Grade, words: str
) -> None:
    check = judge_protection(settings, msgspec.structs.replace(WELL, **machine), shared)
    assert check.grade is grade
    assert re.search(words, check.detail), check.detail
