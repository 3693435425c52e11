"""Commands that change what the fleet's owner does: filed as requests, carried out by the owner, answered.

Where nobody owns the fleet, the command takes the lease for the moment and carries its request out itself.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, read_fleet
from omni_tui.errors import LeaseHeldError, OmniError
from omni_tui.model.request import Reply, Request, RequestKind

if TYPE_CHECKING:
    from omni_tui.fleet import Fleet

PATIENCE_SECONDS = 90.0
"""How long to wait for the owner's reply: longer than the longest grace that an agent can be given to end."""

NOBODY = "nobody dispatches this fleet, so there is nothing to stop"


class RefusedError(OmniError):
    """The owner could not carry a request out."""

    code = "refused"


class NoReplyError(OmniError):
    """The owner has not answered in time."""

    code = "no_reply"


@click.command("kill")
@click.argument("task", type=TASK)
@click.option("--reason", default="", help="Why; kept with the task.")
@common
def kill(session: Session, task: str, reason: str) -> Answer:
    """End TASK's agent, with its whole process tree. What it made is kept."""
    return ask(session, RequestKind.KILL, task, reason)


@click.command("redispatch")
@click.argument("task", type=TASK)
@click.option("--reason", default="", help="Why; kept with the task.")
@common
def redispatch(session: Session, task: str, reason: str) -> Answer:
    """Queue TASK again with fresh attempts; if it runs, its agent is ended first."""
    return ask(session, RequestKind.REDISPATCH, task, reason)


@click.command("block")
@click.argument("task", type=TASK)
@click.option("--reason", default="", help="Why; kept with the task.")
@common
def block(session: Session, task: str, reason: str) -> Answer:
    """Take TASK out of the queue until a person has looked; if it runs, its agent is ended first."""
    return ask(session, RequestKind.BLOCK, task, reason)


@click.command("stop")
@common
def stop(session: Session) -> Answer:
    """End who dispatches this fleet, wherever that runs. In tmux its agents go on for the next start."""
    from omni_tui.store.lease import read_owner
    from omni_tui.store.paths import FleetPaths

    if read_owner(FleetPaths(session.root()).lease) is None:
        return Answer({"kind": RequestKind.STOP, "task": "", "message": NOBODY}, NOBODY)
    return file(session, Request(id="", kind=RequestKind.STOP))


def ask(session: Session, kind: RequestKind, word: str, reason: str = "", work: str = "") -> Answer:
    """Have one request on a task carried out and return what came of it. Raises `RefusedError` or `NoReplyError`.

    `work` is the commit that a redispatched task's next attempt is told of.
    """
    row = find_task(read_fleet(session.root()).rows, word)
    return file(session, Request(id="", kind=kind, task=str(row.ref), reason=reason, work=work))


def file(session: Session, request: Request) -> Answer:
    """Have a request carried out, under a name of its own, and return what came of it. Raises as `ask` does."""
    from omni_tui.fleet import Fleet

    fleet, kind, task = Fleet(session.root()), request.kind, request.task
    name = f"{kind.value}-{uuid.uuid4().hex[:12]}"
    named = msgspec.structs.replace(request, id=name, by="cli", at=fleet.clock.now())
    with progress(" ".join(filter(None, (kind.value, task, request.provider)))):
        message = asyncio.run(_carry_out(fleet, named))
    about = {"provider": request.provider} if request.provider else {"task": task}
    return Answer({"kind": kind, **about, "message": message}, message)


async def _carry_out(fleet: Fleet, request: Request) -> str:
    from omni_tui.store.lease import read_owner

    if read_owner(fleet.paths.lease) is None:
        try:
            core = fleet.lead("command", lambda _event: None)
        except LeaseHeldError:
            return await _by_owner(fleet, request)  # somebody was faster, and will do it
        return await core.carry_out_alone(request)
    return await _by_owner(fleet, request)


async def _by_owner(fleet: Fleet, request: Request) -> str:
    """File the request and wait for the reply; where none comes in time, take it back."""
    from omni_tui.store import control

    directory = fleet.paths.control
    control.post(directory, request)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reply = await _reply(fleet, request.id)
    except TimeoutError as error:
        fix = "look whether it lives with `omni-tui doctor`, then try again"
        raise NoReplyError(
            f"the dispatcher has not answered in {PATIENCE_SECONDS:.0f} s", where=request.task, fix=fix
        ) from error
    finally:
        control.forget(directory, request.id)
    if not reply.ok:
        about = f"show {request.task}" if request.task else "status"
        look = f"provider show {request.provider}" if request.provider else about
        raise RefusedError(reply.message, fix=f"`omni-tui {look}` tells how it stands")
    return reply.message


async def _reply(fleet: Fleet, request_id: str) -> Reply:
    from omni_tui.store import control
    from omni_tui.store.watch import TreeWatch

    directory = fleet.paths.control
    with closing(TreeWatch()) as watch:
        watch.add(directory)
        reply = control.read_reply(directory, request_id)  # it may have come before we watched
        if reply is not None:
            return reply
        async for _changed in watch:
            reply = control.read_reply(directory, request_id)
            if reply is not None:
                return reply
    raise NoReplyError("watching for the reply ended", where=str(directory), fix="try again")
