"""The doctor's judgement, as a table: what it finds of a machine, and that every bad word comes with a cure."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.commands.health import Grade, judge_machine, judge_protection
from omni_tui.model.settings import SandboxSettings
from omni_tui.plugins.machine import Facts

WELL = Facts(
    python=(3, 11, 7),
    git=(2, 39, 5),
    tmux="tmux 3.3a",
    namespaces="",
    sandbox="",
    watches=65536,
    free_bytes=50 << 30,
    free_inodes_percent=90.0,
)


def test_a_fit_machine_is_fine() -> None:
    assert {check.grade for check in judge_machine(WELL)} == {Grade.OK}


@pytest.mark.parametrize(
    ("change", "name", "grade"),
    [
        ({"python": (3, 10, 9)}, "python", Grade.FAIL),
        ({"git": None}, "git", Grade.FAIL),
        ({"git": (2, 37, 9)}, "git", Grade.FAIL),
        ({"git": (2, 38)}, "git", Grade.OK),
        ({"tmux": None}, "tmux", Grade.WARN),
        ({"namespaces": "not permitted"}, "pid namespaces", Grade.WARN),
        ({"sandbox": "it is not here"}, "bubblewrap", Grade.WARN),
        ({"watches": None}, "file watches", Grade.WARN),
        ({"watches": 1024}, "file watches", Grade.WARN),
        ({"free_bytes": 1 << 30}, "disk", Grade.WARN),
        ({"free_bytes": 1 << 20}, "disk", Grade.FAIL),
        ({"free_inodes_percent": 1.0}, "disk", Grade.WARN),
    ],
)
def test_what_is_missing_is_graded_and_has_a_cure(change: dict[str, object], name: str, grade: Grade) -> None:
    found = {check.name: check for check in judge_machine(msgspec.structs.replace(WELL, **change))}
    assert found[name].grade is grade
    assert bool(found[name].fix) is (grade is not Grade.OK)
    assert all(check.grade is Grade.OK for other, check in found.items() if other != name)


@pytest.mark.parametrize(
    ("settings", "shared", "grade", "words"),
    [
        (SandboxSettings(), [], Grade.OK, "nothing else of your files"),
        (SandboxSettings(net="none"), [], Grade.OK, "with no network"),
        (SandboxSettings(net="proxy"), [], Grade.OK, "with a network of their API alone"),
        (SandboxSettings(net="proxy", hosts=("pypi.org",)), [], Grade.OK, "a network of their API and pypi.org alone"),
        (SandboxSettings(kind="off"), [], Grade.WARN, "can read and change all that you can"),
        (SandboxSettings(), ["app"], Grade.WARN, "those of app can write all refs"),
    ],
)
def test_what_agents_can_reach_is_said(settings: SandboxSettings, shared: list[str], grade: Grade, words: str) -> None:
    check = judge_protection(settings, shared)
    assert check.grade is grade
    assert words in check.detail
