"""Premises: under what conditions a workplace's tasks may start: its flags, and which texts the settings refuse.

Both are kept from what changed. A mistake in `flags.toml` is told, and its last good state stays in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError
from omni_tui.model.flag import Flag, Flags
from omni_tui.model.lint import LintKind, LintSettings
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.taskfile import line_in
from omni_tui.policy.claims import claims
from omni_tui.policy.flags import names
from omni_tui.policy.spec import Spec, SpecFinding, Surroundings
from omni_tui.policy.specs import lint, refusal, refusing
from omni_tui.store.reading import read_small

READ_AT_ONCE = 20
"""Texts that are read before others may go on: one takes a millisecond or so."""


class Premises:
    """One workplace's. `changed` is set by whoever sees that `flags.toml` changed."""

    def __init__(self, place: Workplace, services: Services, tell: Callable[[str], None]) -> None:
        """Take where it is, and by what a person is told of a mistake, and with nothing, that it is mended."""
        self.changed = asyncio.Event()
        self.changed.set()
        self.refused: dict[TaskRef, str] = {}
        """Tasks that the settings refuse, and why."""
        self._place = place
        self._services = services
        self._tell = tell
        self._begun = False
        self._read: tuple[object, ...] = ()
        self._alone: dict[TaskRef, tuple[Task, list[SpecFinding]]] = {}
        self._settings: LintSettings | None = None

    async def refresh(self, waiting: Sequence[Task], backlog: Callable[[], Mapping[TaskRef, Status]]) -> None:
        """Look again at what changed: the flags, the texts of those who wait.

        `backlog` gives every task there is, and where it is: what has landed is defined from then on.
        """
        if self.changed.is_set():
            self.changed.clear()
            self._take_flags()
        settings = self._services.settings().lint
        needing = refusing(settings, needs=True)
        there = backlog() if needing else None
        read = (waiting, settings, there, self._place.flags if needing else None)
        if read != self._read:
            await self._review(waiting, settings, there)
            self._read = read

    # -- flags -----------------------------------------------------------------------------------------------------

    def _take_flags(self) -> None:
        before, file = self._place.flags, self._place.paths.flags.name
        try:
            known = self._place.ground.flags()
        except OmniError as error:
            self._place.flags = Flags(known=before.known, fault=str(error))
            if self._place.flags != before:
                self._services.record("flags.refused", workspace=self._place.name, file=file, error=str(error))
                self._tell(f"the last good flags of {self._place.name} stay in force: {error}")
            return
        self._place.flags = Flags(known=known)
        changes = _changes(before.known, known)
        if self._begun and changes:
            self._services.record("flags.taken", workspace=self._place.name, file=file, changes=changes)
        if before.fault:
            self._tell("")
        self._begun = True

    # -- texts -----------------------------------------------------------------------------------------------------

    async def _review(
        self, waiting: Sequence[Task], settings: LintSettings, backlog: Collection[TaskRef] | None
    ) -> None:
        if settings != self._settings:
            self._settings, self._alone = settings, {}
        alone, needing = refusing(settings, needs=False), refusing(settings, needs=True)
        around = await self._surroundings(waiting, needing, backlog)
        kept: dict[TaskRef, tuple[Task, list[SpecFinding]]] = {}
        refused: dict[TaskRef, str] = {}
        for number, task in enumerate(waiting, 1):
            known = self._alone.get(task.ref)
            if known is None or known[0] is not task:
                known = (task, lint(task, around, alone))
            kept[task.ref] = known
            findings = [*known[1], *lint(task, around, needing)] if needing else known[1]
            if findings:
                refused[task.ref] = self._reason(task, findings[0])
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._alone, self.refused = kept, refused

    async def _surroundings(
        self, waiting: Sequence[Task], needing: Collection[LintKind], backlog: Collection[TaskRef] | None
    ) -> Surroundings:
        find = self._services.held.find
        if not needing:
            return Surroundings(find_secrets=find)
        claimed = {claim.name for task in waiting for claim in claims(Spec(task))} if LintKind.EXISTS in needing else ()
        try:
            definitions = await self._place.ground.definitions(claimed)
        except OmniError as error:
            self._services.record("core.fault", where=f"definitions of {self._place.name}", error=str(error))
            definitions = {}
        provided = {name for task in waiting for name in names(task.provides_flags)}
        return Surroundings(
            backlog=backlog, flags={*self._place.flags.known, *provided}, definitions=definitions, find_secrets=find
        )

    def _reason(self, task: Task, finding: SpecFinding) -> str:
        found = self._place.queue.find(task.id)
        line = 1
        if found is not None:
            try:
                line = line_in(read_small(found[1]), *finding.place)
            except (OSError, OmniError):  # moved or spoilt meanwhile, which the intake sees
                line = 1
        return refusal(finding, line)


def _changes(before: Mapping[str, Flag], after: Mapping[str, Flag]) -> list[str]:
    """Say in a few words which flags are in another state."""
    states = {name: (before.get(name), after.get(name)) for name in sorted({*before, *after})}
    return [
        f"{name} {old.state if old else 'new'} → {new.state if new else 'gone'}"
        for name, (old, new) in states.items()
        if old is None or new is None or old.state != new.state
    ]
