"""A tracker in memory: what a test or a simulated night offers is what waits."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from omni_tui.model.outcome import Outcome
from omni_tui.model.task import Task
from omni_tui.plugins.tracker.protocol import Intake, Refusal, TrackerSpec


class MemoryTracker:
    """Holds tasks and bad items by name, as a folder holds files."""

    name: ClassVar[str] = "memory"

    def __init__(self, spec: TrackerSpec) -> None:
        self._spec = spec
        self.items: dict[str, Task | str] = {}
        """What waits, in the order it came: a task, or why it is none."""
        self.outcomes: dict[str, list[Outcome]] = {}
        """What was told, by the task's id."""

    def offer(self, name: str, item: Task | str) -> None:
        """Let a task wait under a name, or something that is none, for the reason that `item` gives."""
        self.items[name] = item

    def withdraw(self, name: str) -> None:
        """Take an item back."""
        del self.items[name]

    async def fetch(self) -> Intake:
        """See `Tracker`."""
        tasks: dict[str, Task] = {}
        refused = []
        taken = self._spec.taken({item.id for item in self.items.values() if isinstance(item, Task)})
        for name, item in self.items.items():
            if isinstance(item, str):
                refused.append(Refusal(path=Path(name), reason=item))
            elif item.id in tasks or item.id in taken:
                refused.append(Refusal(path=Path(name), reason=f"the id {item.id} is taken"))
            else:
                tasks[item.id] = item
        return Intake(tasks=list(tasks.values()), refused=refused)

    async def tell(self, task: Task, outcome: Outcome) -> None:
        """See `Tracker`."""
        told = self.outcomes.setdefault(task.id, [])
        if outcome not in told:
            told.append(outcome)
