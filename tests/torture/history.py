"""A history: what a dispatcher and others have the store do to a tree, with the facts that each call acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.lifecycle import Occasion, after
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.state import FleetState
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task
from omni_tui.store import control
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Run, Runs
from omni_tui.store.state import write_state

ROOT = Path("fleet")
WORKSPACE = "app"
NOW = 1_700_000_000.0

OUTCOMES = ("task.landed", "task.blocked")
"""The events that are on the medium once they have been written."""

Facts = Mapping[str, object]
"""What a reader of the tree must find, by name: `task 0001`, `steps 0001/1`, `attempts 0001`, `request r1`, `state`,
`lease`, `journal`."""

MOVES = (
    (Status.DOING, Occasion.LANDED),
    (Status.DOING, Occasion.BLOCKED),
    (Status.DOING, Occasion.REQUEUED),
    (Status.BLOCKED, Occasion.REQUEUED),
    (Status.DONE, Occasion.REQUEUED),
)


def now() -> float:
    """Return the same moment each time, so that the same seed gives the same bytes."""
    return NOW


class History:
    """Acts on a tree by a seeded choice. `tell` hears the facts before an act, and as it will leave them."""

    def __init__(self, chance: random.Random, tell: Callable[[Facts, Facts], None]) -> None:
        self._chance = chance
        self._tell = tell
        self._facts: dict[str, object] = {}
        self._paths = FleetPaths(ROOT)
        self._place = self._paths.workspace(WORKSPACE)
        self._serial = 0
        self._lease: Lease | None = None

    def let_go(self) -> None:
        """Let go of the fleet, as the end of a process does."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def play(self, acts: int) -> None:
        """Make a fleet and do so many acts."""
        create_fleet(ROOT, "")
        create_workspace(self._place)
        self._queue = Queue(self._place, now)
        self._runs = Runs(self._place)
        self._journal = Journal(self._paths.journal, now)
        self._own()
        for _ in range(acts):
            self._chance.choice(ACTS)(self)
            self._tell(self._facts, self._facts)
        self.let_go()

    def _will(self, **facts: object) -> None:
        """Say what the act at hand will have made true once it has returned."""
        after_it = {**self._facts, **{name.replace("_", " ", 1): fact for name, fact in facts.items()}}
        self._tell(self._facts, after_it)
        self._facts = after_it

    # -- acts ------------------------------------------------------------------------------------------------------

    def _own(self) -> None:
        self._will()
        self._lease = Lease.acquire(self._paths.lease, "headless", now)
        self._epoch = self._lease.epoch
        self._facts = {**self._facts, "lease": self._epoch}

    def own_again(self) -> None:
        """Let go of the fleet, and take it as the next owner does."""
        self.let_go()
        self._own()

    def add(self) -> None:
        """Add a task."""
        number = f"{self._tasks() + 1:04d}"
        self._will(**{f"task_{number}": Status.TODO})
        task = self._queue.add(Task(workspace=WORKSPACE, id="", title=f"Do {number}"))
        assert task.id == number

    def claim(self) -> None:
        """Claim a task that waits, and begin its next attempt."""
        task_id = self._some(Status.TODO)
        if task_id is None:
            return
        self._will(**{f"task_{task_id}": Status.DOING})
        assert self._queue.claim(Task(workspace=WORKSPACE, id=task_id, title=""))
        number = self._runs.last_number(task_id) + 1
        self._will(**{f"attempts_{task_id}": number})
        self._runs.open(self._attempt(task_id, number))
        self._event("task.claimed", task_id)

    def step(self) -> None:
        """Record a step of a task that runs, and show how it stands."""
        task_id = self._some(Status.DOING)
        if task_id is None:
            return
        run = self._run(task_id)
        run.write_status(
            AttemptStatus(task=task_id, workspace=WORKSPACE, attempt=run.attempt.number, phase=Phase.WATCH, detail="x")
        )
        name = f"steps {task_id}/{run.attempt.number}"
        known: tuple[str, ...] = self._facts.get(name, ())  # type: ignore[assignment]
        key = f"step.{len(known)}"
        self._will(**{name.replace(" ", "_", 1): (*known, key)})
        result = "x" * self._chance.choice((1, 5000))
        run.append_step(StepRecord(key=key, at=NOW, epoch=self._epoch, result=result))

    def move(self) -> None:
        """Move a task on an occasion that its life cycle has, with a note where a person must look."""
        status, occasion = self._chance.choice(MOVES)
        task_id = self._some(status)
        if task_id is None:
            return
        to = after(status, occasion)
        note = f"why {self._next()}" if occasion is Occasion.BLOCKED else ""
        if occasion is Occasion.REQUEUED and status is not Status.DOING:
            self._will(**{f"first_{task_id}": self._runs.last_number(task_id) + 1})
            self._runs.begin_afresh(task_id)
        self._will(**{f"task_{task_id}": to}, **({f"note_{task_id}": note} if note else {}))
        self._queue.move(task_id, status, occasion, note=note)
        if occasion is not Occasion.REQUEUED:
            self._event("task.landed" if occasion is Occasion.LANDED else "task.blocked", task_id)

    def signal(self) -> None:
        """Journal what is only told."""
        self._event("attempt.signal", "")

    def request(self) -> None:
        """File a request."""
        name = f"r{self._next()}"
        self._will(**{f"request_{name}": "asked"})
        control.post(self._paths.control, Request(id=name, kind=RequestKind.FREEZE, by="test", at=NOW))

    def answer(self) -> None:
        """Answer a request."""
        asked = [name.removeprefix("request ") for name, fact in self._facts.items() if fact == "asked"]
        if asked:
            name = self._chance.choice(asked)
            self._will(**{f"request_{name}": "answered"})
            control.reply(self._paths.control, Reply(id=name, ok=True, message="done"))

    def wish(self) -> None:
        """Change the fleet's state."""
        state = FleetState(
            brakes=Brakes(freezes=(Freeze(),) if self._chance.random() < 0.5 else ()), message=f"m{self._next()}"
        )
        self._will(state=state)
        write_state(ROOT, state)

    # -- help ------------------------------------------------------------------------------------------------------

    def _event(self, name: str, task_id: str) -> None:
        """Journal an event; what became of a task is a fact once this has returned."""
        serial = self._next()
        if name in OUTCOMES:
            known: tuple[int, ...] = self._facts.get("journal", ())  # type: ignore[assignment]
            self._will(journal=(*known, serial))
        self._journal.write(Event(time=NOW, event=name, task=task_id, data={"serial": serial}))

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _tasks(self) -> int:
        return sum(name.startswith("task ") for name in self._facts)

    def _some(self, status: Status) -> str | None:
        there = [name.removeprefix("task ") for name, fact in self._facts.items() if fact is status]
        return self._chance.choice(there) if there else None

    def _attempt(self, task_id: str, number: int) -> AttemptId:
        task = Task(workspace=WORKSPACE, id=task_id, title="")
        return AttemptId(task.ref, number)

    def _run(self, task_id: str) -> Run:
        return self._runs.open(self._attempt(task_id, self._runs.last_number(task_id)))


ACTS: tuple[Callable[[History], None], ...] = (
    History.add,
    History.claim,
    History.claim,
    History.step,
    History.step,
    History.step,
    History.move,
    History.move,
    History.signal,
    History.request,
    History.answer,
    History.wish,
    History.own_again,
)
"""What is done, as often as it stands here."""
