"""Why a task waits, the plan, and fleet, workspaces and providers: with real keys, kept up to date, told in words."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.cockpit.partkeys import PART_KEYMAP, PartSituation
from omni_tui.cockpit.parts import parts
from omni_tui.cockpit.planpage import tell_plan
from omni_tui.cockpit.ports import Ahead
from omni_tui.cockpit.screens.main import MainScreen
from omni_tui.cockpit.screens.parts import PartsScreen
from omni_tui.cockpit.screens.plan import PlanScreen
from omni_tui.cockpit.screens.watching import LOOK_SECONDS
from omni_tui.cockpit.screens.why import WhyScreen
from omni_tui.cockpit.widgets.header import alarms
from omni_tui.errors import OmniError
from omni_tui.model.brakes import FLEET, Brakes, Freeze, Scope, Throttle
from omni_tui.model.effective import Bound, Effective
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.provider import Standing
from omni_tui.model.request import Reply, RequestKind
from omni_tui.model.state import FleetState, PublishedHold
from omni_tui.model.task import Task, TaskRef
from omni_tui.model.view import FleetView
from omni_tui.planning import Outlook
from omni_tui.policy.waves import Placed
from omni_tui.store import control
from omni_tui.store.state import write_state
from tests.support.cockpit_ahead import AHEAD, HELD, STANDINGS
from tests.support.cockpit_pilot import cockpit, opens, select, settle, shows, text_of
from tests.support.cockpit_ports import Clock, MemoryForesight
from tests.support.fleet_tree import NOW, STOPPED, FleetTree
from tests.support.waiting import wait_for_async

SIZES = ((80, 24), (100, 30), (200, 50))


# -- why ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_why_tells_reason_remedy_end_and_who_is_next(tree: FleetTree, size: tuple[int, int]) -> None:
    write_state(tree.paths.root, HELD)
    clock = Clock()
    async with cockpit(tree, size, clock=clock) as (pilot, screen):
        select(screen, "shop-17")
        await pilot.press("w")
        await opens(pilot, WhyScreen)
        await shows(pilot, "Lifted by itself, once one attempt or preflight was served")
        shown = text_of(pilot)
        assert "claude: its usage limit is reached" in shown
        assert "Ends 23:25, in 1h 12m" in shown
        assert "1  shop/shop-18  Name the currency in every price" in shown
        assert "and 2 more" in shown
        clock.at += 600
        await shows(pilot, "Ends 23:25, in 1h 02m")
        await pilot.press("w")
        await opens(pilot, MainScreen)


async def test_why_follows_the_fleet_and_names_the_own_place_in_line(tree: FleetTree) -> None:
    write_state(tree.paths.root, HELD)
    clock = Clock()
    async with cockpit(tree, clock=clock) as (pilot, screen):
        select(screen, "shop-24")
        await pilot.press("w")
        await shows(pilot, "7  shop/shop-24")
        hold = PublishedHold(kind="slots", message="all 6 slots are taken", remedy="once a task ends")
        write_state(tree.paths.root, msgspec.structs.replace(HELD, holds={"shop/shop-24": hold}, line=()))
        clock.at += LOOK_SECONDS
        await shows(pilot, "all 6 slots are taken")
        await shows(pilot, "Next in line is nobody")


async def test_why_is_for_what_waits_and_says_what_went_wrong(tree: FleetTree) -> None:
    foresight = MemoryForesight()
    foresight.error = OmniError("config.toml: line 3: unknown key")
    async with cockpit(tree, foresight=foresight) as (pilot, screen):
        select(screen, "shop-14")
        await pilot.press("w")
        await shows(pilot, "shop-14 is running: only what waits is held.")
        select(screen, "shop-18")
        await pilot.press("w")
        await shows(pilot, "unknown key")


async def test_the_pane_of_a_waiting_task_counts_down(tree: FleetTree) -> None:
    write_state(tree.paths.root, HELD)
    clock = Clock()
    async with cockpit(tree, (80, 24), clock=clock) as (pilot, screen):
        select(screen, "shop-17")
        await shows(pilot, "ends 23:25, in 1h 12m · lifted by itself")
        clock.at += 4301
        await shows(pilot, "ends 23:25, any moment")


# -- the plan ----------------------------------------------------------------------------------------------------------


async def test_the_plan_shows_waves_ties_and_flags(tree: FleetTree) -> None:
    async with cockpit(tree, (100, 30)) as (pilot, _):
        await pilot.press("p")
        await opens(pilot, PlanScreen)
        await shows(pilot, "wave 1 · 4 tasks side by side")
        shown = text_of(pilot)
        assert "after shop-17, which touches accounts/models.py too: its text names it" in shown
        assert "cannot start: shop/shop-9 blocked or not there" in shown
        assert "nothing tells what it will touch" in shown
        assert "snapshot_read is off · kari flips it" in shown
        assert "holds shop-21, shop-22" in shown
        assert "passkeys is not in flags.toml" in shown


async def test_what_keeps_a_plan_from_being_told_is_told(tree: FleetTree) -> None:
    foresight = MemoryForesight()
    foresight.ahead = (Ahead(workspace="shop", outlook=None, trouble="tasks depend on each other: a → b → a"),)
    async with cockpit(tree, foresight=foresight) as (pilot, _):
        await pilot.press("p")
        await shows(pilot, "tasks depend on each other: a → b → a")
        await pilot.press("escape")
        foresight.error = OmniError("the fleet has gone")
        await pilot.press("p")
        await shows(pilot, "the fleet has gone")


def test_a_frozen_plan_shows_only_what_is_left_of_it_and_what_it_gets_wrong() -> None:
    task = Task(workspace="shop", id="b", title="B")
    outlook = Outlook(
        workspace="shop",
        placed=[Placed(task=task, wave=1)],
        points={},
        frozen=FrozenPlan(waves=(("a",), ("b",))),
        unplanned=(),
        flags={},
        refused={task.ref: "lint refuses it: no tests"},
        strange=("typo",),
        elsewhere={task.ref: (TaskRef("docs", "x"),)},
        unserved={task.ref: "there is no agent `wrker`"},
    )
    told = tell_plan((Ahead(workspace="shop", outlook=outlook),), FleetView(root="/f", taken_at=NOW))
    shown = "\n".join("".join(words for words, _ in paragraph) for paragraph in told)
    assert "1 task in 1 wave" in shown
    assert "wave 2 · 1 task" in shown
    assert "wave 1" not in shown.replace("in 1 wave", "")
    assert "named in the frozen plan, but no task here: typo" in shown
    assert "cannot start: there is no agent `wrker`" in shown
    assert "lint refuses it: no tests" in shown
    assert "after docs/x" in shown


def test_a_frozen_wave_does_not_say_that_what_depends_on_another_of_it_runs_beside_it() -> None:
    first, second = (Task(workspace="shop", id=name, title=name) for name in "ab")
    outlook = Outlook(
        workspace="shop",
        placed=[Placed(task=first, wave=0), Placed(task=second, wave=0, needs=(first.ref,))],
        points={},
        frozen=FrozenPlan(waves=(("a", "b"), ("a",))),
        unplanned=(),
        flags={},
        refused={},
        repeated=("a",),
    )
    told = tell_plan((Ahead(workspace="shop", outlook=outlook),), FleetView(root="/f", taken_at=NOW))
    shown = "\n".join("".join(words for words, _ in paragraph) for paragraph in told)
    assert "wave 1 · 2 tasks, b after others of them" in shown
    assert "named in the frozen plan more than once, the first counts: a" in shown


def test_a_fleet_without_projects_says_how_one_is_made() -> None:
    [[(words, _)]] = tell_plan((), FleetView(root="/f", taken_at=NOW))
    assert "omni-tui workspace add" in words
    assert len(list(tell_plan(AHEAD, FleetView(root="/f", taken_at=NOW)))) > len(AHEAD)


# -- fleet, workspaces and providers -----------------------------------------------------------------------------------

DOCS, SHOP, SONNET = Scope(workspace="docs"), Scope(workspace="shop"), Scope(provider="sonnet")


@pytest.mark.parametrize(
    ("press", "kind", "scope", "given"),
    [
        (("f",), RequestKind.FREEZE, FLEET, {}),
        (("j", "f"), RequestKind.THAW, DOCS, {}),
        (("j", "H"), RequestKind.FREEZE, DOCS, {"hard": True}),
        (("j", "j", "f"), RequestKind.FREEZE, SHOP, {}),
        (("j", "j", "k", "j", "3"), RequestKind.THROTTLE, SHOP, {"most": 3}),
        (("3",), RequestKind.THROTTLE, FLEET, {"most": 3}),
        (("j", "j", "j", "j", "j", "j", "9"), RequestKind.THROTTLE, SONNET, {"most": 9}),
        (("j", "j", "j", "j", "j", "j", "j", "0"), RequestKind.UNTHROTTLE, SONNET, {}),
        (("j", "j", "j", "H"), RequestKind.FREEZE, Scope(provider="claude"), {"hard": True}),
        (("j", "j", "j", "p"), RequestKind.CHECK, FLEET, {"provider": "claude"}),
    ],
)
async def test_a_key_brakes_or_tries_the_selected_part(
    tree: FleetTree, press: tuple[str, ...], kind: RequestKind, scope: Scope, given: dict[str, object]
) -> None:
    write_state(tree.paths.root, HELD)
    async with cockpit(tree) as (pilot, _):
        await pilot.press("P")
        await opens(pilot, PartsScreen)
        await shows(pilot, "codex")
        await pilot.press(*press)
        await shows(pilot, f"{kind}")
        [filed] = control.pending(tree.paths.control)
        assert (filed.kind, filed.scope, filed.by) == (kind, scope, "cockpit")
        assert {name: getattr(filed, name) for name in given} == given
        control.reply(tree.paths.control, Reply(id=filed.id, ok=True, message="as you wish"))
        await shows(pilot, "done. as you wish")


async def test_the_selection_stays_with_its_part_when_another_comes_before_it(tree: FleetTree) -> None:
    foresight, clock = MemoryForesight(), Clock()
    foresight.providers = {"codex": Standing(name="codex")}
    async with cockpit(tree, foresight=foresight, clock=clock) as (pilot, _):
        await pilot.press("P")
        await shows(pilot, "codex")
        await pilot.press("j", "j", "j")
        await shows(pilot, "› provider  codex")
        foresight.providers = {"claude": Standing(name="claude"), "codex": Standing(name="codex")}
        write_state(tree.paths.root, FleetState(message="another one"))
        clock.at += LOOK_SECONDS
        await shows(pilot, "claude")
        await pilot.press("f")
        await shows(pilot, ": asked")
        [filed] = control.pending(tree.paths.control)
        assert filed.scope == Scope(provider="codex")


async def test_a_stopped_fleet_goes_on_from_there_too(tree: FleetTree) -> None:
    write_state(tree.paths.root, STOPPED)
    async with cockpit(tree) as (pilot, _):
        await pilot.press("P")
        await shows(pilot, "✗ stopped")
        await pilot.press("f")
        await shows(pilot, "thaw: asked")
        [filed] = control.pending(tree.paths.control)
        assert (filed.kind, filed.scope) == (RequestKind.THAW, FLEET)


async def test_health_is_seen_at_a_glance_and_follows_the_fleet(tree: FleetTree) -> None:
    write_state(tree.paths.root, HELD)
    foresight, clock = MemoryForesight(), Clock()
    async with cockpit(tree, (80, 24), foresight=foresight, clock=clock) as (pilot, screen):
        await pilot.press("P")
        await shows(pilot, "~ parked 1h 12m")
        lines = {line.split()[1]: line for line in text_of(pilot).splitlines() if line.strip()[:9] == "provider "}
        assert "✗ parked" in lines["codex"]
        assert "set to 4" in lines["local"]
        assert "! at most 2" in lines["sonnet"]
        clock.at += 600
        await shows(pilot, "~ parked 1h 02m")
        before = foresight.asked
        foresight.providers = {"claude": Standing(name="claude", slots=2, of=2)}
        write_state(tree.paths.root, FleetState(message="the limit is over"))
        await wait_for_async(lambda: foresight.asked == before + 1, "another look at the providers")
        await shows(pilot, "claude       ✓ serves")
        write_state(tree.paths.root, FleetState(message="and again"))
        await wait_for_async(lambda: screen.view.message == "and again", "the next view")
        assert foresight.asked == before + 1, "not at each change: a look reads the whole night"
        await pilot.press("P")
        await opens(pilot, MainScreen)


@pytest.mark.parametrize(
    ("press", "why_not"),
    [
        (("0",), "the fleet is not throttled."),
        (("p",), "Only a provider can be tried."),
        (("j", "H"), "The agents of the workspace docs are suspended already"),
    ],
)
async def test_a_key_that_is_off_says_why(tree: FleetTree, press: tuple[str, ...], why_not: str) -> None:
    write_state(tree.paths.root, FleetState(brakes=Brakes(freezes=(Freeze(scope=DOCS, hard=True),))))
    async with cockpit(tree) as (pilot, _):
        await pilot.press("P")
        await shows(pilot, "workspace docs")
        await pilot.press(*press)
        await shows(pilot, why_not)
        assert control.pending(tree.paths.control) == []


async def test_the_mouse_selects_a_part(tree: FleetTree) -> None:
    async with cockpit(tree) as (pilot, _):
        await pilot.press("P")
        await shows(pilot, "sonnet")
        await pilot.click("#parts", offset=(10, 5))
        await shows(pilot, "codex")
        await shows(pilot, "› provider  codex")


def test_every_key_of_the_parts_has_a_deed_and_a_reason_without_a_dispatcher() -> None:
    nobody = PartSituation(view=FleetView(root="/f", taken_at=NOW), part=None)
    changes = [key for key in PART_KEYMAP if key.id not in {"up", "down", "quit"}]
    assert all("start `omni-tui`" in key.why_not(nobody) for key in changes)
    names = [name for key in PART_KEYMAP for name in key.keys]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("standing", "state", "why"),
    [
        pytest.param(Standing(name="x"), "✓ serves", "", id="closed"),
        pytest.param(Standing(name="x", state="half-open", reason="429"), "~ half-open", "429", id="half-open"),
        pytest.param(Standing(name="x", state="open", reason="401"), "✗ parked", "401", id="until mended"),
        pytest.param(
            Standing(name="x", state="open", reason="429", until=NOW + 90), "~ parked 2m", "429", id="for a time"
        ),
        pytest.param(Standing(name="x", spent="its budget is spent"), "✗ spent", "its budget is spent", id="spent"),
        pytest.param(
            Standing(name="x", unproven=True), "◌ untried", "a preflight tries it before the first task", id="untried"
        ),
        pytest.param(
            Standing(name="x", unproven=True, used=2),
            "✓ serves",
            "a preflight tries it before the next task",
            id="serves agents from before a restart",
        ),
        pytest.param(Standing(name="x", share=0.5), "✓ serves", "50% of its budget", id="half spent"),
        pytest.param(Standing(name="x", slots=1, of=4, rejected=0.6), "✓ serves", "the gate rejects 60%", id="lowered"),
    ],
)
def test_how_a_provider_stands(standing: Standing, state: str, why: str) -> None:
    (_, part) = parts(FleetView(root="/f", taken_at=NOW), (), {"x": standing}, NOW)
    assert part.state == state
    assert why in part.why


@pytest.mark.parametrize(
    ("brakes", "states"),
    [
        pytest.param(Brakes(freezes=(Freeze(),)), ("! frozen", "✓ open", "✗ parked"), id="the fleet"),
        pytest.param(Brakes(freezes=(Freeze(scope=SHOP, hard=True),)), ("✓ open", "! frozen hard", "✗ parked"), id="w"),
        pytest.param(
            Brakes(freezes=(Freeze(scope=Scope(provider="codex")),)), ("✓ open", "✓ open", "! frozen"), id="p"
        ),
        pytest.param(
            Brakes(throttles=(Throttle(most=2), Throttle(scope=Scope(provider="codex")))),
            ("! at most 2", "✓ open", "✗ parked"),
            id="trouble shows before a throttle",
        ),
    ],
)
def test_how_a_brake_shows(brakes: Brakes, states: tuple[str, ...]) -> None:
    found = parts(FleetView(root="/f", taken_at=NOW, brakes=brakes), ("shop",), {"codex": STANDINGS["codex"]}, NOW)
    assert tuple(part.state for part in found) == states


def test_what_has_gone_stays_in_the_list_while_it_is_braked() -> None:
    gone = Brakes((Freeze(scope=DOCS),), (Throttle(scope=SONNET),))
    found = parts(FleetView(root="/f", taken_at=NOW, brakes=gone), ("shop",), {}, NOW)
    assert [part.scope for part in found] == [FLEET, SHOP, DOCS, SONNET]
    assert [part.scope for part in parts(FleetView(root="/f", taken_at=NOW), ("shop",), {}, NOW)] == [FLEET, SHOP]


# -- the main screen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_the_limit_and_what_binds_it_are_always_in_sight(tree: FleetTree, size: tuple[int, int]) -> None:
    write_state(tree.paths.root, HELD)
    async with cockpit(tree, size) as (pilot, _):
        head, first, *rest = text_of(pilot).splitlines()
        assert "▸ 4 of 4 running · load" in head
        assert "FROZEN docs +1" in head
        assert first.startswith(" ? 3 need you, first docs-3"), "what needs a person comes before what is held"
        assert any("limit · 4 of 6 at once · load: memory: 6 % is free" in line for line in rest)
        assert any("frozen P thaws · the workspace docs: the audit" in line for line in rest)


@pytest.mark.parametrize(
    ("brakes", "words"),
    [
        pytest.param(Brakes(), "", id="none"),
        pytest.param(Brakes((Freeze(),), (Throttle(),)), " FROZEN  THROTTLED ", id="the fleet"),
        pytest.param(Brakes((Freeze(hard=True),), (Throttle(most=3),)), " FROZEN hard  THROTTLED 3 ", id="how"),
        pytest.param(Brakes((Freeze(scope=SHOP),), ()), " FROZEN shop ", id="a part"),
        pytest.param(Brakes((Freeze(scope=SHOP),), (Throttle(scope=SONNET),)), " FROZEN shop +1 ", id="two parts"),
        pytest.param(Brakes((Freeze(), Freeze(scope=SHOP)), ()), " FROZEN +1 ", id="fleet and part"),
    ],
)
def test_brakes_of_the_fleet_come_first_and_parts_are_counted(brakes: Brakes, words: str) -> None:
    found = alarms(FleetView(root="/f", taken_at=NOW, brakes=brakes))
    assert "".join(f" {word} " for word in found) == words


async def test_a_throttle_that_is_a_guess_is_told_with_the_file_that_says_it(tree: FleetTree) -> None:
    throttle = Throttle(by="the file control/throttle", doubt="where `zwei` is no number from 1 to 64")
    write_state(tree.paths.root, FleetState(files=Brakes(throttles=(throttle,))))
    async with cockpit(tree, (140, 24)) as (pilot, _):
        assert "by the file control/throttle, where `zwei` is no number from 1 to 64" in text_of(pilot)


@pytest.mark.parametrize("bound", Bound)
async def test_each_bound_is_named(tree: FleetTree, bound: Bound) -> None:
    limit = Effective(slots=2, of=4, bound=bound, reason="because of it")
    write_state(tree.paths.root, FleetState(effective=limit))
    async with cockpit(tree, (80, 24)) as (pilot, screen):
        head = text_of(pilot).splitlines()[0]
        assert "▸ 4 of 2 running" in head
        assert (f"running · {bound}" in head) is limit.lowered
        write_state(tree.paths.root, FleetState())
        await shows(pilot, "▸ 4 running")
        assert screen.view.effective is None
        await settle(pilot)
