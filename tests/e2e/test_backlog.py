"""The scheduler's judgement, whole and real: 27 specs, nine of them on one file, planned, run, held and let go.

The negative control comes first: what the agents do is made into a branch each, from one base, and git says which of
them conflict. So it is the plan, and nothing else, that keeps the night without a conflict.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.support import backlog
from tests.support.backlog import BacklogFleet
from tests.support.git import git

WORK_SECONDS = 0.6

pytestmark = pytest.mark.timeout(300)  # the first test waits for two whole nights


@dataclass
class Told:
    """What a night with the flag off, and another one with it on, have told."""

    fleet: BacklogFleet
    lint: Any
    plan: Any
    shown: str
    """The plan, as a person sees it."""
    rehearsed: list[dict[str, Any]]
    """What `simulate` says of the same backlog: in turn, blindly, in waves."""
    first: list[dict[str, Any]]
    held: dict[str, str]
    """What `why` said between them of what waits."""
    second: list[dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Plan, work, ask why, flip the flag, work again."""
    fleet = BacklogFleet(tmp_path_factory.mktemp("b"), work_seconds=WORK_SECONDS)
    lint, plan, shown = fleet.answer("lint")["findings"], fleet.answer("plan")["workspaces"][0], fleet.command("plan")
    rehearsed = fleet.answer("simulate", "--backlog", "click")["ways"]
    first = fleet.night()
    held = {task: fleet.answer("why", task)["message"] for task in backlog.HELD}
    fleet.command("flag", "set", "lazy_groups", "on")
    return Told(fleet, lint, plan, shown, rehearsed, first, held, fleet.night())


def waves(told: Told) -> list[set[str]]:
    return [{task["task"].partition("/")[2] for task in wave} for wave in told.plan["waves"]]


def wave_of(told: Told) -> dict[str, int]:
    return {task: number for number, wave in enumerate(waves(told)) for task in wave}


# -- the backlog -------------------------------------------------------------------------------------------------------


def test_every_spec_can_be_finished_as_it_is_written(told: Told) -> None:
    """All that `lint` has to say is that a flag will hold some."""
    assert {(each["task"].partition("/")[2], each["kind"]) for each in told.lint} == {
        (task, "flag_off") for task in backlog.BEHIND_THE_FLAG
    }


@pytest.fixture(scope="module")
def conflicts(tmp_path_factory: pytest.TempPathFactory) -> set[frozenset[str]]:
    """Have every agent work from one base, and return which pairs of their branches git cannot merge."""
    place = tmp_path_factory.mktemp("c")
    project = backlog.make_project(place / "project")
    for task in sorted(backlog.ALL):
        git(project, "checkout", "-q", "-b", task, "main")
        own = {"OMNI_TASK": task, "OMNI_EVENTS": str(place / "events"), "WORK_SECONDS": "0"}
        argv = [sys.executable, "-S", "-E", str(backlog.HERE / "agent.py")]
        subprocess.run(argv, cwd=project, env=os.environ | own, check=True, capture_output=True)
    return {frozenset(pair) for pair in combinations(sorted(backlog.ALL), 2) if clash(project, *pair)}


def clash(project: Path, one: str, other: str) -> bool:
    argv = ["git", "-C", str(project), "merge-tree", "--write-tree", one, other]
    return subprocess.run(argv, capture_output=True).returncode != 0


def test_without_a_plan_it_would_conflict_and_the_plan_keeps_all_of_that_apart(
    told: Told, conflicts: set[frozenset[str]]
) -> None:
    expected = {frozenset(pair) for pair in combinations(backlog.ON_ONE_FILE, 2)}
    expected |= {backlog.ON_ONE_MIGRATION, backlog.ON_ONE_LOCK, backlog.BY_HISTORY}
    assert conflicts == expected
    assert not [pair for pair in conflicts for wave in waves(told) if pair <= wave]


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_the_plan_is_one_that_a_person_would_agree_with(told: Told) -> None:
    at = wave_of(told)
    assert at.keys() == backlog.ALL
    assert sorted(at[task] for task in backlog.ON_ONE_FILE) == list(range(9))
    assert len(waves(told)) == 9
    assert [at[task] for task in backlog.CHAIN] == [0, 1, 2]
    assert at["lazy-groups"] == 0
    assert {at[task] for task in backlog.BEHIND_THE_FLAG} == {1}
    assert at[backlog.AFTER_THOSE] == 2
    assert {at[task] for task in ("context-depth", "split-options", "readme-example")} == {0}


