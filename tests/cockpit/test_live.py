"""The cockpit follows the files by itself and shows the selected agent; nothing that others wrote harms it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.strip import Strip

from omni_tui.cockpit.app import CockpitApp
from omni_tui.cockpit.screens.main import STEP_SECONDS
from omni_tui.cockpit.widgets.live import LiveScreen
from omni_tui.cockpit.widgets.task_table import TaskTable
from omni_tui.config import load_settings
from omni_tui.errors import RuntimeFailedError
from omni_tui.model.attempt import Phase
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.signal import Health
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.store.state import write_state
from tests.support.cockpit_pilot import settle, text_of
from tests.support.cockpit_ports import Clock, MemoryInsight, make_ports
from tests.support.fleet_tree import FleetTree, hold_lease, large_tree
from tests.support.waiting import wait_for_async

SIZE = (120, 40)
HOSTILE = "[@click=app.quit]x[/] [type=x, v={'a[0]'}] \x1b]52;c;aGk=\x07\x9b31m\u202eabc"


async def test_what_happens_in_the_tree_shows_up_by_itself(tree: FleetTree) -> None:
    app = CockpitApp(make_ports(tree))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)

        tree.task(Task(workspace="shop", id="shop-99", title="Dropped in by hand", priority=9), Status.TODO)
        await wait_for_async(lambda: "Dropped in by hand" in text_of(pilot), "a new task")

        ref = TaskRef("shop", "shop-99")
        tree.run(ref, 1, Phase.PREPARE, agent="lin")
        tree.move(ref, Status.DOING)
        await wait_for_async(lambda: "5 running" in text_of(pilot), "its start")

        tree.run(ref, 1, Phase.WATCH, agent="lin", health=Health.WAITING, detail="May I push?")
        await wait_for_async(lambda: "May I push?" in text_of(pilot), "its question")

        tree.move(ref, Status.BLOCKED, note="It pushed to main")
        await wait_for_async(lambda: "It pushed to main" in text_of(pilot), "its end")

        write_state(tree.paths.root, FleetState(brakes=Brakes(freezes=(Freeze(),))))
        await wait_for_async(lambda: "FROZEN" in text_of(pilot), "the freeze")

        assert "no sandbox" not in text_of(pilot)
        write_state(tree.paths.root, FleetState(unguarded=True))
        await wait_for_async(lambda: "no sandbox" in text_of(pilot).splitlines()[0], "that nothing keeps agents in")
        assert screen.table.selected is not None
        assert screen.table.selected.ref.id == "shop-12"


async def test_the_selected_task_stays_selected_when_it_moves(tree: FleetTree) -> None:
    app = CockpitApp(make_ports(tree))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)
        screen.table.select(6)
        tree.move(TaskRef("shop", "shop-16"), Status.DONE)
        await wait_for_async(lambda: "6 landed" in text_of(pilot), "the landing")
        assert screen.table.selected is not None
        assert screen.table.selected.ref.id == "shop-16"


async def test_an_owner_that_dies_is_missed_though_no_file_changes(tmp_path: Path) -> None:
    tree = FleetTree(tmp_path / "night", "shop")
    lease = hold_lease(tree)
    app = CockpitApp(make_ports(tree, here=False))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "pid 4242 on nightbox" in text_of(pilot)
        lease.close()
        await wait_for_async(lambda: "nobody dispatches" in text_of(pilot), "the owner's end")


async def test_the_agents_screen_is_asked_for_only_while_a_running_task_is_selected(tree: FleetTree) -> None:
    insight = MemoryInsight()
    app = CockpitApp(make_ports(tree, insight=insight))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)
        assert set(insight.asked) == {TaskRef("shop", "shop-12")}

        insight.lines = ("another \x1b[32mscreen\x1b[0m",)
        await wait_for_async(lambda: "another screen" in text_of(pilot), "what the agent shows now")

        screen.table.select(4)
        await settle(pilot)
        asked = len(insight.asked)
        await asyncio.sleep(1.2)  # longer than any look would wait
        assert len(insight.asked) == asked


async def test_a_still_screen_is_looked_at_every_two_seconds(tree: FleetTree) -> None:
    insight = MemoryInsight()
    app = CockpitApp(make_ports(tree, insight=insight))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        before = len(insight.asked)
        await asyncio.sleep(2.5)  # the rate is what is measured
        assert len(insight.asked) - before <= 2


async def test_a_source_that_fails_or_hangs_is_said_and_asked_again(
    tree: FleetTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_tui.cockpit.widgets.live.LOOK_SECONDS", 0.05)
    insight = MemoryInsight()
    insight.error = RuntimeFailedError("the tmux server is gone")
    app = CockpitApp(make_ports(tree, insight=insight))
    async with app.run_test(size=SIZE) as pilot:
        await wait_for_async(lambda: "the tmux server is gone" in text_of(pilot), "the trouble")
        insight.error = None
        await wait_for_async(lambda: "the tmux server is gone" not in text_of(pilot), "its end")
        await pilot.press("j")  # keys are taken all the while
        assert "GatewayTimeout" in text_of(pilot) or await settle(pilot)


async def test_what_others_wrote_is_neither_markup_nor_escapes(tree: FleetTree) -> None:
    ref = TaskRef("shop", "evil-1")
    folder = tree.paths.workspace("shop").queue(Status.BLOCKED)
    (folder / "evil-1.md").write_text(f"# {HOSTILE}\n\n{HOSTILE}\n", encoding="utf-8")
    (folder / "evil-1.note.md").write_text(HOSTILE, encoding="utf-8")
    tree.run(ref, 1, Phase.WATCH, agent=HOSTILE, reason=HOSTILE, detail=HOSTILE)
    insight = MemoryInsight()
    insight.patch = f"+{HOSTILE}"
    app = CockpitApp(make_ports(tree, insight=insight))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)
        screen.table.select([row.ref.id for row in screen.table.rows].index(ref.id))
        await settle(pilot)
        for key in (None, "enter", "d"):
            if key:
                await pilot.press(key)
                await pilot.pause()
            shown = text_of(pilot)
            assert "[@click=app.quit]x[/]" in shown
            assert not any(sign in shown for sign in "\x1b\x07\x9b\u202e")
            if key:
                await pilot.press("escape")


async def test_ages_move_together_in_steps_and_draw_only_their_lines(
    tree: FleetTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    app = CockpitApp(make_ports(tree, clock=clock))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)
        drawn: list[int] = []
        really = screen.table.render_line

        def counted(y: int) -> Strip:
            drawn.append(y)
            return really(y)

        monkeypatch.setattr(screen.table, "render_line", counted)
        clock.at += STEP_SECONDS - 0.1
        screen.tick()
        await pilot.pause()
        assert drawn == [], "a frame a second would cost more than all the rest of an idle fleet"

        clock.at += 0.1
        await wait_for_async(lambda: len(drawn) >= 3, "the ages")
        await pilot.pause()
        assert set(drawn) == {1, 2, 3}, "the three signals that are younger than a minute"


async def test_changed_settings_are_taken_over_and_bad_ones_left_aside(tree: FleetTree) -> None:
    config, insight = tree.paths.config, MemoryInsight()

    def write(text: str) -> None:
        config.with_name("new").write_text(text)
        config.with_name("new").rename(config)

    write('[cockpit]\ntheme = "dark"\nscreen_hz = 0.2\n')
    app = CockpitApp(make_ports(tree, insight=insight, settings=lambda: load_settings(config).cockpit))
    async with app.run_test(size=SIZE) as pilot:
        screen = await settle(pilot)
        ground = screen.table.rich_style.bgcolor

        write('[cockpit]\ntheme = "light"\nscreen_hz = 20\n')
        await wait_for_async(lambda: app.theme == "omni-light", "the theme")
        await wait_for_async(lambda: screen.table.rich_style.bgcolor != ground, "its colours")
        insight.lines = ("another screen",)
        await wait_for_async(lambda: "another screen" in text_of(pilot), "a look")
        looked = len(insight.asked)
        await wait_for_async(lambda: len(insight.asked) > looked, "the next look", seconds=4)

        write('[cockpit]\ntheme = "dark"\ncolour = "red"\n')
        await wait_for_async(lambda: "The last good settings stay in force" in text_of(pilot), "why not")
        assert app.theme == "omni-light"


async def test_ten_thousand_tasks_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = large_tree(tmp_path / "fleet", 10_000)
    app = CockpitApp(make_ports(tree))
    async with app.run_test(size=SIZE) as pilot:
        screen = await wait_for_async(lambda: next(iter(app.screen.query(TaskTable)), None), "the screen", 30)
        await wait_for_async(lambda: len(screen.rows) == 10_000, "all tasks", 60)
        await settle(pilot)
        drawn: list[int] = []
        really = screen.render_line

        def counted(y: int) -> Strip:
            drawn.append(y)
            return really(y)

        monkeypatch.setattr(screen, "render_line", counted)
        await pilot.press("j")
        await pilot.pause()
        assert set(drawn) == {1, 2}
        await pilot.press("G")
        await pilot.pause()
        assert screen.index == 9_999
        assert len(drawn) < 4 * SIZE[1]


async def test_an_empty_fleet_says_how_to_begin(tmp_path: Path) -> None:
    app = CockpitApp(make_ports(FleetTree(tmp_path / "new")))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "omni-tui workspace add NAME --repo PATH" in text_of(pilot)
        assert "omni-tui add NAME" in text_of(pilot)
        assert app.screen.query_one(LiveScreen).virtual_size.height == 0


@pytest.mark.parametrize("width", [80, 100, 200])
async def test_what_needs_a_person_takes_two_lines_at_most(tree: FleetTree, width: int) -> None:
    reason = "a reason that goes on and on, " * 20
    tree.run(TaskRef("docs", "docs-3"), 2, Phase.WATCH, agent="grace", health=Health.WAITING, detail=reason)
    app = CockpitApp(make_ports(tree))
    async with app.run_test(size=(width, 30)) as pilot:
        await settle(pilot)
        head, first, second, columns = text_of(pilot).splitlines()[:4]
        assert "running" in head
        assert first.startswith(" ? 3 need you, first docs-3")
        assert second.endswith("…")
        assert "STATE" in columns


async def test_a_small_terminal_says_how_much_it_needs_and_recovers(tree: FleetTree) -> None:
    app = CockpitApp(make_ports(tree))
    async with app.run_test(size=(59, 14)) as pilot:
        await settle(pilot)
        assert "59×14 is too small" in text_of(pilot)
        assert "60×15" in text_of(pilot)
        await pilot.resize_terminal(60, 15)
        await wait_for_async(lambda: "running" in text_of(pilot), "the table")
