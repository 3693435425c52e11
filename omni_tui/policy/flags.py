"""Feature flags: what a task requires that is not so, what waits behind it, and what a person should know before.

A task that requires a flag in another state than it is in would fail, or worse, land untested code. So it is held,
unless it declares that it stubs what lies behind the flag.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from omni_tui.model.flag import FLAG_NAME, ON, STATE, Flag, Flags
from omni_tui.model.task import Task, TaskRef
from omni_tui.model.text import code
from omni_tui.policy.dependencies import Dependencies, parse_ref
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.judges import Stateless
from omni_tui.policy.lineup import Lineup

AS_WRITTEN = "`name=state`, as in `snapshot_read=on` or `rollout=10%`"
"""How an entry of a head names a flag and its state."""


class Requirement(NamedTuple):
    """A flag, and the state in which a task needs it."""

    name: str
    state: str

    @property
    def possible(self) -> bool:
        """Whether a flag can have that name, and be in that state."""
        return FLAG_NAME.fullmatch(self.name) is not None and re.fullmatch(STATE, self.state) is not None


class FlagWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the backlog that a flag will hold, or that builds on what no flag shows yet."""

    task: TaskRef
    flag: str
    message: str
    fix: str
    behind: tuple[TaskRef, ...] = ()
    """Tasks that can start only after it."""


def requirement(text: str) -> Requirement:
    """Read an entry of a head's list of flags: `name=state`, or a name alone, which means on."""
    name, _, state = text.partition("=")
    return Requirement(name.strip(), state.strip() or ON)


def names(entries: Iterable[str]) -> list[str]:
    """Return the flags that a list of a head names, each once."""
    return list(dict.fromkeys(requirement(entry).name for entry in entries))


def unmet(task: Task, known: Mapping[str, Flag]) -> list[Requirement]:
    """Return what a task requires that is not so, and that it does not stub."""
    stubs = set(names(task.stubs_flags))
    wanted = [requirement(entry) for entry in task.requires_flags]
    return [each for each in wanted if each.name not in stubs and not _is_so(known.get(each.name), each.state)]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question that names the flag which was likely meant; empty: none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean {code(near[0])}?" if near else ""


def cure(name: str, state: str, workspace: str) -> str:
    """Return the command that puts a flag into a state."""
    return f"`omni-tui flag set {name} {state} --workspace {workspace}`"


class FlagGates(Stateless):
    """Holds what a flag keeps from working; knows of the tasks after it, too. Costs what the tasks with flags cost."""

    def __init__(self, lineup: Lineup, flags: Mapping[str, Flags]) -> None:
        self._flags = flags
        self._lacking = {
            ref: lacking[0] for ref, task in lineup.flagged.items() if (lacking := unmet(task, self._of(task).known))
        }
        self.ends = {
            ref: f"{root} needs the flag {code(self._lacking[root].name)} to be {self._lacking[root].state}"
            for ref, root in lineup.dependencies.behind(self._lacking).items()
        }
        """For each task behind one that a flag holds: what its way of dependencies ends at."""

    def hold(self, task: Task) -> Hold | None:
        """Return the flag that holds a task."""
        lacking = self._lacking.get(task.ref)
        return _hold(task, lacking, self._of(task)) if lacking is not None else None

    def _of(self, task: Task) -> Flags:
        return self._flags.get(task.workspace, Flags())


def warnings(tasks: Sequence[Task], flags: Mapping[str, Flags]) -> list[FlagWarning]:
    """Say, before the night, which of `tasks` (those that have not landed) a flag will hold; `flags` by workspace.

    Also told: a task that builds on one that ships behind a flag which is not on, and does not say how it copes.
    """
    providers: dict[str, dict[str, list[Task]]] = defaultdict(lambda: defaultdict(list))
    for task in tasks:
        for name in names(task.provides_flags):
            providers[task.workspace][name].append(task)
    held = [task.ref for task in tasks if unmet(task, flags.get(task.workspace, Flags()).known)]
    after: dict[TaskRef, list[TaskRef]] = defaultdict(list)
    for ref, root in Dependencies(tasks, {}).behind(held).items():
        after[root].append(ref)
    by_ref = {task.ref: task for task in tasks}
    found: list[FlagWarning] = []
    for task in tasks:
        known = flags.get(task.workspace, Flags()).known
        for lacking in unmet(task, known):
            provided = providers[task.workspace]
            ships = [each for each in provided.get(lacking.name, ()) if each.ref != task.ref]
            found.append(_required(task, lacking, known, ships, provided, tuple(sorted(after[task.ref]))))
        found += _built_upon(task, by_ref, known)
    return found


