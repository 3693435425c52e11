"""What the keys do, with real keys: requests are files in `control/`; nothing that ends work happens without a yes."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from omni_tui.cockpit.actions import Actions
from omni_tui.cockpit.app import CockpitApp
from omni_tui.cockpit.desk import PATIENCE
from omni_tui.cockpit.keymap import KEYMAP
from omni_tui.cockpit.screens.confirm import ConfirmScreen
from omni_tui.cockpit.screens.main import MainScreen
from omni_tui.cockpit.screens.page import PageScreen
from omni_tui.errors import UsageError
from omni_tui.model.brakes import Brakes, Freeze, Throttle
from omni_tui.model.course import Parked
from omni_tui.model.request import Reply, RequestKind
from omni_tui.model.state import FleetState
from omni_tui.model.task import TaskRef
from omni_tui.plugins.terminal.protocol import Visit
from omni_tui.store import control
from omni_tui.store.state import write_state
from tests.support.cockpit_ahead import HELD
from tests.support.cockpit_pilot import asked, cockpit, opens, select, settle, shows, text_of
from tests.support.cockpit_ports import Clock, MemoryInsight, make_ports
from tests.support.fleet_tree import NOW, STOPPED, FleetTree, demo_tree
from tests.support.waiting import wait_for_async


def test_every_key_has_a_deed_and_no_key_two() -> None:
    keys = [name for key in KEYMAP for name in key.keys]
    assert all(callable(getattr(Actions, key.id)) for key in KEYMAP)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("press", "index"),
    [
        (("j",), 1),
        (("down", "down", "k"), 1),
        (("up",), 0),
        (("G",), 19),
        (("G", "g"), 0),
        (("end", "j"), 19),
        (("n",), 3),
        (("n", "n"), 4),
        (("n", "n", "n", "n"), 3),
    ],
)
async def test_moving_selects(tree: FleetTree, press: tuple[str, ...], index: int) -> None:
    async with cockpit(tree) as (pilot, screen):
        await pilot.press(*press)
        assert screen.table.index == index


async def test_pages_keep_the_selected_task_in_sight(tree: FleetTree) -> None:
    async with cockpit(tree, (80, 24)) as (pilot, screen):
        await pilot.press("pagedown")
        await settle(pilot)
        row = screen.table.selected
        assert row is not None
        assert screen.table.index == screen.table.page
        assert row.title[:10] in text_of(pilot).split("─" * 20)[0]


@pytest.mark.parametrize(
    ("name", "press", "request_"),
    [
        ("shop-14", ("x", "y"), (RequestKind.KILL, "shop/shop-14")),
        ("shop-14", ("x", "right", "enter"), (RequestKind.KILL, "shop/shop-14")),
        ("shop-14", ("b", "y"), (RequestKind.BLOCK, "shop/shop-14")),
        ("shop-16", ("b", "right", "enter"), (RequestKind.BLOCK, "shop/shop-16")),
        ("shop-14", ("r", "y"), (RequestKind.REDISPATCH, "shop/shop-14")),
        ("shop-9", ("r",), (RequestKind.REDISPATCH, "shop/shop-9")),
        ("shop-1", ("r", "y"), (RequestKind.REDISPATCH, "shop/shop-1")),
        ("shop-14", ("f",), (RequestKind.FREEZE, "")),
        ("shop-14", ("t",), (RequestKind.THROTTLE, "")),
    ],
)
async def test_a_key_files_a_request(
    tree: FleetTree, name: str, press: tuple[str, ...], request_: tuple[RequestKind, str]
) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, name)
        await pilot.press(*press)
        await wait_for_async(lambda: asked(tree), "the request")
        assert asked(tree) == [request_]
        [filed] = control.pending(tree.paths.control)
        assert (filed.by, filed.at) == ("cockpit", NOW)


@pytest.mark.parametrize("answer", ["n", "escape", "enter", "q"])
@pytest.mark.parametrize(("name", "key"), [("shop-14", "x"), ("shop-14", "b"), ("shop-14", "r"), ("shop-1", "r")])
async def test_what_ends_work_asks_first_and_no_is_the_default(
    tree: FleetTree, name: str, key: str, answer: str
) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, name)
        await pilot.press(key)
        await opens(pilot, ConfirmScreen)
        await pilot.press(answer)
        await opens(pilot, MainScreen)
        await shows(pilot, "Left as it was.")
        assert asked(tree) == []


async def test_who_blocks_may_say_why(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, "shop-16")
        await pilot.press("b")
        await opens(pilot, ConfirmScreen)
        await pilot.press("w", *"yes", "space", *"not now", "enter", "enter")
        await wait_for_async(lambda: asked(tree), "the request")
        [filed] = control.pending(tree.paths.control)
        assert (filed.kind, filed.task, filed.reason) == (RequestKind.BLOCK, "shop/shop-16", "yes not now")


async def test_an_answer_may_be_clicked(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, "shop-14")
        for choice, said in (("#no", "Left as it was."), ("#yes", "kill shop/shop-14: asked")):
            await pilot.press("x")
            await opens(pilot, ConfirmScreen)
            await pilot.click(choice)
            await shows(pilot, said)
        assert asked(tree) == [(RequestKind.KILL, "shop/shop-14")]


async def test_frozen_and_throttled_turn_the_keys_round(tree: FleetTree) -> None:
    write_state(tree.paths.root, FleetState(brakes=Brakes(freezes=(Freeze(),), throttles=(Throttle(),))))
    async with cockpit(tree, (200, 50)) as (pilot, _):
        shown = text_of(pilot)
        assert "FROZEN" in shown.splitlines()[0]
        assert "THROTTLED" in shown.splitlines()[0]
        assert "f thaw" in shown
        await pilot.press("f", "t")
        await wait_for_async(lambda: len(asked(tree)) == 2, "both requests")
        assert sorted(asked(tree)) == [(RequestKind.THAW, ""), (RequestKind.UNTHROTTLE, "")]


async def test_a_stopped_run_is_the_first_thing_to_see_and_the_freeze_key_goes_on(tree: FleetTree) -> None:
    write_state(tree.paths.root, STOPPED)
    async with cockpit(tree, (80, 24)) as (pilot, _):
        head, first, *_ = text_of(pilot).splitlines()
        assert " STOPPED " in head
        assert first.startswith(" stopped f goes on · 8 attempts failed in a row")
        await pilot.press("f")
        await wait_for_async(lambda: asked(tree), "the request")
        assert asked(tree) == [(RequestKind.THAW, "")]


async def test_what_is_paused_or_parked_until_it_is_mended_goes_on_by_a_key(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, _):
        await pilot.press("c")
        await shows(pilot, "Nothing waits for a person to mend it.")
        write_state(tree.paths.root, msgspec.structs.replace(STOPPED, stopped=""))
        await shows(pilot, "held c goes on · codex parked: it does not accept our login")
        await shows(pilot, "held c goes on · shop: test_total failed in shop-9, shop-11, shop-12")
        await pilot.press("c")
        await wait_for_async(lambda: asked(tree), "the request")
        assert asked(tree) == [(RequestKind.THAW, "")]


async def test_undo_brings_work_back_and_says_where_it_is(tree: FleetTree) -> None:
    insight = MemoryInsight()
    async with cockpit(tree, insight=insight) as (pilot, screen):
        select(screen, "shop-14")
        await pilot.press("u")
        await shows(pilot, "shop-14 still runs: kill it first.")
        select(screen, "shop-9")
        await pilot.press("u")
        await opens(pilot, PageScreen)
        assert "go on: git -C /home/you/shop switch omni/rescued/shop-9/2" in text_of(pilot)
        await pilot.press("escape")
        insight.error = UsageError("attempt 2 left no work")
        await pilot.press("u")
        await shows(pilot, "attempt 2 left no work")


async def test_a_parked_provider_counts_down(tree: FleetTree) -> None:
    write_state(tree.paths.root, STOPPED)
    clock = Clock()
    async with cockpit(tree, clock=clock) as (pilot, _):
        assert "held · claude parked 1h 12m: its usage limit is reached" in text_of(pilot)
        clock.at += 300
        await shows(pilot, "claude parked 1h 07m: its usage limit is reached")


async def test_what_has_to_be_mended_is_not_among_what_is_only_counted(tree: FleetTree) -> None:
    dead = Parked(reason="it does not accept our login", at=NOW, until=None)
    write_state(tree.paths.root, msgspec.structs.replace(HELD, parked=HELD.parked | {"zeta": dead}))
    async with cockpit(tree, (80, 24)) as (pilot, _):
        shown = text_of(pilot)
        assert (
            shown.index("held c goes on · zeta parked")
            < shown.index("limit · 4 of 6")
            < shown.index("held P shows all")
        )


async def test_more_than_fits_is_counted(tree: FleetTree) -> None:
    write_state(tree.paths.root, FleetState(pauses=tuple(f"shop: test_{number} failed" for number in range(9))))
    async with cockpit(tree, (80, 24)) as (pilot, _):
        shown = text_of(pilot)
        assert shown.count("held") == 3
        assert "held P shows all · 7 more" in shown


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("shop-9", "x", "shop-9 is not running."),
        ("shop-9", "a", "shop-9 is not running."),
        ("shop-16", "r", "shop-16 is waiting already."),
        ("shop-9", "b", "shop-9 is blocked: only what runs or waits can be blocked."),
        ("shop-1", "b", "shop-1 is landed: only what runs or waits can be blocked."),
        ("shop-16", "d", "shop-16 has not been started yet."),
        ("shop-16", "escape", "No filter is set."),
    ],
)
async def test_a_key_that_is_off_says_why_and_does_nothing(tree: FleetTree, name: str, key: str, why: str) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, name)
        await pilot.press(key)
        await shows(pilot, why)
        assert asked(tree) == []


async def test_without_a_dispatcher_nothing_is_asked_of_it(tmp_path: Path) -> None:
    tree = demo_tree(tmp_path / "night")
    async with cockpit(tree) as (pilot, _):
        assert "nobody dispatches" in text_of(pilot)
        await pilot.press("f", "x", "r")
        await shows(pilot, "start `omni-tui` on it first")
        assert asked(tree) == []


async def test_the_answer_is_shown_when_it_comes(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, _):
        await pilot.press("f")
        await shows(pilot, "freeze: asked")

        control.reply(tree.paths.control, Reply(id="r1", ok=True, message="nothing new starts"))

        await shows(pilot, "freeze: done. nothing new starts")


async def test_a_wish_that_nobody_answers_is_said_to_be_open(tree: FleetTree) -> None:
    clock = Clock()
    async with cockpit(tree, clock=clock) as (pilot, _):
        await pilot.press("t")
        clock.at += PATIENCE + 1
        await shows(pilot, "throttle: no answer yet")


async def test_a_filter_leaves_what_holds_all_its_words(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        await pilot.press("slash", *"basket", "space", *"blocked", "enter")
        assert [row.ref.id for row in screen.table.rows] == ["shop-9"]
        assert screen.table.has_focus
        await pilot.press("escape")
        assert len(screen.table.rows) == 20


async def test_a_filter_that_nothing_matches_says_so(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, "shop-16")
        await shows(pilot, "priority")
        await pilot.press("slash", *"zebra")
        await shows(pilot, "Nothing matches 'zebra'; Esc shows all.")
        assert "priority" not in text_of(pilot), "nothing is told of a task that is not shown"


async def test_next_that_needs_me_lifts_a_filter_that_hides_it(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        await pilot.press("slash", *"landed", "enter", "n")
        selected = screen.table.selected
        assert selected is not None
        assert selected.ref.id == "docs-3"


async def test_diff_details_and_help_open_and_close(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        select(screen, "shop-9")
        for key, word in (("d", "GatewayTimeout"), ("enter", "What was tried"), ("question_mark", "throttle")):
            await pilot.press(key)
            await shows(pilot, word)
            await opens(pilot, PageScreen)
            await pilot.press("q")
            await opens(pilot, MainScreen)


async def test_the_story_tells_what_is_found_in_a_waiting_text(tree: FleetTree) -> None:
    async with cockpit(tree, remarks=("warn endless: line 9: `more tests` has no end",)) as (pilot, screen):
        select(screen, "shop-9")
        await pilot.press("enter")
        await shows(pilot, "As it is written")
        await shows(pilot, "line 9: `more tests` has no end")


async def test_an_error_of_the_diff_is_said(tree: FleetTree) -> None:
    insight = MemoryInsight()
    async with cockpit(tree, insight=insight) as (pilot, _):
        insight.error = UsageError("the branch has gone", fix="look at the rescue ref")
        await pilot.press("d")
        await shows(pilot, "the branch has gone (look at the rescue ref)")


async def test_attach_runs_the_visit_and_comes_back(tree: FleetTree, monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[Visit] = []

    def go(visit: Visit) -> int:
        visits.append(visit)
        return 0

    ports = msgspec.structs.replace(make_ports(tree), go=go)
    app = CockpitApp(ports)
    monkeypatch.setattr(app, "suspend", nullcontext)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await settle(pilot)
        select(screen, "shop-14")
        await pilot.press("a")
        await pilot.pause()
        assert [visit.argv for visit in visits] == [("true", str(TaskRef("shop", "shop-14")))]
        assert "Back from shop-14." in text_of(pilot)


async def test_quit_says_that_agents_keep_running(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        assert screen.farewell() == "4 agents keep running. `omni-tui` brings the cockpit back."
        await pilot.press("q")
    assert not pilot.app.is_running
    assert asked(tree) == []


async def test_tab_gives_the_keys_to_the_other_pane_and_back(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        await pilot.press("tab")
        assert screen.focused is screen.query_one("#live")
        await pilot.press("j")
        assert screen.table.index == 0
        await pilot.press("tab")
        assert screen.table.has_focus


async def test_the_mouse_selects_opens_and_presses_keys(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, screen):
        await pilot.click("#table", offset=(10, 3))
        assert screen.table.index == 2
        await pilot.click("#table", offset=(10, 3), times=2)
        await opens(pilot, PageScreen)
        await pilot.press("escape")
        bar = text_of(pilot).splitlines()[-1]
        await pilot.click("KeyBar", offset=(bar.index("? help"), 0))
        await opens(pilot, PageScreen)
