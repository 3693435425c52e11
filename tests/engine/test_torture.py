"""The campaigns of `make torture`, tiny: each runs, finds nothing, and would find something."""

from __future__ import annotations

import pytest

from tests.torture.crashstates import Tally, lose_power
from tests.torture.diskfaults import Job as FaultJob
from tests.torture.diskfaults import fail_all
from tests.torture.guards import guards
from tests.torture.killpoints import Job, kill_all
from tests.torture.machine import Walk, walk
from tests.torture.mutants import attempt
from tests.torture.powerloss import Job as LossJob
from tests.torture.powerloss import lose_all
from tests.torture.races import Stops, stop_all
from tests.torture.realkill import Night, live
from tests.torture.stale import Job as TheftJob
from tests.torture.stale import take_all
from tests.torture.workers import spread


def test_killed_at_some_points_nothing_is_lost() -> None:
    kills = spread(kill_all, [Job("lands", part, 60, 40) for part in (3, 7)])
    assert [sum(map(bool, lines)) for lines in kills] == [0, 0]
    assert all(len(lines) > 10 for lines in kills), "each kill is followed by some in its recovery"


def _lose_power_soon(seed: int) -> Tally:
    return lose_power(seed, acts=15)


def test_power_lost_in_short_histories_nothing_is_lost() -> None:
    tallies = spread(_lose_power_soon, [0, 2])
    assert [tally.bad for tally in tallies] == [[], []]
    assert sum(tally.states for tally in tallies) > 200


def test_power_lost_at_some_moments_of_a_delivery_nothing_is_lost() -> None:
    losses = spread(lose_all, [LossJob("repaired", part, 40, at_most=3) for part in (3, 11)])
    assert [line for lines in losses for line in lines if line] == []
    assert all(len(lines) > 10 for lines in losses)


def test_disk_failing_at_some_places_nothing_is_lost() -> None:
    tallies = spread(fail_all, [FaultJob("repaired", 5, 60), FaultJob(0, 5, 30)])
    assert [tally.bad for tally in tallies] == [[], []]
    assert all(tally.cases >= 30 for tally in tallies)


def test_queue_and_lease_walk_as_the_model_does() -> None:
    [walked] = spread(walk, [Walk(seed=3, steps=600)])
    assert walked.bad == ""
    assert walked.steps.total() >= 600


def test_stale_owner_stopped_at_some_points_changes_nothing() -> None:
    stops = [stop for stops in spread(stop_all, [Stops(4, 15), Stops(9, 15)]) for stop in stops]
    assert [stop.bad for stop in stops if stop.bad] == []
    assert len(stops) >= 10


def test_lease_taken_at_some_moments_its_former_owner_changes_nothing() -> None:
    taken = [each for made in spread(take_all, [TheftJob("lands", part, 8) for part in (2, 5)]) for each in made]
    assert [each.bad for each in taken if each.bad] == []
    assert len(taken) >= 20


def test_killed_for_real_some_times_everything_lands() -> None:
    [night] = spread(_live_shortly, [4])
    assert night.bad == []
    assert night.kills["orchestrator"] == night.outcomes["done"] == 2


def _live_shortly(seed: int) -> Night:
    return live(seed, starts=2)


def test_every_sync_of_the_store_and_every_look_at_the_lease_is_a_guard() -> None:
    names = [guard.name for guard in guards()]
    assert len(names) == len(set(names))
    assert sum(name.startswith("fsync: store/") for name in names) >= 10
    for place in ("engine/steps.py", "engine/fenced.py", "store/files.py", "plugins/scm", "plugins/workspace/clone.py"):
        assert any(name.startswith(f"fence: {place}") for name in names), place


@pytest.mark.parametrize("guard", ["fsync: store/files.py _create", "rescue: none in the simulated world"])
def test_guard_that_is_gone_is_missed(guard: str) -> None:
    name = next(one.name for one in guards() if one.name.startswith(guard))
    trial = attempt(name)
    assert trial.caught_by, trial.trouble
