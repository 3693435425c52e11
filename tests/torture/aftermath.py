"""What must hold during a storm and after it, and what a person is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from omni_tui.model.attempt import AttemptId
from omni_tui.model.failure import Failure
from omni_tui.model.task import Status, TaskRef
from omni_tui.policy.retry import FREE, FREE_IN_A_ROW
from omni_tui.store.journal import read_events
from omni_tui.store.runs import Runs
from tests.support.fleets import TestFleet, git
from tests.support.leftovers import checkouts
from tests.support.waiting import wait_for
from tests.torture.population import Kin, population
from tests.torture.storm_crew import ATTEMPTS, CLAUDES

WIDTH = 120
RELEASE = "release/omni"


def live_attempts(fleet: TestFleet, living: Mapping[Kin, Mapping[int, list[str]]]) -> Iterator[str]:
    """Give what is seen of two attempts alive at one task."""
    seen: dict[str, dict[str, int]] = {}
    for pid, words in living.get(Kin.WRAPPER, {}).items():
        for word in words:
            with suppress(ValueError):  # no run of the fleet's
                parts = Path(word).relative_to(fleet.paths.runs).parts
                if len(parts) == 2:  # a check's run has one more
                    seen.setdefault(parts[0], {})[parts[1]] = pid
    for task_id, attempts in seen.items():
        alive = {number: pid for number, pid in attempts.items() if Path(f"/proc/{pid}").exists()}
        if len(alive) > 1:
            yield f"attempts {', '.join(sorted(alive))} of {task_id} were alive at the same time"


def broken(fleet: TestFleet) -> Iterator[str]:
    """Give what does not hold once the fleet is idle."""
    yield from _misplaced(fleet)
    yield from _badly_landed(fleet)
    for task_id in _tasks(fleet):
        yield from _too_many_attempts(fleet, task_id)
    yield from _doubled(fleet)
    yield from _faults(fleet)
    yield from _left(fleet)


def _tasks(fleet: TestFleet) -> list[str]:
    """Return the ids that were ever given out."""
    return sorted(path.name for path in fleet.paths.runs.iterdir())


def _misplaced(fleet: TestFleet) -> Iterator[str]:
    places = Counter(task_id for status in Status for task_id in fleet.queue.ids(status))
    for task_id in _tasks(fleet):
        found = fleet.queue.find(task_id)
        if places[task_id] != 1 or found is None:
            yield f"{task_id} is in {places[task_id]} folders"
        elif found[0] in (Status.TODO, Status.DOING):
            yield f"{task_id} is still in {found[0]}/"
        elif found[0] is Status.BLOCKED and not _reason(fleet, task_id):
            yield f"{task_id} is blocked without a reason"
    files = sum(len(fleet.queue.files(status)) for status in Status)
    if files != len(_tasks(fleet)):
        yield f"there are {files} files for {len(_tasks(fleet))} tasks"


def _badly_landed(fleet: TestFleet) -> Iterator[str]:
    """Compare the release branch with done/: each title and each trailer once, and nothing else."""
    done = [fleet.queue.read(path) for path in fleet.queue.files(Status.DONE)]
    titles = Counter(git(fleet.paths.repo, "log", "--format=%s", f"main..{RELEASE}").splitlines())
    form = "--format=%(trailers:key=Omni-Task,valueonly,separator=)"
    trailers = Counter(git(fleet.paths.repo, "log", form, f"main..{RELEASE}").split())
    for landed, wanted in ((titles, (task.title for task in done)), (trailers, (str(task.ref) for task in done))):
        expected = Counter(wanted)
        if landed != expected:
            yield f"landed too often or wrongly: {dict(landed - expected)}; missing: {dict(expected - landed)}"
    tips = {git(where, "rev-parse", RELEASE) for where in (fleet.paths.repo, fleet.origin)}
    if len(tips) != 1:
        yield f"{RELEASE} is not what was pushed: {tips}"
    if git(fleet.origin, "log", "--format=%s", "main") != "begin":
        yield "the origin's default branch was touched"


def _failures(fleet: TestFleet, task_id: str) -> list[Failure]:
    """Return how a task's attempts failed, oldest first."""
    runs, ref = Runs(fleet.paths), TaskRef("app", task_id)
    steps = [runs.open(AttemptId(ref, number)).steps() for number in runs.attempts(task_id)]
    failed = [next((record.failure for record in each if record.failure is not None), None) for each in steps]
    return [failure for failure in failed if failure is not None]


