"""The oracle: what must always hold (CONTRIBUTING.md), looked at as it happens. It knows nothing of the engine's mind.

It sees what reaches the world: renamed task files, processes that start and end, refs, checkouts that are removed. The
numbers are those of the eight statements; 9 is that nothing starts while a flag that it requires is off.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from omni_tui.model.event import Event
from omni_tui.model.settings import Settings
from omni_tui.model.task import Status
from omni_tui.model.taskfile import is_task_name
from omni_tui.plugins.runtime.protocol import Launch
from omni_tui.simulation.repository import MemoryRepository, digest
from omni_tui.simulation.runtime import FakeAgent
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.taskread import read_task

MOST = 20
"""So many violations are kept; the night goes on."""
FREE = re.compile(r"lost|limited|harness:(auth|billing|server)|base|overtaken")
"""Failures that cost no attempt: not the agent's work was at fault, but its owner, its provider or the base."""
SLACK_SECONDS = 900.0
"""How much longer than it may an agent lives at most: the hand-over, the rounds, the kill."""
FLAG_SECONDS = 120.0
"""So long after a flag was turned off, all who dispatch know of it, also where they were not told."""
DEFECT = re.compile(r"\b(?:Key|Type|Value|Attribute|Assertion|Index|Runtime|Name|Unicode\w*|Recursion)Error: ")
"""What no fault of the world explains."""


