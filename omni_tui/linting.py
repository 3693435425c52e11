"""Linting: tasks read against the fleet that they are in, or are for, as its files are now."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec.structs import replace

from omni_tui.config import load_flags
from omni_tui.errors import OmniError, TaskFileError
from omni_tui.fleet import Fleet
from omni_tui.ground import ProjectGround, find_shaped
from omni_tui.model.flag import Flag, FlagRow, Flags
from omni_tui.model.lint import LintKind, LintLevel, LintSettings
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.taskfile import line_in
from omni_tui.model.text import plural
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.policy.claims import claims
from omni_tui.policy.flags import FlagWarning, names, unmet, warnings
from omni_tui.policy.spec import Spec, Surroundings
from omni_tui.policy.specs import lint, refusal, wanted
from omni_tui.store.reader import FleetReader
from omni_tui.store.reading import read_small

FLAG_OFF = "flag_off"
"""The kind of a remark on a task that a flag will hold."""

UNREADABLE = "unreadable"
"""The kind of a remark on a file that is no task."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A task, and the file that it is written in."""

    task: Task
    file: str = ""
    data: bytes | None = None
    """The file's content; none: it is read where a line of it is asked for."""

    def line(self, key: str, line: int) -> int:
        """Return the line of the file that a place in the task is at; 1 where the file does not tell (any more)."""
        with suppress(OSError, TaskFileError):
            data = read_small(Path(self.file)) if self.data is None else self.data
            return line_in(data, key, line) if data else 1
        return 1


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of a task's text."""

    task: str
    """`workspace/id`; without an id where it has none yet."""
    file: str
    line: int
    kind: str
    level: LintLevel
    message: str
    fix: str

    def __str__(self) -> str:
        """On a line: the file, what is wrong, and what to do."""
        return f"{self.file}:{self.line}: {self.message} ({self.fix})"

    @property
    def words(self) -> str:
        """What is wrong and what to do, on a line."""
        return f"line {self.line}: {self.message}; {self.fix}"


