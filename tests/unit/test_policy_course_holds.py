"""How the course of a run holds tasks: parked providers, known causes, a stop."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.course import Cause, Course, Parked
from omni_tui.model.flag import Flag, Flags
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.remedies import remedy
from omni_tui.policy.routing import provider_of, providers_for
from omni_tui.policy.scheduling import Plan, nobody_serves, plan
from omni_tui.policy.standing import standings

NOW = 1000.0
LIMIT = "its usage limit is reached"


def task(task_id: str, **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=task_id, title=task_id, **head)


def decide(course: Course, *waiting: Task, providers: tuple[str, ...] | None = ("claude",), slots: int = 9) -> Plan:
    served = {each.ref: providers for each in waiting if providers is not None}
    running = {TaskRef("w", "z")}
    serving = [name for attempt, name in course.providers.items() if attempt == "w/z#1"]
    found = standings({}, course, serving, NOW)
    on = {"w": Flags(known={"fast": Flag(state="on")})}
    backlog = Backlog(
        waiting=waiting,
        status_of={},
        course=course,
        providers=served,
        running=running,
        standings=found,
        flags=on,
    )
    return plan(backlog, Capacity(slots=slots, now=NOW))


def parked(until: float | None, reason: str = LIMIT) -> Parked:
    return Parked(reason=reason, at=NOW - 10, until=until)


def test_a_parked_provider_holds_until_its_time() -> None:
    decided = decide(Course(parked={"claude": parked(NOW + 60)}), task("a"))
    (hold,) = decided.holds.values()
    assert (hold.kind, hold.until, decided.wake_at) == (HoldKind.PARKED, NOW + 60, NOW + 60)
    assert f"claude: {LIMIT}" in hold.message


def test_what_only_a_person_can_mend_says_how_to_go_on() -> None:
    decided = decide(Course(parked={"claude": parked(None, "it does not accept our login")}), task("a"))
    (hold,) = decided.holds.values()
    assert (hold.until, decided.wake_at) == (None, None)
    assert "omni-tui thaw" in remedy(hold)


def test_nothing_can_start_where_all_wait_for_a_person_or_for_who_does() -> None:
    after = task("b", depends_on=["a"])
    gone = Course(parked={"claude": parked(None)})
    assert nobody_serves(decide(gone, task("a"), after).holds.values()) == f"no provider serves: claude: {LIMIT}"
    assert not nobody_serves(decide(Course(parked={"claude": parked(NOW + 60)}), task("a"), after).holds.values())
    assert not nobody_serves(decide(gone, after).holds.values()), "what it waits for is not there"
    assert not nobody_serves(decide(Course(), task("a"), after).holds.values())


@pytest.mark.parametrize(
    ("course", "providers", "starts"),
    [
        pytest.param(Course(), ("claude",), 3, id="nobody is parked"),
        pytest.param(Course(parked={"codex": parked(None)}), ("claude",), 3, id="another is"),
        pytest.param(Course(parked={"claude": parked(None)}), ("claude", "codex"), 3, id="another serves it too"),
        pytest.param(Course(parked={"claude": parked(NOW)}), ("claude",), 1, id="time is up: one tries"),
        pytest.param(
            Course(parked={"claude": parked(NOW)}, providers={"w/z#1": "claude"}),
            ("claude",),
            0,
            id="one tries already",
        ),
        pytest.param(
            Course(parked={"claude": parked(NOW)}, providers={"w/gone#1": "claude"}),
            ("claude",),
            1,
            id="one tried, and a crash kept its end from the journal",
        ),
        pytest.param(
            Course(parked={"claude": parked(NOW), "codex": parked(NOW)}), ("claude", "codex"), 2, id="one of each tries"
        ),
        pytest.param(Course(parked={"claude": parked(None)}), None, 3, id="served by nobody we know"),
        pytest.param(Course(parked={"claude": parked(None)}), (), 3, id="nobody can take it: told at the start"),
    ],
)
def test_how_many_start(course: Course, providers: tuple[str, ...] | None, starts: int) -> None:
    assert len(decide(course, task("a"), task("b"), task("c"), providers=providers).start) == starts


def test_a_common_cause_holds_what_shares_it_and_lets_the_rest_go_on() -> None:
    course = Course(causes=(Cause(workspace="w", sign="test tests/cart.py::total", tasks=("a", "b")),))
    decided = decide(course, task("a"), task("b"), task("c", tests=("tests/cart.py",)), task("d"))
    assert [each.id for each in decided.start] == ["d"]
    assert {hold.kind for hold in decided.holds.values()} == {HoldKind.PAUSED}
    assert all("tests/cart.py::total" in hold.message for hold in decided.holds.values())


def test_a_cause_of_another_workspace_holds_nothing() -> None:
    course = Course(causes=(Cause(workspace="other", sign="flag fast", tasks=("a",)),), broken={"other": "broken"})
    assert len(decide(course, task("a", requires_flags=("fast=on",))).start) == 1


def test_a_broken_workspace_starts_nothing() -> None:
    decided = decide(Course(broken={"w": "its check fails"}), task("a"))
    assert [hold.message for hold in decided.holds.values()] == ["its check fails"]
    assert [remedy(hold) for hold in decided.holds.values()] == ["by `omni-tui thaw`, once its cause is mended"]


def test_a_stopped_run_starts_nothing_and_waits_for_no_time() -> None:
    decided = decide(Course(stopped="too much failed", parked={"codex": parked(NOW + 5)}), task("a"))
    assert [hold.kind for hold in decided.holds.values()] == [HoldKind.STOPPED]
    assert decided.wake_at is None


def spec(name: str, harness: str) -> AgentSpec:
    return AgentSpec(name=name, harness=harness)


def test_who_could_serve_a_task() -> None:
    agents = [spec("ada", "claude"), spec("bob", "claude"), spec("own", "command")]
    assert provider_of(agents[2]) == "own"
    assert providers_for(task("a"), agents) == {"claude", "own"}
    assert providers_for(task("a", agent="own"), agents) == {"own"}
    assert providers_for(task("a", harness="claude"), agents) == {"claude"}
    assert providers_for(task("a", agent="nobody"), agents) == frozenset()