def test_the_plan_says_what_ties_each_pair_and_by_which_evidence(told: Told) -> None:
    tied = {task["task"].partition("/")[2]: task["ties"] for wave in told.plan["waves"] for task in wave}
    history = {tie["point"]["name"]: tie["theirs"]["evidence"] for tie in tied["confirm-twice"]}
    assert history["src/click/termui.py"] == "5 of 5 commits that changed src/click/_termui_impl.py changed it"
    words = " ".join(told.shown.replace("│", "").split())  # as one line, however narrow the terminal is
    assert "after bar-eta: src/click/termui.py (its text names it)" in words
    assert "flag: waits behind lazy-errors for lazy_groups" in words
    [migration] = tied["price-column"]
    assert (migration["point"]["kind"], migration["point"]["name"]) == ("migration", "examples/inventory/migrations")
    [lock] = tied["wrap-words"]
    assert (lock["point"]["kind"], lock["point"]["name"]) == ("lock", "terminal-pictures")
    for free in ("context-depth", "split-options", "readme-example", *backlog.BEHIND_THE_FLAG):
        assert tied[free] == []


def test_the_plan_warns_of_the_wave_behind_the_flag(told: Told) -> None:
    tasks = [task for wave in told.plan["waves"] for task in wave]
    warned = {task["task"].partition("/")[2]: warning for task in tasks for warning in task["flags"]}
    assert warned.keys() == backlog.BEHIND_THE_FLAG
    assert {warning["flag"] for warning in warned.values()} == {"lazy_groups"}
    assert "click/lazy-groups ships behind it, and it is off" in warned["lazy-help"]["message"]
    assert "the release manager flips it" in warned["lazy-help"]["fix"]
    assert backlog.AFTER_THOSE in {ref.partition("/")[2] for warning in warned.values() for ref in warning["behind"]}


def test_simulated_waves_are_quicker_than_one_after_the_other_and_waste_nothing_as_blindly(told: Told) -> None:
    in_turn, blindly, in_waves = told.rehearsed
    everything = len(backlog.ALL - backlog.HELD)
    assert [way["conflicts"] for way in (in_turn, in_waves)] == [0, 0]
    assert [way["landed"] for way in (in_turn, in_waves)] == [everything, everything]
    assert {way["waiting"] for way in told.rehearsed} == {len(backlog.HELD)}
    assert blindly["conflicts"] > 0
    assert blindly["attempts"] > in_waves["attempts"] == everything
    assert in_waves["hours"] < 0.6 * in_turn["hours"]
    assert not any(way["violations"] for way in told.rehearsed)


# -- the run -----------------------------------------------------------------------------------------------------------


def failures(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (event for event in events if event["event"] in {"attempt.failed", "task.blocked", "core.fault"})


def test_the_run_has_no_conflict_and_lands_all_but_what_the_flag_holds(told: Told) -> None:
    assert list(failures(told.first)) == []
    assert backlog.landed(told.first) == backlog.ALL - backlog.HELD


def test_what_would_conflict_never_ran_at_the_same_time(told: Told, conflicts: set[frozenset[str]]) -> None:
    stays = backlog.stays(told.first)
    for pair in conflicts:
        (_, one_ended), (other_began, _) = sorted(stays[task] for task in pair)
        assert one_ended <= other_began, sorted(pair)


def test_it_is_quicker_than_one_after_the_other(told: Told) -> None:
    """One after the other takes as long as all stays together; how fast this machine is does not matter."""
    stays = backlog.stays(told.first).values()
    whole = max(ended for _, ended in stays) - min(began for began, _ in stays)
    assert sum(ended - began for began, ended in stays) > 1.4 * whole
    assert 2 <= backlog.at_once(stays) <= 4


def test_what_the_flag_holds_is_refused_and_said(told: Told) -> None:
    assert not {event["task"] for event in told.first if event["event"] == "task.claimed"} & backlog.HELD
    for task in backlog.BEHIND_THE_FLAG:
        assert told.held[task].startswith("needs the flag `lazy_groups` to be on, it is off; the release manager flips")
    assert "in the end click/lazy-" in told.held[backlog.AFTER_THOSE]
    [idle] = [event for event in told.first if event["event"] == "fleet.idle"]
    assert idle["waiting"][0].startswith("4 tasks: needs the flag `lazy_groups` to be on, it is off")


def test_the_flag_turned_on_lets_the_rest_go(told: Told) -> None:
    assert list(failures(told.second)) == []
    assert backlog.landed(told.second) == backlog.HELD
    assert set(told.fleet.statuses().values()) == {"done"}
    assert 2 <= backlog.at_once(backlog.stays(told.second).values()) <= 4
    subjects = git(told.fleet.project, "log", "--format=%s", "main..release/omni").splitlines()
    assert len(subjects) == len(backlog.ALL)
    assert git(told.fleet.project, "show", "release/omni:examples/inventory/migrations/max_migration.txt")[:4] == "0003"
