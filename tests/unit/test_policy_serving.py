"""How providers stand, who serves a task, and who is chosen."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.course import Course, Parked, Spending
from omni_tui.model.provider import NightBudgetSettings, Provider, Standing, TokenCost
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.routing import choose_agent, provider_of, serve
from omni_tui.policy.scheduling import TOLD, Plan, plan
from omni_tui.policy.standing import is_due, standings

NOW = 1000.0
LIMIT = "its usage limit is reached"


def task(task_id: str = "a", **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=task_id, title=task_id, **head)


def provider(name: str, **given: Any) -> Provider:  # noqa: ANN401 - any key of the file
    return Provider(name=name, **({"preflight": False} | given))


def stand(*providers: Provider, course: Course | None = None, serving: tuple[str, ...] = ()) -> dict[str, Standing]:
    return standings({each.name: each for each in providers}, course or Course(), serving, NOW)


def decide(found: dict[str, Standing], count: int = 3, who: tuple[str, ...] = ("x",)) -> Plan:
    waiting = [task(f"t{number}") for number in range(count)]
    backlog = Backlog(waiting=waiting, status_of={}, standings=found, providers={each.ref: who for each in waiting})
    return plan(backlog, Capacity(slots=9, now=NOW))


def kinds(decided: Plan) -> set[HoldKind]:
    return {hold.kind for hold in decided.holds.values()}


# -- slots -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serving", "starts"), [((), 2), (("x",), 1), (("x", "x"), 0), (("x",) * 3, 0), (("y", "y"), 2), (("",), 2)]
)
def test_no_more_are_served_at_once_than_there_are_slots(serving: tuple[str, ...], starts: int) -> None:
    decided = decide(stand(provider("x", slots=2), serving=serving))
    assert len(decided.start) == starts
    assert kinds(decided) == {HoldKind.PROVIDER_SLOTS}
    assert all("x: it serves 2 at once" in hold.message for hold in decided.holds.values())


MANY = TOLD + 50


def behind_many(last: tuple[str, ...] | None, found: dict[str, Standing]) -> Plan:
    """Decide on many tasks that x alone could serve, and a last one that `last` could; None: it is not named."""
    waiting = [task(f"t{number:03d}") for number in range(MANY + 1)]
    providers: dict[TaskRef, tuple[str, ...]] = dict.fromkeys((each.ref for each in waiting[:MANY]), ("x",))
    if last is not None:
        providers[waiting[MANY].ref] = last
    return plan(
        Backlog(waiting=waiting, status_of={}, standings=found, providers=providers), Capacity(slots=9, now=NOW)
    )


def test_where_nobody_has_a_slot_the_rest_is_not_looked_at() -> None:
    found = stand(provider("x", slots=1), provider("y", slots=1), serving=("x", "y"))
    decided = behind_many(("y",), found)
    assert (len(decided.start), len(decided.holds), decided.unseen) == (0, TOLD, MANY + 1 - TOLD)


def test_slots_that_are_given_away_now_end_the_look_as_well() -> None:
    decided = behind_many(("x",), stand(provider("x", slots=2)))
    assert (len(decided.start), len(decided.holds)) == (2, TOLD)


@pytest.mark.parametrize("last", [("y",), ("x", "y"), (), None])
def test_a_task_that_another_could_serve_is_found_behind_many(last: tuple[str, ...] | None) -> None:
    decided = behind_many(last, stand(provider("x", slots=1), provider("y"), serving=("x",)))
    assert [each.id for each in decided.start][-1:] == [f"t{MANY:03d}"]


def test_where_a_provider_is_parked_all_are_looked_at() -> None:
    course = Course(parked={"y": Parked(reason=LIMIT, at=NOW, alone=True)})
    found = stand(provider("x", slots=1), provider("y"), course=course, serving=("x",))
    decided = behind_many(("y",), found)
    assert (len(decided.holds), decided.unseen) == (MANY + 1, 0)


def test_tasks_spread_over_all_that_could_serve_them() -> None:
    found = stand(provider("x", slots=1), provider("y", slots=1))
    assert len(decide(found, who=("x", "y")).start) == 2
    assert len(decide(found | {"y": Standing(name="y", state="open", reason=LIMIT)}, who=("x", "y")).start) == 1


def test_one_that_is_full_and_one_that_is_parked_hold_a_task_together() -> None:
    """Neither alone would: each judge by itself would leave it to the other."""
    found = stand(
        provider("x", slots=1), provider("y", key="K"), course=Course(parked={"y": parked(None)}), serving=("x",)
    )
    assert kinds(decide(found, who=("x", "y"))) == {HoldKind.PROVIDER_SLOTS}


def test_fewer_slots_after_rejections_are_said() -> None:
    course = Course(verdicts={"x": (False,) * 4})
    decided = decide(stand(provider("x", slots=4), course=course, serving=("x", "x")))
    assert not decided.start
    (words, *_) = (hold.message for hold in decided.holds.values())
    assert words == "x: it serves 2 at once, and does (of 4: the gate rejected 100% of its last 4 changes)"


# -- breaker and account -----------------------------------------------------------------------------------------------


def parked(until: float | None, *, alone: bool = False) -> Parked:
    return Parked(reason=LIMIT, at=NOW - 10, until=until, alone=alone)


@pytest.mark.parametrize(
    ("other", "alone", "held"),
    [
        pytest.param({"key": "K"}, False, True, id="the same key"),
        pytest.param({"account": "K"}, False, True, id="the same account"),
        pytest.param({"key": "L"}, False, False, id="another key"),
        pytest.param({"key": "K", "account": "other"}, False, False, id="the same key of another account"),
        pytest.param({"key": "K"}, True, False, id="its own server's trouble"),
    ],
)
def test_a_limit_holds_everything_that_draws_on_the_account(other: dict[str, str], alone: bool, held: bool) -> None:
    course = Course(parked={"x": parked(NOW + 60, alone=alone)})
    found = stand(provider("x", key="K"), provider("y", **other), course=course)
    assert (found["y"].state == "open") is held
    assert len(decide(found, who=("y",), count=1).start) == (not held)


def test_providers_without_a_key_share_the_login_of_their_harness() -> None:
    course = Course(parked={"x": parked(NOW + 60)})
    found = stand(provider("x"), provider("y"), provider("local", base_url="http://127.0.0.1:1"), course=course)
    assert [each.state for each in found.values()] == ["open", "open", "closed"]
    commands = stand(provider("x", harness="command"), provider("y", harness="command"), course=course)
    assert [each.state for each in commands.values()] == ["open", "closed"]


def test_one_of_the_account_tries_for_all() -> None:
    course = Course(parked={"x": parked(NOW)})
    both = provider("x", key="K"), provider("y", key="K")
    assert stand(*both, course=course)["y"].state == "half-open"
    found = stand(*both, course=course, serving=("x",))
    assert found["y"].probing
    assert kinds(decide(found, who=("y",))) == {HoldKind.PARKED}


# -- preflight ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "kind", "due"),
    [
        pytest.param(Course(), HoldKind.PREFLIGHT, True, id="before the first dispatch"),
        pytest.param(Course(proven=frozenset({"x"})), None, False, id="it was proven"),
        pytest.param(Course(parked={"x": parked(NOW + 9)}), HoldKind.PARKED, False, id="its time has not come"),
        pytest.param(Course(parked={"x": parked(None)}), HoldKind.PARKED, False, id="a person has to mend it"),
        pytest.param(Course(parked={"x": parked(NOW)}), HoldKind.PREFLIGHT, True, id="after trouble"),
        pytest.param(
            Course(parked={"y": parked(NOW)}, proven=frozenset({"x"})),
            HoldKind.PREFLIGHT,
            True,
            id="after its account's trouble",
        ),
    ],
)
def test_a_preflight_goes_before_the_tasks(course: Course, kind: HoldKind | None, due: bool) -> None:
    found = stand(provider("x", key="K", preflight=True), provider("y", key="K"), course=course)
    assert kinds(decide(found, count=1)) == ({kind} if kind else set())
    assert is_due(found["x"]) is due


# -- budget ------------------------------------------------------------------------------------------------------------


def test_a_provider_whose_budget_is_spent_serves_nobody() -> None:
    course = Course(
        spendings=(Spending("w/t#1", NOW, usd=2.0, provider="x"), Spending("w/t#2", NOW, usd=9.0, provider="y"))
    )
    rich, poor = NightBudgetSettings(usd=2.01), NightBudgetSettings(usd=2.0)
    assert len(decide(stand(provider("x", night=rich), course=course), count=1).start) == 1
    decided = decide(stand(provider("x", night=poor), course=course), count=1)
    assert kinds(decided) == {HoldKind.BUDGET}
    assert "2.00 of 2 US dollars" in next(iter(decided.holds.values())).message


# -- routing -----------------------------------------------------------------------------------------------------------

AGENTS = (AgentSpec(name="ada", harness="claude"), AgentSpec(name="own", harness="command"))


def test_each_agent_is_served_by_each_provider_that_fits_it() -> None:
    found = {each.name: each for each in (provider("x", model="big", key="K"), provider("y", base_url="http://h"))}
    served = serve((*AGENTS, AgentSpec(name="bob", harness="claude", provider="y", model="small")), found)
    assert [(each.name, provider_of(each)) for each in served] == [
        ("ada", "x"),
        ("ada", "y"),
        ("own", "own"),
        ("bob", "y"),
    ]
    assert (served[0].model, served[0].secrets, served[3].model, served[3].base_url) == (
        "big",
        ("K",),
        "small",
        "http://h",
    )


@pytest.mark.parametrize(
    ("head", "found", "expected"),
    [
        pytest.param({}, {}, "x", id="equally good: in turn"),
        pytest.param({"provider": "y"}, {}, "y", id="the task names it"),
        pytest.param({}, {"x": {"state": "open"}}, "y", id="health: the other is parked"),
        pytest.param({}, {"x": {"state": "half-open"}}, "y", id="health: the other is only tried"),
        pytest.param({}, {"x": {"used": 2, "slots": 2}}, "y", id="health: the other is full"),
        pytest.param({}, {"x": {"spent": "yes"}}, "y", id="health: the other's budget is spent"),
        pytest.param({}, {"y": {"priority": 1}}, "y", id="priority"),
        pytest.param({}, {"x": {"price": 3.0}, "y": {"price": 2.0}}, "y", id="price"),
        pytest.param({}, {"x": {"price": 3.0, "priority": 1}, "y": {"price": 2.0}}, "x", id="priority before price"),
        pytest.param({}, {"x": {"rejected": 0.5, "judged": 8}}, "y", id="record"),
        pytest.param({"labels": ("docs",)}, {"y": {"labels": ("docs",), "price": 9.0}}, "y", id="good for its label"),
        pytest.param({}, {"x": {"labels": ("docs",)}}, "y", id="good for other things"),
        pytest.param({"labels": ("docs",)}, {"y": {"labels": ("docs",), "state": "open"}}, "x", id="health before all"),
        pytest.param({"provider": "y"}, {"y": {"state": "open"}}, "y", id="but what the task names"),
    ],
)
def test_who_is_chosen(head: dict[str, Any], found: dict[str, dict[str, Any]], expected: str) -> None:
    agents = serve(AGENTS[:1], {name: provider(name) for name in "xy"})
    standing = {name: Standing(name=name, **given) for name, given in found.items()}
    chosen = choose_agent(task(**head), agents, 0, standing)
    assert isinstance(chosen, AgentSpec)
    assert provider_of(chosen) == expected


@pytest.mark.parametrize(
    ("head", "found", "why"),
    [
        ({}, {"y": {"state": "open"}}, "y cannot serve now"),
        ({"labels": ("docs",)}, {"x": {"labels": ("docs",)}}, "it is better for such tasks than y"),
        ({}, {"x": {"priority": 3}}, "its priority of 3 is above that of y"),
        ({}, {"x": {"price": 1.0}, "y": {"price": 9.0}}, "it is cheaper than y"),
        ({}, {"y": {"rejected": 0.5}}, "fewer of its changes are rejected than of y's"),
        ({}, {}, "in turn with y"),
        ({"provider": "x"}, {}, ""),
    ],
)
def test_why_it_is_chosen(head: dict[str, Any], found: dict[str, dict[str, Any]], why: str) -> None:
    agents = serve(AGENTS[:1], {name: provider(name) for name in "xy"})
    chosen = choose_agent(
        task(**head), agents, 0, {name: Standing(name=name, **given) for name, given in found.items()}
    )
    assert isinstance(chosen, AgentSpec)
    assert (provider_of(chosen), chosen.chosen) == ("x", why)


def test_a_task_waits_until_all_that_could_serve_it_have_been_tried_once() -> None:
    """The better one may be the slower one; one that was in trouble nobody waits for."""
    found = stand(provider("x", preflight=True), provider("y", preflight=False))
    assert kinds(decide(found, who=("x", "y"))) == {HoldKind.PREFLIGHT}
    troubled = Course(parked={"x": Parked(reason="429", at=NOW - 9, until=NOW - 1)})
    assert decide(
        stand(provider("x", preflight=True), provider("y", preflight=False), course=troubled), who=("x", "y")
    ).start


def test_a_provider_that_serves_no_agent_of_the_task_is_named() -> None:
    problem = choose_agent(task(provider="claud"), AGENTS, 0)
    assert problem == "no agent that could take it is served by provider `claud`; did you mean `claude`?"


def test_what_tokens_cost() -> None:
    cost = TokenCost(input=3.0, output=15.0, cached=0.3)
    assert cost.usd(1_000_000, 100_000, 600_000) == pytest.approx(0.3 * 3 + 0.1 * 15 + 0.6 * 0.3)
    assert cost.usd(1_000_000, 0, 0, 1_000_000) == pytest.approx(3.0), "where nothing is said of it"
    assert TokenCost(input=3.0, stored=3.75).usd(2_000_000, 0, 0, 1_000_000) == pytest.approx(6.75)
    assert cost.usd(1_000_000, None, 600_000) == pytest.approx(0.4 * 15 + 0.6 * 0.3), "who writes how many is not told"
    assert TokenCost(input=3.0).usd(1_000_000, None, 0) == pytest.approx(3.0)
    assert (cost.known, TokenCost().known, TokenCost(free=True).known) == (True, False, True)


def test_a_running_task_whose_provider_is_named_holds_its_slot_alone() -> None:
    backlog = Backlog(
        waiting=[task("a")],
        status_of={},
        running={TaskRef("w", "z")},
        standings=stand(provider("x", slots=1), serving=("x",)),
        providers={task("a").ref: ("x",)},
    )
    assert plan(backlog, Capacity(slots=9, now=NOW)).start == ()