class Linter:
    """Reads tasks against one fleet. Blocks."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._reader = FleetReader(fleet.paths, fleet.clock.now, whole=True)
        self._view = self._reader.read()
        self._grounds: dict[str, ProjectGround] = {}
        self.faults: list[str] = []
        """What could not be read, so that something may not have been found."""

    @property
    def view(self) -> FleetView:
        """The fleet as it was read."""
        return self._view

    @cached_property
    def waiting(self) -> Sequence[Written]:
        """What is in `todo/`, but for what is no task."""
        return self._written(Status.TODO)

    @cached_property
    def unreadable(self) -> Sequence[Remark]:
        """What is in `todo/` and no task: whoever dispatches puts it into `blocked/`."""
        faults = self._reader.faults(Status.TODO)
        found = [no_task(str(ref), file, error) for file, (ref, error) in sorted(faults.items())]
        return [*found, *self._twice()]

    def _twice(self) -> Iterator[Remark]:
        """Give each waiting task whose id another has that waits, runs or has landed: only one of them can be kept."""
        others = {row.ref: row.path for row in self._view.rows if row.status in (Status.DOING, Status.DONE)}
        for each in self.waiting:
            other = others.setdefault(each.task.ref, each.file)
            if other != each.file:
                taken = TaskFileError(f"{Path(other).name} has the id {each.task.id} too", fix="give it another `id`")
                yield no_task(str(each.task.ref), each.file, taken)

    def tasks(self, *statuses: Status) -> list[Task]:
        """Return the tasks with these statuses, whole, in the order of their rows."""
        return [written.task for status in statuses for written in self._written(status)]

    def _written(self, status: Status) -> list[Written]:
        tasks = self._reader.tasks(status)
        files = (row.path for row in self._view.rows if row.status is status)
        return [Written(task=tasks[file], file=file) for file in files if file in tasks]

    def look(self, written: Sequence[Written]) -> list[Remark]:
        """Return what is to be said of these tasks, in their order, what refuses them first."""
        settings = self._fleet.settings.lint
        around = self._around(written, wanted(settings))
        return [remark for each in written for remark in remarks(each, around[each.task.workspace], settings)]

    def refusals(self) -> Mapping[TaskRef, str]:
        """Return which waiting tasks the settings refuse, and why."""
        settings = self._fleet.settings.lint
        kinds = [kind for kind in wanted(settings) if settings.level(kind) is LintLevel.REFUSE]
        written = self.waiting if kinds else ()
        around = self._around(written, kinds)
        found: dict[TaskRef, str] = {}
        for each in written:
            for finding in lint(each.task, around[each.task.workspace], kinds)[:1]:
                found[each.task.ref] = refusal(finding, each.line(*finding.place))
        return found

    def of_flags(self, written: Sequence[Written]) -> list[Remark]:
        """Return what is to be said of these tasks because of a flag that will hold them."""
        by_ref = {each.task.ref: each for each in written}
        return [
            Remark(
                task=str(warning.task),
                file=by_ref[warning.task].file,
                line=by_ref[warning.task].line("requires_flags", 0),
                kind=FLAG_OFF,
                level=LintLevel.WARN,
                message=warning.message
                + (f"; {plural(len(warning.behind), 'task')} after it" if warning.behind else ""),
                fix=warning.fix,
            )
            for warning in self.flag_warnings()
            if warning.task in by_ref and not self._is_unknown(warning)
        ]

    def flag_warnings(self) -> list[FlagWarning]:
        """Return which tasks that have not landed a flag will hold."""
        return warnings(self._open, self.flags)

    def _is_unknown(self, warning: FlagWarning) -> bool:
        """Whether nobody knows the flag of a warning, so that reading the task's text tells of it already."""
        workspace = warning.task.workspace
        return warning.flag not in self.flags[workspace].known and warning.flag not in self._provided[workspace]

    def flag_rows(self, workspace: str) -> list[FlagRow]:
        """Return a workspace's flags: those of its file, then those that only tasks name."""
        known = self.flags[workspace].known
        holds, ships = self._on_flags(workspace)
        rows = []
        for name in (*known, *sorted({*holds, *ships} - {*known})):
            flag = known.get(name, Flag(state=""))
            since = flag.since.isoformat() if flag.since is not None else ""
            row = FlagRow(workspace=workspace, name=name, state=flag.state, by=flag.by, since=since)
            rows.append(replace(row, holds=tuple(holds.get(name, ())), ships=tuple(ships.get(name, ()))))
        return rows

    def _on_flags(self, workspace: str) -> tuple[dict[str, list[TaskRef]], dict[str, list[TaskRef]]]:
        """Return, by flag, the tasks that wait for another state of it, and those that ship behind it."""
        holds: dict[str, list[TaskRef]] = defaultdict(list)
        ships: dict[str, list[TaskRef]] = defaultdict(list)
        for task in self._open:
            if task.workspace == workspace:
                for lacking in unmet(task, self.flags[workspace].known):
                    holds[lacking.name].append(task.ref)
                for name in names(task.provides_flags):
                    ships[name].append(task.ref)
        return holds, ships

    @cached_property
    def flags(self) -> Mapping[str, Flags]:
        """The feature flags of each workspace; where a file holds a mistake, none and why."""
        found = {}
        for name in self._fleet.paths.workspace_names():
            try:
                found[name] = Flags(known=load_flags(self._fleet.paths.workspace(name).flags))
            except OmniError as error:
                found[name] = Flags(fault=str(error))
                self.faults.append(str(error))
        return found

    @cached_property
    def _open(self) -> list[Task]:
        return self.tasks(Status.TODO, Status.DOING)

    @cached_property
    def _provided(self) -> Mapping[str, set[str]]:
        """The flags that the tasks of each workspace ship behind."""
        found: dict[str, set[str]] = defaultdict(set)
        for task in self._open:
            found[task.workspace].update(names(task.provides_flags))
        return found

    @cached_property
    def _refs(self) -> frozenset[TaskRef]:
        return frozenset(row.ref for row in self._view.rows)

    def _definitions(self, workspace: str, claimed: Collection[str]) -> Mapping[str, Sequence[str]]:
        try:
            return self._ground(workspace).look_up(claimed) if claimed else {}
        except OmniError as error:
            self.faults.append(str(error))
            return {}

    def _ground(self, name: str) -> ProjectGround:
        if name not in self._grounds:
            settings = self._fleet.workspace_settings(name)
            self._grounds[name] = ProjectGround(self._fleet.paths.workspace(name), settings)
        return self._grounds[name]

    def _around(self, written: Sequence[Written], kinds: Collection[LintKind]) -> Mapping[str, Surroundings]:
        """Return what tasks are read against, by workspace."""
        tasks: dict[str, list[Task]] = defaultdict(list)
        for each in written:
            tasks[each.task.workspace].append(each.task)
        return {name: self._surroundings(name, tasks[name], kinds) for name in tasks}

    def _surroundings(self, workspace: str, tasks: Sequence[Task], kinds: Collection[LintKind]) -> Surroundings:
        flags = self.flags.get(workspace, Flags())
        provided = self._provided[workspace].union(*(names(task.provides_flags) for task in tasks))
        claimed = {claim.name for task in tasks for claim in claims(Spec(task))} if LintKind.EXISTS in kinds else set()
        return Surroundings(
            backlog=self._refs | {task.ref for task in tasks},
            flags=None if flags.fault else {*flags.known, *provided},
            definitions=self._definitions(workspace, claimed),
            find_secrets=self._fleet.held.find,
        )


def remarks_on(fleet: Fleet, row: TaskRow) -> list[Remark]:
    """Return what is to be said of one task that waits; nothing where a file of the fleet's cannot be read."""
    if row.status is not Status.TODO:
        return []
    with suppress(OmniError, OSError):  # `lint` and `doctor` tell of it; who looks at a task sees the rest of it
        linter = Linter(fleet)
        written = [each for each in linter.waiting if each.file == row.path]
        return [*linter.look(written), *linter.of_flags(written)]
    return []


def by_itself() -> Surroundings:
    """Return what a text is read against that belongs to no fleet."""
    return Surroundings(find_secrets=find_shaped)


def no_task(name: str, file: str, error: TaskFileError) -> Remark:
    """Return what is to be said of a file that is no task, for this `error`."""
    line = re.search(r"line (\d+)$", error.where)
    return Remark(
        task=name,
        file=file,
        line=int(line[1]) if line else 1,
        kind=UNREADABLE,
        level=LintLevel.REFUSE,
        message=error.message,
        fix=error.fix,
    )


def remarks(written: Written, around: Surroundings, settings: LintSettings) -> list[Remark]:
    """Return what is to be said of one task, what refuses it first; once, where title and heading are one."""
    found = (
        Remark(
            task=f"{written.task.workspace}/{written.task.id}",
            file=written.file,
            line=written.line(*finding.place),
            kind=finding.kind.value,
            level=settings.level(finding.kind),
            message=finding.message,
            fix=finding.fix,
        )
        for finding in lint(written.task, around, wanted(settings))
    )
    return list(dict.fromkeys(found))
