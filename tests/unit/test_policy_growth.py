"""How judgement grows with the backlog, in calls that Python makes: the same on a busy machine as on an idle one."""

from __future__ import annotations

import math

import pytest

from benchmarks.measure import calls
from benchmarks.waves import FLAGS, counted, parse_again, points_of, read
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.lineup import Lineup
from omni_tui.policy.scheduling import plan


def deciding(count: int) -> int:
    """Return the calls of a decision after one task of `count` has changed, with seven at work."""
    _, tasks = read(count)
    points = {task.ref: points_of(task) for task in tasks}
    lineup = Lineup(tasks, {})
    gone = lineup.tasks[count // 2]
    changed = [task for task in tasks if task is not gone] + [parse_again(gone)]
    running = {task.ref for task in lineup.tasks[:7]}
    backlog = Backlog(waiting=changed, status_of={}, running=running, points=points, flags=FLAGS)

    def decide() -> None:
        lineup.update(changed, {})
        plan(backlog, Capacity(slots=8, now=1e9), lineup)

    decide()  # compiles the patterns, which stay
    lineup.update(tasks, {})
    return calls(decide)


@pytest.mark.parametrize("count", [500, 2000])
def test_a_plan_grows_with_n_log_n_at_most(count: int) -> None:
    few, many = counted(read(count)[1]), counted(read(count * 8)[1])
    growth = 8 * math.log(count * 8) / math.log(count)
    assert many <= few * growth * 1.1, (few, many)


def test_a_decision_costs_what_has_changed_and_a_look_at_each_task() -> None:
    few, many = deciding(1000), deciding(16_000)
    per_task = (many - few) / 15_000
    assert per_task < 1.5, f"{few} calls for 1,000 tasks, {many} for 16,000"
