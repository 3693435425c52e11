"""Salvage: an agent is ended as a whole, and all that it left is kept before its checkout goes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec

from omni_tui.engine.services import Services
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError
from omni_tui.model.attempt import AttemptId
from omni_tui.model.text import plain
from omni_tui.plugins.runtime.protocol import Handle
from omni_tui.plugins.scm.protocol import Rescue
from omni_tui.plugins.workspace.protocol import Worktree

SHOWN_LINES = 15
"""Lines of an ended agent's screen that are kept with its failure."""

KEEPING_SECONDS = 10.0
"""For which an end waits at most until what the agent has not committed is kept."""


class Salvage(msgspec.Struct, frozen=True, kw_only=True):
    """What an ended agent left: the branch's head, and the commit that keeps what it had not committed."""

    head: str = ""
    rescue: str = ""
    checkout: str = ""
    """The checkout, where it has to stay because not all of it could be committed."""
    shown: str = ""
    """The last lines on the agent's screen: where it never came to work, they say why."""
    final: str = ""
    """Why no attempt may follow this one if it fails; empty: one may."""

    @property
    def work(self) -> str:
        """The commit that holds all of it; empty: there is none."""
        return self.rescue or self.head


async def end_agent(services: Services, attempt: AttemptId, handle: Handle) -> str:
    """End an agent's whole tree, with a receipt in the journal; return the last lines that it showed."""
    runtime = services.runtime
    receipt = await runtime.kill(handle, grace=services.settings().limits.kill_grace_seconds)
    services.record("attempt.killed", attempt, receipt=msgspec.to_builtins(receipt))
    await runtime.release(handle)  # first: only what it keeps is sure to be all that was shown
    screen = await runtime.screen(handle)
    return "\n".join([line for line in map(plain, screen.lines) if line][-SHOWN_LINES:])


async def end_at_work(
    services: Services, place: Workplace, attempt: AttemptId, worktree: Worktree, handle: Handle
) -> str:
    """As `end_agent`, but what it has not committed is kept first: told to end, some programs tidy up behind them."""
    if not services.runtime.alive(handle):
        return await end_agent(services, attempt, handle)
    keeping = asyncio.ensure_future(_keep(place, attempt, worktree))
    try:
        await asyncio.wait((keeping,), timeout=KEEPING_SECONDS)
        shown = await end_agent(services, attempt, handle)
        await keeping  # it and what is kept after the end go to the same ref
        return shown
    finally:
        keeping.cancel()


async def _keep(place: Workplace, attempt: AttemptId, worktree: Worktree) -> None:
    path = Path(worktree.path)
    with suppress(OmniError, OSError):  # met again, and told, once it has ended
        head = await place.scm.collect(path, attempt.branch)
        await place.scm.rescue(path, head or worktree.base, attempt.rescue_ref)


async def keep_work(
    services: Services, place: Workplace, attempt: AttemptId, worktree: Worktree, shown: str, final: str
) -> Salvage:
    """Bring in the branch of an ended agent, keep what it had not committed, and remove its checkout.

    The checkout stays where it holds what no commit could take. Raises `ScmError`, with nothing removed, where it
    cannot be read.
    """
    path, scm = Path(worktree.path), place.scm
    head = await scm.collect(path, attempt.branch) or ""
    rescue = await scm.rescue(path, head or worktree.base, attempt.rescue_ref)
    stays = worktree.path if rescue.left_out else ""
    if rescue.commit or stays:
        _tell(services, attempt, rescue, stays)
    if not stays:
        await place.checkouts.remove(path)
    head = head if head != worktree.base else ""
    return Salvage(head=head, rescue=rescue.commit, checkout=stays, shown=shown, final=final)


def _tell(services: Services, attempt: AttemptId, rescue: Rescue, checkout: str) -> None:
    ref = attempt.rescue_ref if rescue.commit else ""
    services.record(
        "attempt.rescued",
        attempt,
        ref=ref,
        commit=rescue.commit,
        left_out=rescue.left_out,
        checkout=checkout,
        kept=" and ".join(filter(None, (ref, checkout))),
    )
