"""Keeps the course of a run: folds each event as it is recorded, and records what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce

from omni_tui.model.brakes import Brakes
from omni_tui.model.course import Course
from omni_tui.model.event import Event
from omni_tui.model.provider import Provider
from omni_tui.model.settings import NightSettings
from omni_tui.policy.course import fold
from omni_tui.policy.decisions import Decided, decide


class CourseKeeper:
    """Holds the one course. `record` writes a decision to the journal, from where it comes back to `hear`."""

    def __init__(self, settings: Callable[[], NightSettings], providers: Callable[[], Mapping[str, Provider]]) -> None:
        self.course = Course()
        self.changed: Callable[[], None] = lambda: None
        """Called whenever the course has changed."""
        self.record: Callable[[Decided], None] = lambda _: None
        self.brakes = Brakes()
        """Those that are on."""
        self._settings = settings
        self._providers = providers

    def remember(self, events: Iterable[Event]) -> None:
        """Take up the course again from what the journal holds."""
        self.course = reduce(fold, events, self.course)

    def hear(self, event: Event) -> None:
        """Take in what happened, and record what follows."""
        before, self.course = self.course, fold(self.course, event)
        for decided in decide(before, self.course, event, self._settings(), self._providers()):
            self.record(decided)
        if self.course is not before:
            self.changed()
