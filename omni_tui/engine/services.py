"""Services: what every part of the engine is handed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from omni_tui.engine.clock import Clock
from omni_tui.engine.course import CourseKeeper
from omni_tui.engine.held import Held
from omni_tui.engine.provision import Provision
from omni_tui.engine.trees import Trees
from omni_tui.engine.wakeups import Wakeups
from omni_tui.model.attempt import AttemptId
from omni_tui.model.event import EVENTS, Event
from omni_tui.model.load import Sample
from omni_tui.model.settings import Settings
from omni_tui.model.task import TaskRef
from omni_tui.model.text import clean, throughout
from omni_tui.plugins.notifier.protocol import Notice, Notifier, Urgency
from omni_tui.plugins.reaction.protocol import Reaction
from omni_tui.plugins.runtime.protocol import Runtime
from omni_tui.policy.supervision import MEGABYTE
from omni_tui.store.files import Disk
from omni_tui.store.journal import Journal
from omni_tui.store.lease import Lease

log = logging.getLogger(__name__)


@dataclass
class Services:
    """The clock, the journal, the lease and the plugins that serve the whole fleet."""

    clock: Clock
    journal: Journal
    lease: Lease
    disk: Disk
    """The disk as the fleet's owner writes to it."""
    runtime: Runtime
    wakeups: Wakeups
    reactions: Callable[[], Sequence[Reaction]]
    notifiers: Sequence[Notifier]
    variables: Mapping[str, str]
    """Our own environment, from which agents get what the settings allow."""
    settings: Callable[[], Settings]
    """The configuration in force; it may change while running."""
    listener: Callable[[Event], None]
    """Is told each event after it is in the journal."""
    sample: Callable[[], Awaitable[Sample]]
    """Looks how loaded the machine is and what its disk has left, on a thread: a disk may not answer."""
    course: CourseKeeper
    """How the run goes."""
    provision: Provision
    """Who serves, and what is used."""
    trees: Trees = field(default_factory=Trees)
    """The trees of processes of what runs."""
    held: Held = field(default_factory=Held)
    """The secrets that no event, notice, note, screen or commit may show."""

    def record(
        self, event: str, subject: TaskRef | AttemptId | None = None, *, workspace: str = "", **data: object
    ) -> None:
        """Write what happened to the journal, then tell the listener. Raises `LeaseLostError` if it is another's."""
        entry = self._event(event, subject, workspace, data)
        self.journal.write(entry)
        self.listener(entry)
        self.provision.hear(entry)
        self.course.hear(entry)

    def tell(self, event: str, **data: object) -> None:
        """Tell the listener alone: for what happens once the journal is another's."""
        self.listener(self._event(event, None, "", data))

    def _event(
        self, event: str, subject: TaskRef | AttemptId | None, workspace: str, data: Mapping[str, object]
    ) -> Event:
        if event not in EVENTS:
            raise ValueError(f"not in the journal's vocabulary: {event}")
        task = subject.task if isinstance(subject, AttemptId) else subject
        return Event(
            time=self.clock.now(),
            event=event,
            workspace=task.workspace if task else workspace,
            task=task.id if task else "",
            attempt=subject.number if isinstance(subject, AttemptId) else 0,
            epoch=self.lease.epoch,
            data=throughout(dict(data), lambda text: self.held.redact(clean(text))),
        )

    async def notify(self, urgency: Urgency, title: str, text: str = "", task: TaskRef | None = None) -> None:
        """Tell a person, by every chosen way."""
        redact = self.held.redact
        notice = Notice(
            urgency=urgency, title=redact(title), text=redact(text), task=str(task or ""), at=self.clock.now()
        )
        for notifier in self.notifiers:
            await notifier.notify(notice)

    def allowed_environment(self) -> dict[str, str]:
        """Return the variables of ours that programs we start may see."""
        allowed = self.settings().runtime.environment
        return {name: self.variables[name] for name in allowed if name in self.variables}

    def file_bytes(self) -> int:
        """Return the size that no file of a program we start may pass; 0: no limit."""
        return int(self.settings().limits.file_gb * 1e9)

    def output_bytes(self) -> int:
        """Return the bytes of output that an agent may write; 0: no limit."""
        return self.settings().limits.output_mb * MEGABYTE