def _is_so(flag: Flag | None, state: str) -> bool:
    return flag is not None and flag.state.casefold() == state.casefold()


def _hold(task: Task, lacking: Requirement, flags: Flags) -> Hold:
    need = f"needs the flag {code(lacking.name)} to be {lacking.state}"
    flag = flags.known.get(lacking.name)
    if not lacking.possible:
        return Hold(
            kind=HoldKind.FLAG,
            message=f"{need}, and no flag can be that",
            remedy=f"by having its head say {AS_WRITTEN}",
        )
    if flag is not None:
        message = f"{need}, it is {flag.state}" + (f"; {flag.by} flips it" if flag.by else "")
    elif flags.fault:
        message = f"{need}, and its flags cannot be read: {flags.fault}"
    else:
        near = nearest(lacking.name, flags.known)
        message = f"{need}, which flags.toml does not name" + (f"; {near}" if near else "")
    remedy = "by mending flags.toml" if flags.fault and flag is None else f"by {cure(*lacking, task.workspace)}"
    return Hold(kind=HoldKind.FLAG, message=message, remedy=remedy)


def _required(
    task: Task,
    lacking: Requirement,
    known: Mapping[str, Flag],
    ships: Sequence[Task],
    provided: Iterable[str],
    behind: tuple[TaskRef, ...],
) -> FlagWarning:
    name, state = lacking
    flag = known.get(name)
    stub = f'have it declare `stubs_flags = ["{name}"]`'
    now = f"is {flag.state}" if flag is not None else "is not in flags.toml"
    by = f"{flag.by} flips" if flag is not None and flag.by else "somebody flips"
    if not lacking.possible:
        message = f"requires the flag {code(name)} to be {state}, and no flag can be that"
        fix = f"held until its head says {AS_WRITTEN}"
    elif ships:
        provider = ", ".join(str(each.ref) for each in ships)
        message = f"assumes the flag {code(name)} to be {state}; {provider} ships behind it, and it {now}"
        fix = f"held until {by} it after {provider} has landed, {cure(name, state, task.workspace)}; or {stub}"
    elif flag is not None:
        message = f"requires the flag {code(name)} to be {state}; it {now}"
        fix = f"held until {by} it, {cure(name, state, task.workspace)}; or {stub}"
    else:
        message = f"requires the flag {code(name)}, which neither flags.toml nor another task names"
        fix = (
            nearest(name, [*known, *provided])
            or f"set it, {cure(name, state, task.workspace)}, or take it out of the head"
        )
    return FlagWarning(task=task.ref, flag=name, message=message, fix=fix, behind=behind)


def _built_upon(task: Task, by_ref: Mapping[TaskRef, Task], known: Mapping[str, Flag]) -> Iterator[FlagWarning]:
    """Name the flags behind which what a task builds on ships, where the task says nothing of them."""
    said = {*names(task.requires_flags), *names(task.stubs_flags), *names(task.provides_flags)}
    for text in task.depends_on:
        provider = by_ref.get(parse_ref(text, task.workspace))
        if provider is None or provider.workspace != task.workspace:
            continue
        for name in names(provider.provides_flags):
            if name not in said and not _is_so(known.get(name), ON):
                yield FlagWarning(
                    task=task.ref,
                    flag=name,
                    message=f"builds on {provider.ref}, which ships behind the flag {code(name)}, and that is not on",
                    fix=f'say in its head how it copes: `requires_flags = ["{name}=on"]` waits for the flag, '
                    f"`stubs_flags` does without, `provides_flags` ships behind it as well",
                )
