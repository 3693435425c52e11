"""The life of a task, told once.

Every step is durable (see `steps`): entering `deliver` again after a crash replays what is done and goes on at what is
not. A live agent is adopted, because `launch` finds it and `watch` reads its signals from the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Protocol

import msgspec

from omni_tui.engine.attempt import Attempt, Watched
from omni_tui.engine.check import CheckResult, Started
from omni_tui.engine.landing import Landing
from omni_tui.engine.launching import Launched
from omni_tui.engine.salvage import Salvage
from omni_tui.engine.steps import AttemptFailedError
from omni_tui.model.failure import Failure, Move, MoveKind
from omni_tui.model.verdict import Verdict
from omni_tui.plugins.scm.protocol import Merge
from omni_tui.plugins.workspace.protocol import Worktree


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a task's life, or this stretch of it, ended: landed with `merge`, or `move` says what comes next."""

    merge: Merge | None = None
    move: Move | None = None
    failures: tuple[Failure, ...] = ()


class Crew(Protocol):
    """What `deliver` needs of whoever runs it; `engine.delivery` is the one."""

    async def next_attempt(self, failures: Sequence[Failure]) -> Attempt:
        """Return the attempt that a crash left, or a new one: which consumes it."""
        ...

    async def pause(self, move: Move) -> bool:
        """Wait as `move` says; False: too long to keep a slot for, something holds the task, or an order came."""
        ...


async def deliver(crew: Crew) -> Ending:
    """Try until the task's change has landed, or until a person must look."""
    failures: list[Failure] = []
    while True:
        attempt = await crew.next_attempt(failures)
        try:
            merge = await land_one(attempt)
        except AttemptFailedError as failed:
            failures.append(failed.failure)
            attempt.fall_out(failed.failure)
        else:
            return Ending(merge=merge, failures=tuple(failures))
        move = await attempt.step("conclude", Move, partial(attempt.conclude, failures))
        if move.kind is MoveKind.BLOCK or not await crew.pause(move):
            return Ending(move=move, failures=tuple(failures))


async def land_one(attempt: Attempt) -> Merge:
    """One attempt: from an empty checkout to the release branch."""
    worktree = await attempt.step("prepare", Worktree, attempt.prepare)
    salvage, launched, watched = await work(attempt, worktree)
    landing = attempt.landing(salvage, launched, watched)
    try:
        await attempt.step("inspect", Verdict, landing.inspect)
        for turn in count(1):
            await landing.cleared(turn)
            async with landing.turn():
                merge = await merge_in(attempt, landing, turn)
            if merge is not None:
                return merge
    except AttemptFailedError as failed:
        raise failed.keeping(salvage.work, salvage.checkout, final=salvage.final) from failed
    raise AssertionError("unreachable: an endless count has ended")


async def merge_in(attempt: Attempt, landing: Landing, turn: int) -> Merge | None:
    """Squash, check and land; None: the check was lost, the release branch has moved meanwhile, or a freeze came."""
    merge = await attempt.step(f"squash.{turn}", Merge, landing.squash)
    if landing.has_check and not await is_sound(attempt, landing, merge, turn):
        return None
    if not await attempt.step(f"land.{turn}", bool, partial(landing.land, merge)):
        return None
    attempt.board.end("")
    return merge


async def work(attempt: Attempt, worktree: Worktree) -> tuple[Salvage, Launched, Watched]:
    """Let the agent work; whatever becomes of it, its tree is ended and its work kept."""
    launched: Launched | None = None
    try:
        launched = await attempt.step("launch", Launched, partial(attempt.launch, worktree))
        await attempt.step("confirm", type(None), partial(attempt.confirm, worktree, launched))
        watched = await attempt.step("watch", Watched, partial(attempt.watch, worktree, launched))
    except AttemptFailedError as failed:
        salvage = await attempt.step("salvage", Salvage, partial(attempt.salvage, worktree, launched))
        raise failed.keeping(salvage.work, salvage.checkout, salvage.shown, salvage.final) from failed
    salvage = await attempt.step("salvage", Salvage, partial(attempt.salvage, worktree, launched))
    return salvage, launched, watched


async def is_sound(attempt: Attempt, landing: Landing, merge: Merge, turn: int) -> bool:
    """Check exactly the tree that will land; False: that was ended from outside, so nothing is known.

    Raises where it fails. Whose fault that is, the same check tells on the release branch without the change.
    """
    result = await check(attempt, landing, merge.commit, f"{turn}")
    if result.passed or landing.is_worth_another(result, turn):
        return result.passed
    before = None if landing.was_sound(merge.onto) else await check(attempt, landing, merge.onto, f"base.{turn}")
    raise landing.refuse(result, before)


async def check(attempt: Attempt, landing: Landing, commit: str, key: str) -> CheckResult:
    """Run the check on a fresh checkout of a commit, and clear both away."""
    checkout = await attempt.step(f"checkout.{key}", str, partial(landing.checkout, commit, key))
    started: Started | None = None
    try:
        started = await attempt.step(f"checking.{key}", Started, partial(landing.start_check, checkout, key))
        result = await attempt.step(f"check.{key}", CheckResult, partial(landing.finish_check, started, commit))
    except AttemptFailedError:
        await attempt.step(f"clear.{key}", type(None), partial(landing.clear_check, checkout, started))
        raise
    await attempt.step(f"clear.{key}", type(None), partial(landing.clear_check, checkout, started))
    return result
