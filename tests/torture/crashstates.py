"""Power losses: the trees that one may leave at each moment of a history, each read and recovered by the store.

A `kill -9` cannot show a missing fsync, since the page cache survives it. So every operation of a history is recorded,
and after each of them, and after each acknowledgement, the trees that a power loss may leave are made and looked at.

`python -m tests.torture.crashstates SEED` plays one history again.
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omni_tui.model.attempt import AttemptId
from omni_tui.model.event import Event
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.request import Reply
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task
from omni_tui.store import control
from omni_tui.store.journal import Journal, read_events
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue
from omni_tui.store.reader import FleetReader
from omni_tui.store.runs import Runs
from tests.torture.facts import facts_of
from tests.torture.figure import Figure, again
from tests.torture.history import NOW, ROOT, WORKSPACE, Facts, History, now
from tests.torture.medium import Medium, State, lay_out
from tests.torture.scratch import scratch
from tests.torture.seam import Operation, hooked
from tests.torture.workers import spread

GOAL = 50_000
HISTORIES, LONG_HISTORIES = 14, 400
ACTS = 60
AT_MOST = 16
"""States looked at for one moment: there are seldom more."""
PROBE = Path("probe")
"""Where a state is made, beside the tree of the history."""
NOTHING_YET: Mapping[str, object] = {"attempts": 0, "first": 1, "steps": (), "journal": ()}
"""What is found where a fact has never been true, by its kind; of the others, None."""


class Tally(NamedTuple):
    """What came of one history."""

    states: int
    bad: list[str]


class Losses:
    """Follows a history, and looks at what a power loss may leave at each of its moments."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chance = random.Random(seed)
        self._medium = Medium()
        self._before: Facts = {}
        self._after: Facts = {}
        self._seen: set[int] = set()
        self._looking = False
        self._last = "the beginning"
        self.bad: list[str] = []

    @property
    def states(self) -> int:
        """How many different ones were looked at."""
        return len(self._seen)

    def around(self, operation: Operation, do: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the call gives
        """Take in an operation of the history; those of our own looking are let through."""
        result = do()
        if not self._looking:
            self._medium.take(operation)
            self._last = str(operation)
            self._lose_power()
        return result

    def tell(self, before: Facts, after: Facts) -> None:
        """Hear what must be found from now on: each fact as it was before the act at hand, or as it will be."""
        self._before, self._after = before, after
        self._lose_power()

    def _lose_power(self) -> None:
        self._looking = True
        acknowledged = repr((self._before, self._after))
        for state in self._medium.states(AT_MOST, self._chance):
            key = hash((acknowledged, tuple(state.items())))
            if key not in self._seen:
                self._seen.add(key)
                self._look(state)
        self._looking = False

    def _look(self, state: State) -> None:
        PROBE.mkdir()
        lay_out(state, PROBE)
        try:
            wrong = differing(PROBE / ROOT, self._before, self._after) + recover(PROBE / ROOT)
        except Exception as error:  # noqa: BLE001 -- anything that a state provokes is what is looked for
            wrong = [f"{type(error).__name__}: {error}"]
        if wrong:
            words = f"state {self.states}, after {self._last}: {'; '.join(wrong)}"
            self.bad.append(f"{words}; {again('crashstates', self._seed)}")
        shutil.rmtree(PROBE)


def differing(root: Path, before: Facts, after: Facts) -> list[str]:
    """Return the facts that are found neither as they were nor as the act at hand makes them."""
    found = facts_of(root, after)
    wrong = []
    for name, fact in found.items():
        kind, _, of = name.partition(" ")
        allowed = [facts.get(name, NOTHING_YET.get(kind)) for facts in (before, after)]
        if kind == "task" and isinstance(fact, tuple):  # a move that was under way, and is acknowledged by nobody
            holds = set(fact) == set(allowed)
        elif kind == "lease":
            holds = str(fact) > str(before.get(name, ""))
        elif kind == "note" and found[f"task {of}"] is not Status.BLOCKED:
            holds = True
        else:
            holds = fact in allowed
        if not holds:
            wrong.append(f"{name} is {fact!r:.200}, not {' or '.join(f'{one!r:.200}' for one in allowed)}")
    return wrong


def recover(root: Path) -> list[str]:
    """Do what a next owner does with the tree, and return what is wrong with it then."""
    FleetReader(FleetPaths(root), now).read()
    paths = create_fleet(root, "")
    place = paths.workspace(WORKSPACE)
    create_workspace(place)
    lease = Lease.acquire(paths.lease, "headless", now)
    queue, runs, journal = Queue(place, now), Runs(place), Journal(paths.journal, now)
    before = sorted({task for status in Status for task in queue.ids(status)})
    queue.finish_moves()
    running = sorted(queue.ids(Status.DOING))
    wrong = [words for task in running for words in _go_on(task, runs, lease.epoch)]
    for task_id in running:
        queue.move(task_id, Status.DOING, Occasion.LANDED)
    for request in control.pending(paths.control):
        control.reply(paths.control, Reply(id=request.id, ok=True, message=""))
    made = queue.add(Task(workspace=WORKSPACE, id="", title="Next"))
    journal.write(Event(time=NOW, event="task.landed", epoch=lease.epoch))
    lease.release()
    after = sorted(task for status in Status for task in queue.ids(status))
    checks = {
        f"after the recovery there are {after}, not {before} and {made.id}": after == sorted([*before, made.id]),
        "a task is still in doing/": not queue.ids(Status.DOING),
        "a request is still pending": not control.pending(paths.control),
        "the journal does not end with what was written last": _last_epoch(paths.journal) == lease.epoch,
    }
    return wrong + [words for words, holds in checks.items() if not holds]


def _last_epoch(journal: Path) -> str:
    return list(read_events(journal))[-1].epoch


def _go_on(task_id: str, runs: Runs, epoch: str) -> list[str]:
    """Go on with a task's last attempt, as `deliver` does; return what is wrong."""
    number = max(1, runs.last_number(task_id))
    run = runs.open(AttemptId(Task(workspace=WORKSPACE, id=task_id, title="").ref, number))
    run.read_status()
    before = run.steps()
    record = StepRecord(key="next", at=NOW, epoch=epoch)
    run.append_step(record)
    return [] if run.steps() == [*before, record] else [f"a step of {task_id} came out wrong"]


def lose_power(seed: int, acts: int = ACTS) -> Tally:
    """Play one history, and look at all that it may leave."""
    losses = Losses(seed)
    with scratch(), hooked(losses.around):
        History(random.Random(seed), losses.tell).play(acts)
    return Tally(losses.states, losses.bad)


def run(long: bool) -> Figure:
    """Play histories and look at what each may leave."""
    started = time.monotonic()
    histories = LONG_HISTORIES if long else HISTORIES
    tallies = spread(lose_power, range(histories))
    return Figure(
        what="crash states: unsynced writes and names missing, torn, out of order",
        done=sum(tally.states for tally in tallies),
        goal=GOAL,
        bad=tuple(bad for tally in tallies for bad in tally.bad),
        seconds=time.monotonic() - started,
        note=f"{histories} histories of {ACTS} acts of the store",
    )


if __name__ == "__main__":
    sys.exit("\n".join(lose_power(int(sys.argv[1])).bad) or None)
