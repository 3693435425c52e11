"""Specs: whether a task can be finished as it is written. Every kind of finding is one function of the table.

What is found is told; what the settings refuse keeps the task from starting, before an agent has spent a night on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from omni_tui.model.lint import LintKind, LintLevel, LintSettings
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy import claims, declared, wording
from omni_tui.policy.holds import Hold, HoldKind
from omni_tui.policy.judges import Stateless
from omni_tui.policy.spec import TITLE, Place, Spec, SpecFinding, Surroundings


class Kind(NamedTuple):
    """How one kind of fault is found."""

    find: Callable[[Spec, Surroundings], Iterator[SpecFinding]]
    needs: bool = False
    """Whether it depends on more than the text: it has to be looked for again when the surroundings change."""


def _secrets(spec: Spec, around: Surroundings) -> Iterator[SpecFinding]:
    """Find secrets; what they are is told, never their values."""
    title = [(leak.what, TITLE) for leak in around.find_secrets(spec.task.title)]
    body = [(leak.what, _place(spec.task.body, leak.start)) for leak in around.find_secrets(spec.task.body)]
    for what, place in dict.fromkeys(title + body):
        yield SpecFinding(
            kind=LintKind.SECRET,
            message=f"holds a secret ({what}), which an agent and its provider would read",
            fix="take it out and name the variable that holds it; if it was a real one, replace it",
            place=place,
        )


def _place(body: str, start: int) -> Place:
    return Place(line=body.count("\n", 0, start) + 1)


def _alone(find: Callable[[Spec], Iterator[SpecFinding]]) -> Kind:
    return Kind(lambda spec, _: find(spec))


KINDS: Mapping[LintKind, Kind] = {
    LintKind.SECRET: Kind(_secrets),
    LintKind.KEY: _alone(declared.keys),
    LintKind.NO_FILES: _alone(wording.no_files),
    LintKind.NO_TESTS: _alone(wording.no_tests),
    LintKind.NO_ACCEPTANCE: _alone(wording.no_acceptance),
    LintKind.ENDLESS: _alone(wording.endless),
    LintKind.SEVERAL: _alone(wording.several),
    LintKind.EXISTS: Kind(claims.exists, needs=True),
    LintKind.FLAG: Kind(declared.flags, needs=True),
    LintKind.DEPENDENCY: Kind(declared.dependencies, needs=True),
}
"""Everything that is looked for, the worst first."""


def lint(task: Task, around: Surroundings, kinds: Iterable[LintKind]) -> list[SpecFinding]:
    """Return what of these `kinds` is found in a task's text."""
    spec = Spec(task)
    return [finding for kind in kinds for finding in KINDS[kind].find(spec, around)]


def wanted(settings: LintSettings) -> list[LintKind]:
    """Return the kinds that are not off, those first that refuse."""
    kinds = [kind for kind in KINDS if settings.level(kind) is not LintLevel.OFF]
    return sorted(kinds, key=lambda kind: settings.level(kind) is not LintLevel.REFUSE)


def refusing(settings: LintSettings, *, needs: bool) -> list[LintKind]:
    """Return the kinds that keep a task from starting: those that need surroundings, or those that do not."""
    return [kind for kind in KINDS if settings.level(kind) is LintLevel.REFUSE and KINDS[kind].needs is needs]


def refusal(finding: SpecFinding, line: int) -> str:
    """Say why a task is refused, by a finding at a line of its file."""
    return f"refused as it is written: line {line}: {finding.message}; {finding.fix}"


class Refusals(Stateless):
    """Holds what the settings refuse to start as it is written."""

    def __init__(self, refused: Mapping[TaskRef, str]) -> None:
        """Take why each refused task is refused."""
        self._refused = refused

    def hold(self, task: Task) -> Hold | None:
        """Return what is wrong with a task's text."""
        reason = self._refused.get(task.ref)
        return Hold(kind=HoldKind.LINT, message=reason) if reason else None
