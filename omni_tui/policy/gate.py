"""The gate: what an attempt's change is worth, over the change itself and never over the agent's prose.

Each finding blocks or flags by configuration. What a finding says is read by the agent that has to mend it and by a
person in the morning, so it names the thing and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from omni_tui.model.change import Change
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.task import Task
from omni_tui.model.text import listing
from omni_tui.model.verdict import Finding, FindingKind, Severity, Verdict
from omni_tui.policy.destruction import destruction
from omni_tui.policy.finding import Found
from omni_tui.policy.leaks import Find, leaks
from omni_tui.policy.places import missing_targets, off_target
from omni_tui.policy.protection import protected


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gate looks at."""

    task: Task
    settings: GateSettings
    change: Change | None = None
    """None: the attempt's branch has gone."""
    rescued: bool = False
    """Uncommitted work was found, and kept."""
    status: int | None = None
    """The agent's exit status, where that was its end."""
    origin_changed: bool = False
    """The checkout that the repository came from is not as it was when the attempt started."""
    conflicts: tuple[str, ...] = ()
    """Paths that do not merge onto the release branch."""
    additions: str | None = ""
    """The change's diff with every file taken as text; None: too much to look at."""
    title: str = ""
    """What would name the change when it lands."""
    find_secrets: Find = lambda _: ()
    """Returns the secrets in a text."""
    tree_paths: Collection[str] | None = None
    """Every file of the merged tree; None: it was not made."""


def inspect(evidence: Evidence) -> Verdict:
    """Judge a change; what blocks comes first."""
    findings = [finding for found in _look(evidence) if (finding := _weighed(found, evidence.settings)) is not None]
    return Verdict(findings=tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.BLOCK)))


def _weighed(found: Found, settings: GateSettings) -> Finding | None:
    """Give a finding its severity by configuration, never more than it may have at all; None: not looked for."""
    severity = Severity.BLOCK if found.certain else settings.severity(found.kind)
    if severity is Severity.OFF:
        return None
    if found.flag_only:
        severity = Severity.FLAG
    return Finding(kind=found.kind, severity=severity, message=found.message, paths=found.paths)


def _look(evidence: Evidence) -> Iterator[Found]:
    change = evidence.change
    if change is None or not change.commits or not change.files:
        yield from _nothing_made(evidence)
        return
    missed = off_target(evidence.task, change, evidence.tree_paths)
    yield from _wrong_place(missed, evidence.origin_changed)
    yield from missing_targets(evidence.task, change, evidence.tree_paths)
    yield from destruction(evidence.task, change, evidence.settings)
    yield from _too_large(change, evidence.settings)
    yield from protected(evidence.task, change, evidence.settings.protected_paths)
    yield from leaks(evidence.additions, evidence.title, evidence.find_secrets, evidence.settings.allow_secrets)
    if evidence.conflicts:
        yield Found(
            kind=FindingKind.MERGE_CONFLICT,
            message="It does not merge onto the release branch: "
            f"{listing(list(evidence.conflicts))} changed there too. "
            "Do the work again on the newest release branch, and keep what landed there.",
            paths=evidence.conflicts,
        )


def _nothing_made(evidence: Evidence) -> Iterator[Found]:
    """Say what an attempt without a change did instead. Work done elsewhere is the likelier reason, so it leads."""
    if evidence.origin_changed:
        yield Found(
            kind=FindingKind.WRONG_PLACE,
            message="The branch holds no change, but the checkout that the repository came from changed meanwhile. "
            "Work only in your own worktree, by relative paths, and commit there.",
        )
    if evidence.change is not None and evidence.change.commits:
        yield Found(
            kind=FindingKind.EMPTY_DIFF,
            message="The commits on the branch change nothing. Do the task's work and commit it.",
        )
        return
    left = f", and its agent exited with status {evidence.status}" if evidence.status else ""
    kept = " Uncommitted work was found and kept: look at it, finish it, and commit it." if evidence.rescued else ""
    yield Found(
        kind=FindingKind.NO_COMMIT,
        message=f"Nothing was committed on the branch{left}. Do the task's work and commit it.{kept}",
    )


def _wrong_place(missed: Found | None, origin_changed: bool) -> Iterator[Found]:
    if missed is not None:
        yield missed
    if origin_changed:
        yield Found(
            kind=FindingKind.WRONG_PLACE,
            message="The checkout that the repository came from changed while the attempt ran. "
            "That may have been a person; see that nothing there came from the agent.",
            flag_only=missed is None,
        )


def _too_large(change: Change, settings: GateSettings) -> Iterator[Found]:
    lines, files = change.added + change.removed, len(change.files)
    reasons = []
    if lines > settings.max_lines:
        reasons.append(f"{lines} lines (at most {settings.max_lines})")
    if files > settings.max_files:
        reasons.append(f"{files} files (at most {settings.max_files})")
    if change.truncated:
        reasons.append("a patch that is too long to be judged")
    if reasons:
        yield Found(
            kind=FindingKind.TOO_LARGE,
            message=f"The change has {' and '.join(reasons)}. Keep to what the task needs, without generated files; "
            "a task that needs more has to be split.",
        )
