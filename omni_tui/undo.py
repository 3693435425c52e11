"""Undoing the end of an attempt: the work that a kill, a redispatch or a failure left, for a person to go on with.

The fleet's own tree is only read: what is kept stays kept.
"""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path

import msgspec

from omni_tui.errors import OmniError, UsageError
from omni_tui.fleet import Fleet
from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import Status
from omni_tui.model.text import one_line, plural
from omni_tui.model.view import TaskRow
from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.kept import Kept, check_out, find_kept
from omni_tui.plugins.scm.origin import push
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.runs import Run


class NothingKeptError(OmniError):
    """An attempt left no work."""

    code = "nothing_kept"


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What was brought back, and where it is."""

    task: str
    attempt: int
    ref: str
    """Where the fleet's repository keeps it."""
    commit: str
    files: int
    added: int
    """Lines, as the next."""
    removed: int
    branch: str
    """Its name where it was brought to."""
    place: str = ""
    """The repository that has the branch now: where the fleet's came from, or a fresh checkout; empty: none has."""
    refused: str = ""
    """Why the repository that the fleet's came from has it not."""
    fetch: str = ""
    """The command that brings it into any clone."""
    go_on: str = ""
    """The command that goes on with it where it is now."""
    beside: tuple[str, ...] = ()
    """Refs of what else the attempt's checkout held."""
    checkout: str = ""
    """The attempt's own checkout, where it stays because not all of it could be committed."""


async def bring_back(fleet: Fleet, row: TaskRow, number: int | None = None, to: Path | None = None) -> Undone:
    """Bring back the work of an attempt, else of the latest that left any: as a branch, or in a checkout at `to`.

    Raises `NothingKeptError` where there is none, `UsageError` for an attempt that is not over, `ScmError`.
    """
    paths, settings = fleet.paths.workspace(row.ref.workspace), fleet.workspace_settings(row.ref.workspace)
    bare = Git(git_dir=paths.repo)
    kept = _choose(row, await asyncio.to_thread(find_kept, bare, row.ref), number, paths)
    name = f"omni/rescued/{row.ref.id}/{kept.attempt}"
    branch = WritableRef(f"refs/heads/{name}", protected=frozenset(filter(None, (settings.base,))))
    undone = await _found(fleet, row, kept, name)
    if to is not None:
        await asyncio.to_thread(check_out, paths.repo, kept.commit, branch, to, settings.repo)
        return msgspec.structs.replace(undone, place=str(to), go_on=f"cd {shlex.quote(str(to))}")
    refused = await _push(fleet, bare, settings.repo, branch, row, kept.commit)
    if refused:
        return msgspec.structs.replace(undone, refused=refused)
    local = Path(settings.repo).expanduser()
    switch = f"git -C {shlex.quote(str(local))} switch {name}" if (local / ".git").exists() else ""
    switch = switch or f"git fetch origin {name} && git switch {name}"
    return msgspec.structs.replace(undone, place=settings.repo, go_on=switch)


async def _found(fleet: Fleet, row: TaskRow, kept: Kept, branch: str) -> Undone:
    """Say what is kept. Raises `NothingKeptError` where the attempt changed nothing."""
    paths, attempt = fleet.paths.workspace(row.ref.workspace), AttemptId(row.ref, kept.attempt)
    change = await fleet.scm(row.ref.workspace).change(kept.commit)
    if not change.files:
        raise _nothing(row, kept.attempt, paths)
    return Undone(
        task=str(row.ref),
        attempt=kept.attempt,
        ref=kept.ref,
        commit=kept.commit,
        files=len(change.files),
        added=change.added,
        removed=change.removed,
        branch=branch,
        fetch=f"git fetch {shlex.quote(str(paths.repo))} {kept.ref}:{branch}",
        beside=kept.beside,
        checkout=_checkout_that_stays(Run(paths.run(attempt), attempt)),
    )


def words_of(undone: Undone) -> list[str]:
    """Say what was brought back and how to go on."""
    size = f"{plural(undone.files, 'file')}, +{undone.added} -{undone.removed} lines"
    lines = [f"{undone.task}: the work of attempt {undone.attempt} is kept: {size}"]
    if undone.place:
        lines += [f"  it is branch {undone.branch} of {one_line(undone.place)} now", f"  go on: {undone.go_on}"]
    else:
        lines += [f"  it was not pushed: {one_line(undone.refused)}", f"  fetch it in your clone: {undone.fetch}"]
        lines.append(f"  go on: git switch {undone.branch}")
    lines += [f"  also kept: {ref}" for ref in undone.beside]
    if undone.checkout:
        lines.append(f"  files that no commit could take are still in {one_line(undone.checkout)}")
    return lines


def _choose(row: TaskRow, kept: list[Kept], number: int | None, paths: WorkspacePaths) -> Kept:
    """Return the attempt that is meant. Raises `UsageError` or `NothingKeptError`."""
    running = row.attempt if row.status is Status.DOING else 0
    if number is not None and number == running:
        raise UsageError(f"attempt {number} is not over", where=str(row.ref), fix=f"see `omni-tui diff {row.ref}`")
    if number is not None:
        fitting = [each for each in kept if each.attempt == number]
    elif row.status is Status.DONE:  # its branch has landed, but for what was not committed
        fitting = [each for each in kept if each.ref == AttemptId(row.ref, each.attempt).rescue_ref]
    else:
        fitting = [each for each in kept if each.attempt != running]
    if fitting:
        return fitting[-1]
    if number is None and row.status is Status.DONE:
        fix = "name one that failed before with --attempt; what landed is undone by `git revert`"
        raise UsageError("its change has landed", where=str(row.ref), fix=fix)
    raise _nothing(row, number or row.attempt, paths)


def _nothing(row: TaskRow, number: int, paths: WorkspacePaths) -> NothingKeptError:
    """Say that nothing was kept, and what there is instead."""
    if not row.attempt:
        return NothingKeptError("it has had no attempt yet", where=str(row.ref), fix=f"see `omni-tui why {row.ref}`")
    attempt = AttemptId(row.ref, number)
    directory = paths.run(attempt)
    there = [name for name in ("verdict.json", "change.patch", "pane.log") if (directory / name).is_file()]
    fix = f"there is {', '.join(there)} in {directory}" if there else f"see `omni-tui show {row.ref}`"
    checkout = paths.worktrees / attempt.checkout
    if checkout.is_dir():
        return NothingKeptError(
            f"attempt {number} left no commit here, but its checkout is still there",
            where=str(row.ref),
            fix=f"look: git -C {shlex.quote(str(checkout))} log -p",
        )
    return NothingKeptError(f"attempt {number} left no work", where=str(row.ref), fix=fix)


async def _push(fleet: Fleet, bare: Git, origin: str, branch: WritableRef, row: TaskRow, commit: str) -> str:
    """Push to where the repository came from; return why it did not get there. What holds a secret does not leave."""
    if not origin:
        return "the repository came from nowhere"
    added = await fleet.scm(row.ref.workspace).additions(commit)
    if added is None:
        return "it is too large to be searched for secrets"
    if fleet.held.find(added):
        return "it holds a secret, which must not leave the fleet"
    pushed = await asyncio.to_thread(push, bare, origin, branch, commit)
    return "" if pushed.pushed else pushed.reason or "it was refused"


def _checkout_that_stays(run: Run) -> str:
    for record in run.steps():
        if record.key == "salvage" and isinstance(record.result, dict):
            path = str(record.result.get("checkout", ""))
            return path if path and Path(path).is_dir() else ""
    return ""
