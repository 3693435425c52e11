"""A stretch of an owner's work, by the store and by git, that can be gone on with by whoever owns the fleet next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.event import Event
from omni_tui.model.fence import Fence
from omni_tui.model.lifecycle import Occasion
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.state import FleetState
from omni_tui.model.step import StepRecord
from omni_tui.model.task import Status, Task
from omni_tui.plugins.gitcmd import FENCE, Git
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.fencing import put_up
from omni_tui.store import control
from omni_tui.store.files import DISK
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.paths import FleetPaths
from omni_tui.store.queue import Queue
from omni_tui.store.runs import Runs
from omni_tui.store.state import write_state
from tests.support.fleets import git, make_repository

TITLES = ("Land me", "Block me")
FOREIGN = ("objects", "logs")
"""Folders of a repository in which nothing says anything: an object that no ref names is nobody's."""


def make_tree(root: Path) -> Path:
    """Make a fleet with a workspace, a repository, some tasks and a request; return it."""
    paths = create_fleet(root, "")
    place = paths.workspace("app")
    create_workspace(place)
    origin = make_repository(root.with_name(f"{root.name}-origin"), {"README.md": "# App\n"})
    git(origin.parent, "clone", "-q", "--bare", str(origin), str(place.repo))
    Queue(place, time.time).add_all([Task(workspace="app", id="", title=title) for title in TITLES])
    control.post(paths.control, Request(id="r1", kind=RequestKind.FREEZE, by="torture", at=1.0))
    return root


class Labour:
    """The work that there is, as the owner of `lease` does it."""

    def __init__(self, paths: FleetPaths, lease: Lease) -> None:
        disk = DISK.through(lease.door)
        self._paths, self._disk, self._lease = paths, disk, lease
        self._place = paths.workspace("app")
        self._queue = Queue(self._place, time.time, disk)
        self._runs = Runs(self._place, disk)
        self._journal = Journal(paths.journal, time.time, disk)
        self._repo = put_up(Git(git_dir=self._place.repo), Fence(epoch=lease.epoch, check=lease.check))

    def finish(self) -> None:
        """Do all that is left to do. Raises `LeaseLostError` once it is another's."""
        for status in (Status.DOING, Status.TODO):
            for path in self._queue.files(status):
                task = self._queue.read(path)
                if status is Status.DOING or self._queue.claim(task):
                    self._deliver(task)
        for request in control.pending(self._paths.control, self._disk):
            control.reply(self._paths.control, Reply(id=request.id, ok=True, message="frozen"), self._disk)
        write_state(
            self._paths.root, FleetState(brakes=Brakes(freezes=(Freeze(),)), message=self._lease.epoch), self._disk
        )

    def _deliver(self, task: Task) -> None:
        self._tell("task.claimed", task)
        run = self._runs.open(AttemptId(task.ref, 1))
        run.write_prompt("Do it.")
        self._step(task, "prepare", durable=False)
        run.write_status(
            AttemptStatus(
                task=task.id,
                workspace="app",
                attempt=1,
                phase=Phase.WATCH,
                agent="ada",
                harness="command",
                started_at=1.0,
                updated_at=time.time(),
            )
        )
        tip = self._repo.text("rev-parse", "refs/heads/main")
        self._repo.update_ref(WritableRef(f"refs/heads/{AttemptId(task.ref, 1).branch}"), tip)
        self._step(task, "land.1", durable=True)
        if task.title == TITLES[0]:
            self._queue.move(task.id, Status.DOING, Occasion.LANDED)
            self._tell("task.landed", task)
        else:
            self._queue.move(task.id, Status.DOING, Occasion.BLOCKED, note="A person has to look.")
            self._tell("task.blocked", task)

    def _step(self, task: Task, key: str, *, durable: bool) -> None:
        record = StepRecord(key=key, at=time.time(), epoch=self._lease.epoch)
        self._runs.open(AttemptId(task.ref, 1)).append_step(record, durable=durable)

    def _tell(self, event: str, task: Task) -> None:
        self._journal.write(
            Event(time=time.time(), event=event, workspace="app", task=task.id, epoch=self._lease.epoch)
        )


def seen(root: Path) -> Mapping[str, bytes]:
    """Return every file that somebody reads, with what it says: hidden ones are not finished, and nobody's."""
    names = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    shown = [name for name in names if not any(part.startswith(".") or part in FOREIGN for part in name.parts)]
    return {str(name): (root / name).read_bytes() for name in shown if not str(name).endswith(FENCE)}


def differences(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Return the files that came, went or changed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def unfinished(root: Path) -> list[str]:
    """Return what is not as it has to be once all work is done."""
    place = FleetPaths(root).workspace("app")
    queue = Queue(place, time.time)
    found = {status.value: sorted(queue.ids(status)) for status in Status}
    wanted = {"todo": [], "doing": [], "done": ["0001"], "blocked": ["0002"]}
    return [] if found == wanted else [f"in the end the tasks were in {found}"]