def _too_many_attempts(fleet: TestFleet, task_id: str) -> Iterator[str]:
    kinds = [failure.kind for failure in _failures(fleet, task_id)]
    used = sum(kind not in FREE for kind in kinds)
    row = max((len(list(same)) for kind, same in groupby(kinds) if kind in FREE), default=0)
    if used > ATTEMPTS or row > FREE_IN_A_ROW:
        yield f"{task_id} had more attempts than it may: {', '.join(kinds)}"


def _doubled(fleet: TestFleet) -> Iterator[str]:
    """Read in the journal that an attempt began only when the one before it was over, and none after a landing."""
    running: dict[str, int] = {}
    landed = Counter[str]()
    for event in read_events(fleet.fleet.paths.journal):
        match event.event:
            case "attempt.started":
                before = running.setdefault(event.task, event.attempt)
                if before != event.attempt:
                    yield f"attempt {event.attempt} of {event.task} began while {before} was not over"
                if landed[event.task]:
                    yield f"attempt {event.attempt} of {event.task} began after it had landed"
            case "attempt.killed" | "attempt.failed" if running.get(event.task) == event.attempt:
                del running[event.task]
            case "task.landed":
                landed[event.task] += 1
    yield from (f"{task_id} landed {times} times by the journal" for task_id, times in landed.items() if times > 1)


def _faults(fleet: TestFleet) -> Iterator[str]:
    for event in read_events(fleet.fleet.paths.journal):
        if event.event in ("core.fault", "fleet.stopped", "workspace.broken", "workspace.refused", "task.unreadable"):
            yield f"{event.event}: {event.data}"


def _left(fleet: TestFleet) -> Iterator[str]:
    """Look for what should be gone: processes, the server, checkouts, locks."""
    with suppress(AssertionError):
        wait_for(lambda: not population(fleet), "the end of all processes", 10)
    for kin, processes in population(fleet).items():
        yield from (f"{kin} {pid} is left: {' '.join(words)[:200]}" for pid, words in processes.items())
    if names := checkouts(fleet):
        yield f"checkouts are left: {names}"
    for top in (fleet.paths.repo, fleet.paths.worktrees):
        yield from (f"a lock is left: {path}" for path in top.rglob("*.lock"))


def _reason(fleet: TestFleet, task_id: str) -> str:
    return fleet.queue.note(task_id).strip().partition("\n")[0]


def print_report(fleet: TestFleet, killed: Mapping[str, int], starts: int) -> None:
    """Print what was killed how often, and what came of the tasks."""
    events = list(read_events(fleet.fleet.paths.journal))
    failed = Counter(str(event.data["kind"]) for event in events if event.event == "attempt.failed")
    count = Counter(event.event for event in events)
    blocked = Counter(_reason(fleet, task_id)[:90] for task_id in fleet.queue.ids(Status.BLOCKED))
    form = "--format=%(trailers:key=Omni-Agent,valueonly,separator=)"
    agents = git(fleet.paths.repo, "log", form, f"main..{RELEASE}").split()
    outcome = {
        "tasks": len(_tasks(fleet)),
        **{f"tasks in {status.value}/": len(fleet.queue.files(status)) for status in Status},
        "landed by Claude Code": sum(agent in CLAUDES for agent in agents),
        "starts of the orchestrator": starts,
        "adoptions of a task by a new start": count["task.adopted"],
        "attempts": len({(event.task, event.attempt) for event in events if event.event == "attempt.started"}),
        **{f"failed: {kind}": times for kind, times in failed.most_common()},
        **{f"blocked: {reason}": times for reason, times in blocked.most_common()},
    }
    console = Console(width=WIDTH)
    for title, rows in (("killed by SIGKILL", killed), ("what came of it", outcome)):
        table = Table(title, "times", min_width=60)
        for name, times in rows.items():
            table.add_row(escape(name), f"{times:,}")
        console.print(table)
