"""What lies in doing/ and what runs, kept in step: files that a former owner left, and those that a hand takes or puts.

A hand is given a moment: an editor that saves a file takes it away and puts it back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from omni_tui.engine.deliveries import Running
from omni_tui.engine.order import Order, OrderKind
from omni_tui.engine.past import look_back
from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError, TaskFileError
from omni_tui.model.task import Status, Task, TaskRef

SETTLE_SECONDS = 1.0
"""How long a file may be missing from doing/, or lie there unknown, before that is taken for what a person wants."""

AGAIN_SECONDS = 30.0
"""The pause after the disk failed in taking up a task."""


class Doing:
    """Starts what lies in doing/ and does not run; ends what runs and does not lie there any more."""

    def __init__(
        self,
        services: Services,
        running: Mapping[TaskRef, Running],
        start: Callable[[Workplace, Task, str], None],
        say: Callable[[str], None],
    ) -> None:
        """Take what runs, what starts a task whose file is in doing/, and what shows a message to a person."""
        self._services = services
        self._running = running
        self._start = start
        self._say = say
        self._due: dict[Path, float] = {}
        """When a file that does not run is to be taken up, UTC seconds."""
        self._unsure: dict[Path, TaskRef] = {}
        """Claims whose rename may be undone by a power loss."""
        self._left: dict[Path, int] = {}
        """Files that are no tasks, which was told, and when they were last written to, in ns."""

    def adopt(self, place: Workplace, path: Path, reason: str) -> None:
        """Go on with a task whose file is there; one that is no task any more is told of and left where it is."""
        try:
            task = place.queue.read(path)
        except FileNotFoundError:  # a person was faster
            return
        except TaskFileError as error:
            self._leave(place, path, error)
            return
        if task.ref in self._running:
            words = f"the id {task.id} is taken by doing/{self._running[task.ref].file}, which runs"
            place.queue.refuse(path, words)
            self._services.record("task.refused", workspace=place.name, file=path.name, error=words)
            return
        self._services.record("task.adopted", task.ref, reason=reason)
        self._start(place, task, path.name)

    def put_off(self, path: Path, error: OSError, task: TaskRef | None = None) -> float:
        """Say that the disk failed in taking up a task; return when to try again. What is renamed stays where it is.

        The `task` of a claim keeps its slot where its file lies in doing/ by then.
        """
        if task is not None:
            self._unsure[path] = task
        again_at = self._services.clock.now() + AGAIN_SECONDS
        self._due[path] = again_at
        where, words = f"taking up {path.name}", f"{error.strerror or error}; tried again in {AGAIN_SECONDS:.0f} s"
        self._services.record("core.fault", where=where, error=words)
        self._say(f"{where} failed: {words}")
        return again_at

    def look(self, place: Workplace) -> None:
        """Compare the folder with what runs: once it changed, and whenever `next_look` says."""
        there = {path.name: path for path in place.queue.files(Status.DOING)}
        ours = [running for running in self._running.values() if running.place is place]
        for running in ours:
            self._look_for(running, there)
        strays = [path for name, path in there.items() if name not in {running.file for running in ours}]
        folder = place.paths.queue(Status.DOING)
        self._due = {path: at for path, at in self._due.items() if path.parent != folder or path in strays}
        for path in strays:
            self._look_at(place, path)

    def unsure(self) -> Collection[TaskRef]:
        """Return the tasks that lie in doing/, claimed, and do not run yet."""
        return {task for path, task in self._unsure.items() if path in self._due}

    def forget(self, place: Workplace) -> None:
        """Wait for nothing in a workplace that was closed."""
        folder = place.paths.queue(Status.DOING)
        self._due = {path: at for path, at in self._due.items() if path.parent != folder}

    def next_look(self) -> float | None:
        """Return when time alone will change something, UTC seconds."""
        missing = (each.missing_since for each in self._running.values() if each.box.order is None)
        return min((*self._due.values(), *(at + SETTLE_SECONDS for at in missing if at is not None)), default=None)

    def _look_for(self, running: Running, there: Mapping[str, Path]) -> None:
        now = self._services.clock.now()
        if running.file in there:
            running.missing_since = None
        elif running.missing_since is None:
            running.missing_since = now
        elif running.missing_since + SETTLE_SECONDS <= now:
            found = running.place.queue.find(running.task.id)
            if found is not None and found[0] is Status.DOING:  # a person has given it another name
                running.file, running.missing_since = found[1].name, None
            else:
                running.box.give(Order(OrderKind.WITHDRAW, "its file was taken out of doing/ by hand"))

    def _look_at(self, place: Workplace, path: Path) -> None:
        """Take up a file that nothing of ours knows, once it has been there for a moment and is written to its end."""
        if self._left.get(path) == _written_at(path):
            return
        now = self._services.clock.now()
        if self._due.setdefault(path, now + SETTLE_SECONDS) > now:
            return
        try:
            if place.queue.is_being_written(path):
                self._due[path] = now + SETTLE_SECONDS
                return
            place.queue.settle(path)
        except OSError as error:
            self.put_off(path, error)
            return
        del self._due[path]
        self._unsure.pop(path, None)
        self._begin_afresh(place, path)
        self.adopt(place, path, "its file was put into doing/")

    def _begin_afresh(self, place: Workplace, path: Path) -> None:
        """Let a task that had ended begin afresh, as one that a hand puts into todo/ does."""
        try:
            task = place.queue.read(path)
            if task.ref not in self._running and look_back(place.runs, task.ref).closed:
                place.runs.begin_afresh(task.id)
        except (OmniError, FileNotFoundError):  # whoever adopts it comes upon the same, and says so
            return

    def _leave(self, place: Workplace, path: Path, error: TaskFileError) -> None:
        self._left[path] = _written_at(path)
        self._services.record("task.unreadable", workspace=place.name, file=path.name, error=str(error))
        self._say(f"{place.name}: doing/{path.name} cannot be read: {error}")


def _written_at(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0