class Oracle:
    """Keeps what was violated, in words, with the moment."""

    def __init__(
        self,
        paths: WorkspacePaths,
        repository: MemoryRepository,
        settings: Settings,
        release: str,
        time: Callable[[], float],
    ) -> None:
        self.violations: list[str] = []
        self.doubled = 0
        """Double dispatches."""
        self.tested: set[str] = set()
        """Digests of the trees that a check has passed."""
        self.secret = ""
        """What no agent may be given."""
        self.taken: dict[str, str] = {}
        """Which files were made of what a source offers, by its key."""
        self.away = 0.0
        """Seconds so far in which nobody dispatched."""
        self._paths = paths
        self._places = {status: str(paths.queue(status)) for status in Status}
        self._repository = repository
        self._settings = settings
        self._release = f"refs/heads/{release}"
        self._time = time
        self._names: set[str] = set()
        self._started: dict[str, list[str]] = defaultdict(list)
        self._free: Counter[str] = Counter()
        self._adopted: set[str] = set()
        """Tasks that a new owner found in doing/, however many those are."""
        self._living: dict[str, tuple[float, float]] = {}
        """When each living agent was started, and how long nobody had dispatched by then."""
        self._foreign = dict(repository.refs)
        self._landed: Counter[str] = Counter()
        self._flagged: set[str] = set()
        self._off_since: float | None = None

    def violated(self, number: int, words: str) -> None:
        """Keep that a statement does not hold."""
        if len(self.violations) < MOST:
            self.violations.append(f"{number}: {words} (at {self._time() / 3600:.3f} h)")

    # -- 1: one folder -----------------------------------------------------------------------------------------------

    def admitted(self, name: str, *, requires_flags: bool = False) -> None:
        """Hear of a new task's file, and whether it may start only while the flags are on."""
        self._names.add(name)
        if requires_flags:
            self._flagged.add(name)

    def flagged(self, *, on: bool) -> None:
        """Hear that the flags are on, or are off."""
        self._off_since = None if on else self._time()

    def look(self) -> None:
        """Look whether each task is in exactly one folder."""
        listed = [name for names in self._folders().values() for name in names]
        seen = set(listed)
        if self._names <= seen and len(seen) == len(listed):  # at every event, so it has to be quick
            return
        for name, places in self.places().items():
            if len(places) != 1:
                self.violated(1, f"{name} is in {[str(status) for status in places]}")

    def places(self) -> Mapping[str, list[Status]]:
        """Return in which folders each task's file is, by its name."""
        folders = self._folders()
        return {name: [status for status, names in folders.items() if name in names] for name in sorted(self._names)}

    def _folders(self) -> Mapping[Status, list[str]]:
        return {status: os.listdir(folder) for status, folder in self._places.items()}  # noqa: PTH208 - names are wanted

    def _made(self, path: Path) -> None:
        """Hear of a task's file that the dispatcher has made of an offer, which it may do once, ever."""
        source = read_task(path, self._paths.name).source
        if source in self.taken:
            self.violated(1, f"{path.name} and {self.taken[source]} were made of {source}")
        if source is not None:
            self.taken[source] = path.name
            self.admitted(path.name)

    def moved(self, source: Path, target: Path) -> None:
        """Hear of a renamed file; a task that leaves doing/ has no living agent."""
        if source.name.startswith(".") and is_task_name(target.name) and target.parent.name == Status.TODO:
            self._made(target)
        if source.name not in self._names:
            return
        self.look()
        task = _task_of(source.name)
        if source.parent.name == Status.DOING and (living := self._living_of(task)):
            self.violated(2, f"{task} goes to {target.parent.name}/ and its agent lives: {living}")
        if target.parent.name == Status.DOING and source.name in self._flagged and self._off_since is not None:
            seconds = self._time() - self._off_since
            if seconds > FLAG_SECONDS:
                self.violated(9, f"{task} is claimed, and the flag that it requires is off for {seconds:.0f} s")
        if source.parent.name == Status.TODO and target.parent.name == Status.DOING and self._landed[task]:
            self.doubled += 1
            self.violated(2, f"{task} has landed and is claimed again")

    # -- 2, 3: agents ------------------------------------------------------------------------------------------------

    def starting(self, launch: Launch) -> None:
        """Hear of an agent that is about to be started."""
        task, run = launch.env["OMNI_TASK"], str(launch.run_dir)
        if living := self._living_of(task):
            self.doubled += 1
            self.violated(2, f"a second agent for {task}: {living}")
        if not any(_task_of(path.name) == task for path in self._paths.queue(Status.DOING).iterdir()):
            self.violated(2, f"an agent for {task}, which is not in doing/")
        self._started[task].append(run)
        attempts, limit = len(self._started[task]), self._settings.limits.attempts
        if attempts > limit + self._free[task]:
            self.violated(3, f"attempt {attempts} of {task}, with {self._free[task]} free and {limit} allowed")
        self._living[run] = (self._time(), self.away)
        crowd = [each for each in self._living if Path(each).parent.name not in self._adopted]
        if len(crowd) > self._settings.scheduler.limit:
            self.violated(3, f"{len(crowd)} agents in {self._settings.scheduler.limit} slots")
        if self.secret in launch.env.values():
            self.violated(6, f"the agent of {task} was given a secret")

    def ended(self, agent: FakeAgent) -> None:
        """Hear of the end of an agent, which may not come too late."""
        born = self._living.pop(str(agent.launch.run_dir), None)
        if born is None:
            return
        lived = self._time() - born[0] - (self.away - born[1])
        if lived > self._settings.limits.wall_minutes * 60 + SLACK_SECONDS:
            self.violated(8, f"{agent.launch.name} lived for {lived / 60:.0f} minutes")

    def living(self) -> list[str]:
        """Return the runs whose agents live."""
        return list(self._living)

    def _living_of(self, task: str) -> list[str]:
        return [run for run in self._living if Path(run).parent.name == task]

    # -- 4, 5: refs and trees ----------------------------------------------------------------------------------------

    def look_at_refs(self) -> None:
        """Look whether only refs that are ours have changed."""
        for name, commit in self._repository.refs.items():
            if name.startswith(("refs/heads/omni/", "refs/omni/")) or name == self._release:
                continue
            if self._foreign.get(name) != commit:
                self.violated(4, f"{name} was written")

    def landed(self, commit: str) -> None:
        """Hear of a commit that is on the release branch now."""
        made = self._repository.commits[commit]
        if digest(dict(made.tree)) not in self.tested:
            self.violated(5, f"{commit[:8]} landed untested")
        task = (re.search(r"^Omni-Task: \S+/(\S+)$", made.message, re.MULTILINE) or ["", "?"])[1]
        self._landed[task] += 1
        if self._landed[task] > 1:
            self.doubled += 1
            self.violated(2, f"{task} has landed {self._landed[task]} times")

    # -- 7: work -----------------------------------------------------------------------------------------------------

    def removing(self, path: Path) -> None:
        """Hear of a checkout that is about to be removed: what is in it must be on a ref."""
        checkout = self._repository.checkouts.get(path)
        if checkout is None or not checkout.branch:
            return
        refs = self._repository.refs
        _, task, attempt = checkout.branch.split("/")
        kept = [
            refs.get(f"refs/heads/{checkout.branch}"),
            refs.get(f"refs/omni/rescue/{task}/{attempt}"),
            checkout.base,
        ]
        trees = [self._repository.tree(commit) for commit in kept if commit]
        if checkout.files not in trees or checkout.head not in kept:
            self.violated(7, f"the work of {task}#{attempt} was removed with its checkout")

    # -- 8, and what is told -----------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Hear of an event of the journal."""
        self.look()
        if event.event == "attempt.failed" and FREE.match(str(event.data.get("kind", ""))):
            self._free[event.task] += 1
        if event.event == "task.adopted":
            self._adopted.add(event.task)
        words = str(event.data.get("error", "")) + str(event.data.get("message", ""))
        if event.event in {"core.fault", "attempt.failed"} and DEFECT.search(words):
            self.violated(8, f"a defect: {event.event} {words}")
        if event.event in {"task.unreadable", "task.withdrawn", "task.refused"}:
            self.violated(1, f"{event.event} {event.task} {dict(event.data)}")


def _task_of(name: str) -> str:
    return name.partition("-")[0]
