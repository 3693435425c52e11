"""What the cockpit looks like, at the sizes and in the themes that it must be good in, after real keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from omni_tui.cockpit.app import CockpitApp
from omni_tui.model.brakes import Brakes, Freeze, Throttle
from omni_tui.model.state import FleetState
from omni_tui.store.state import write_state
from tests.support.cockpit_ahead import HELD
from tests.support.cockpit_pilot import settle
from tests.support.cockpit_ports import make_ports
from tests.support.fleet_tree import STOPPED, FleetTree

Compare = Callable[..., bool]


def keys(*names: str) -> Callable[[Pilot[None]], object]:
    """Press keys one after another, each once the one before has shown its effect."""

    async def press(pilot: Pilot[None]) -> None:
        await settle(pilot)
        for name in names:
            await pilot.press(name)
            await settle(pilot)

    return press


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_night(snap_compare: Compare, tree: FleetTree, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(CockpitApp(make_ports(tree, theme=theme)), terminal_size=size, run_before=keys("j"))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_blocked_task(snap_compare: Compare, tree: FleetTree, size: tuple[int, int]) -> None:
    assert snap_compare(CockpitApp(make_ports(tree)), terminal_size=size, run_before=keys("n", "n"))


@pytest.mark.parametrize(
    "names",
    [("question_mark",), ("j", "d"), ("j", "x"), ("j", "b"), ("n", "n", "enter"), ("slash", "b", "a", "s", "k")],
    ids=["help", "diff", "kill", "block", "story", "filter"],
)
def test_what_a_key_opens(snap_compare: Compare, tree: FleetTree, names: tuple[str, ...]) -> None:
    assert snap_compare(CockpitApp(make_ports(tree)), terminal_size=(100, 30), run_before=keys(*names))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_fleet_that_is_held_back(snap_compare: Compare, tree: FleetTree, size: tuple[int, int], theme: str) -> None:
    write_state(tree.paths.root, HELD)
    names = ("n", "n", "n", "j", "j")
    assert snap_compare(CockpitApp(make_ports(tree, theme=theme)), terminal_size=size, run_before=keys(*names))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "names",
    [("n", "n", "n", "j", "j", "w"), ("p",), ("P", "j", "j", "j")],
    ids=["why", "plan", "parts"],
)
def test_what_lies_ahead(
    snap_compare: Compare, tree: FleetTree, names: tuple[str, ...], size: tuple[int, int], theme: str
) -> None:
    write_state(tree.paths.root, HELD)
    assert snap_compare(CockpitApp(make_ports(tree, theme=theme)), terminal_size=size, run_before=keys(*names))


def test_an_observer_of_a_frozen_fleet(snap_compare: Compare, tree: FleetTree) -> None:
    write_state(tree.paths.root, FleetState(brakes=Brakes(freezes=(Freeze(),), throttles=(Throttle(),))))
    assert snap_compare(CockpitApp(make_ports(tree, here=False)), terminal_size=(100, 30), run_before=keys("j"))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_run_that_was_stopped(snap_compare: Compare, tree: FleetTree, size: tuple[int, int], theme: str) -> None:
    write_state(tree.paths.root, STOPPED)
    assert snap_compare(CockpitApp(make_ports(tree, theme=theme)), terminal_size=size, run_before=keys("j"))


def test_an_empty_fleet(snap_compare: Compare, tmp_path: Path) -> None:
    tree = FleetTree(tmp_path / "night")
    assert snap_compare(CockpitApp(make_ports(tree)), terminal_size=(80, 24), run_before=keys())


def test_a_terminal_that_is_too_small(snap_compare: Compare, tree: FleetTree) -> None:
    assert snap_compare(CockpitApp(make_ports(tree)), terminal_size=(50, 12), run_before=keys())
