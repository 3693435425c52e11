"""Feature flags: what they hold, what waits behind it, and what is said before the night."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.flag import Flag, Flags
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.flags import Requirement, requirement, warnings
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.scheduling import Plan, plan

KNOWN = Flags(
    known={
        "snapshot_read": Flag(state="off", by="kari"),
        "search": Flag(state="on"),
        "rollout": Flag(state="10%"),
    }
)


def task(task_id: str, **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id=task_id, title=task_id, **head)


def decide(*waiting: Task, flags: Flags = KNOWN, **status_of: Status) -> Plan:
    settled = {TaskRef("w", name): status for name, status in status_of.items()}
    backlog = Backlog(waiting=waiting, status_of=settled, flags={"w": flags})
    return plan(backlog, Capacity(slots=9, now=0.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a=on", Requirement("a", "on"), id="name and state"),
        pytest.param("a", Requirement("a", "on"), id="a name alone means on"),
        pytest.param(" a = 10% ", Requirement("a", "10%"), id="spaces"),
        pytest.param("a=", Requirement("a", "on"), id="no state"),
    ],
)
def test_requirement(text: str, expected: Requirement) -> None:
    assert requirement(text) == expected


@pytest.mark.parametrize(
    ("head", "words"),
    [
        pytest.param({}, "", id="no flags"),
        pytest.param({"requires_flags": ("search",)}, "", id="on"),
        pytest.param({"requires_flags": ("search=On",)}, "", id="case of a state"),
        pytest.param({"requires_flags": ("snapshot_read=off",)}, "", id="off, as required"),
        pytest.param({"requires_flags": ("rollout=10%",)}, "", id="a state of the project's own"),
        pytest.param(
            {"requires_flags": ("snapshot_read=on",)},
            "needs the flag `snapshot_read` to be on, it is off; kari flips it",
            id="off",
        ),
        pytest.param({"requires_flags": ("search=off",)}, "to be off, it is on", id="nobody named"),
        pytest.param({"requires_flags": ("search", "rollout=50%")}, "`rollout` to be 50%, it is 10%", id="the second"),
        pytest.param({"requires_flags": ("snapshot_reed",)}, "did you mean `snapshot_read`?", id="a typo"),
        pytest.param(
            {"requires_flags": ("other",)},
            "`other` to be on, which flags.toml does not name",
            id="unknown",
        ),
        pytest.param({"requires_flags": ("snapshot_read",), "stubs_flags": ("snapshot_read",)}, "", id="stubbed"),
        pytest.param(
            {"requires_flags": ("snapshot_read",), "stubs_flags": ("search",)}, "`snapshot_read`", id="another stubbed"
        ),
        pytest.param({"provides_flags": ("snapshot_read",)}, "", id="ships behind it"),
    ],
)
def test_hold(head: dict[str, Any], words: str) -> None:
    decided = decide(task("a", **head))
    hold = decided.holds.get(TaskRef("w", "a"))
    assert (hold is not None) is bool(words)
    assert [each.id for each in decided.start] == ([] if words else ["a"])
    if hold is not None:
        assert hold.kind is HoldKind.FLAG
        assert words in hold.message
        assert hold.remedy.startswith("by `omni-tui flag set ")


@pytest.mark.parametrize("entry", ["snap shot==on", "search=on off", "=on", "search==off"])
def test_what_can_be_no_flag_is_held_with_a_cure_that_works(entry: str) -> None:
    written = task("a", requires_flags=(entry,))
    hold = decide(written).holds[TaskRef("w", "a")]
    assert "no flag can be that" in hold.message
    assert hold.remedy.startswith("by having its head say `name=state`")
    (warning,) = warnings([written, task("b", provides_flags=(entry,))], {"w": KNOWN})
    assert "no flag can be that" in warning.message
    assert "flag set" not in warning.fix


def test_broken_file_keeps_what_it_said_last_and_is_named_for_what_it_never_said() -> None:
    flags = Flags(known=KNOWN.known, fault="flags.toml:3: not TOML")
    decided = decide(task("a", requires_flags=("search",)), task("b", requires_flags=("other",)), flags=flags)
    assert [each.id for each in decided.start] == ["a"]
    assert "its flags cannot be read: flags.toml:3: not TOML" in decided.holds[TaskRef("w", "b")].message


def test_all_that_comes_after_is_held_and_says_which_flag_in_the_end() -> None:
    decided = decide(
        task("a", requires_flags=("snapshot_read",)),
        task("b", depends_on=("a",)),
        task("c", depends_on=("b",)),
        task("d", depends_on=("other",)),
        task("other"),
        task("e", depends_on=("b", "gone")),
    )
    assert [each.id for each in decided.start] == ["other"]
    message = {ref.id: hold.message for ref, hold in decided.holds.items()}
    assert message["b"] == "waits for w/a; in the end w/a needs the flag `snapshot_read` to be on"
    assert message["c"] == "waits for w/b; in the end w/a needs the flag `snapshot_read` to be on"
    assert message["d"] == "waits for w/other"
    assert "gone" in message["e"]
    assert decided.holds[TaskRef("w", "c")].kind is HoldKind.DEPENDENCY


def test_cycle_behind_a_flag_is_still_a_cycle() -> None:
    decided = decide(
        task("a", requires_flags=("snapshot_read",)), task("b", depends_on=("a", "c")), task("c", depends_on=("b",))
    )
    assert decided.holds[TaskRef("w", "b")].kind is HoldKind.CYCLE


def test_long_chain_behind_a_flag_takes_no_recursion() -> None:
    chain = [task("t0", requires_flags=("snapshot_read",))]
    chain += [task(f"t{number}", depends_on=(f"t{number - 1}",)) for number in range(1, 5000)]
    decided = decide(*chain)
    assert decided.start == ()
    assert "in the end w/t0" in decided.holds[TaskRef("w", "t4999")].message


def test_warns_of_a_task_that_assumes_a_flag_which_another_ships_behind() -> None:
    tasks = [
        task("a", provides_flags=("snapshot_read",)),
        task("b", requires_flags=("snapshot_read=on",), depends_on=("a",)),
        task("c", depends_on=("b",)),
        task("d", depends_on=("c",)),
    ]
    [warning] = warnings(tasks, {"w": KNOWN})
    assert (warning.task.id, warning.flag) == ("b", "snapshot_read")
    assert warning.message == "assumes the flag `snapshot_read` to be on; w/a ships behind it, and it is off"
    assert "kari flips it after w/a has landed" in warning.fix
    assert 'stubs_flags = ["snapshot_read"]' in warning.fix
    assert [ref.id for ref in warning.behind] == ["c", "d"]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        pytest.param([task("b", requires_flags=("search",))], [], id="as required"),
        pytest.param([task("b", requires_flags=("snapshot_read",))], ["requires the flag `snapshot_read`"], id="off"),
        pytest.param(
            [task("b", requires_flags=("nope",))], ["which neither flags.toml nor another task"], id="unknown"
        ),
        pytest.param(
            [task("a", provides_flags=("fresh",)), task("b", requires_flags=("fresh",))],
            ["w/a ships behind it, and it is not in flags.toml"],
            id="new with another task",
        ),
        pytest.param(
            [task("a", provides_flags=("fresh",)), task("b", requires_flags=("fresh",), stubs_flags=("fresh",))],
            [],
            id="stubbed",
        ),
        pytest.param(
            [task("a", provides_flags=("fresh",)), task("b", depends_on=("a",))],
            ["builds on w/a, which ships behind the flag `fresh`"],
            id="builds on it silently",
        ),
        pytest.param(
            [task("a", provides_flags=("fresh",)), task("b", depends_on=("a",), provides_flags=("fresh",))],
            [],
            id="ships behind it as well",
        ),
        pytest.param([task("a", provides_flags=("search",)), task("b", depends_on=("a",))], [], id="on already"),
    ],
)
def test_warnings(tasks: list[Task], expected: list[str]) -> None:
    found = warnings(tasks, {"w": KNOWN})
    assert len(found) == len(expected)
    for warning, words in zip(found, expected, strict=True):
        assert words in warning.message
        assert warning.fix


def test_refused_text_holds() -> None:
    backlog = Backlog(waiting=[task("a"), task("b")], status_of={}, refused={TaskRef("w", "a"): "line 3: has no end"})
    decided = plan(backlog, Capacity(slots=2, now=0.0))
    assert [each.id for each in decided.start] == ["b"]
    hold = decided.holds[TaskRef("w", "a")]
    assert (hold.kind, hold.message) == (HoldKind.LINT, "line 3: has no end")


def test_warning_of_a_typo_names_what_was_meant() -> None:
    [warning] = warnings([task("b", requires_flags=("snapshot_reed",))], {"w": KNOWN})
    assert warning.fix == "did you mean `snapshot_read`?"
