"""`omni-tui freeze`, `thaw`, `throttle`: what a person holds back, of the fleet, a workspace or a provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.requests import file
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WorkspaceWord
from omni_tui.errors import UsageError
from omni_tui.model.brakes import Scope
from omni_tui.model.request import Request, RequestKind


class Most(click.ParamType[int]):
    """How many tasks at once, or `off`, which becomes 0."""

    name = "N|off"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value)
        if text == "off":
            return 0
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 64):
            self.fail(f"{text!r} is neither `off` nor a number from 1 to 64", param, ctx)
        return int(text)


def scoped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name what it is about."""
    command = click.option("--provider", default="", metavar="NAME", help="Only what this provider serves.")(command)
    option = click.option("--workspace", default="", type=WorkspaceWord(), help="Only this workspace.")
    return option(command)


@click.command("freeze")
@click.option("--reason", default="", help="Why; shown with everything that it holds.")
@click.option("--hard", is_flag=True, help="Suspend the agents that run as well; a thaw has them go on.")
@scoped
@common
def freeze(session: Session, reason: str, hard: bool, workspace: str, provider: str) -> Answer:
    """Start and merge nothing; what runs goes on, unless --hard, and waits before its merge."""
    scope = _scope(session, workspace, provider)
    return file(session, Request(id="", kind=RequestKind.FREEZE, reason=reason, hard=hard, scope=scope))


@click.command("thaw")
@scoped
@common
def thaw(session: Session, workspace: str, provider: str) -> Answer:
    """Start tasks again: after a freeze, a stop by the night's rules, or once what paused them is mended."""
    return file(session, Request(id="", kind=RequestKind.THAW, scope=_scope(session, workspace, provider)))


@click.command("throttle")
@click.argument("most", type=Most(), default="1")
@scoped
@common
def throttle(session: Session, most: int, workspace: str, provider: str) -> Answer:
    """Run so many tasks at once, one where no number is given, however many slots there are; `off` ends that."""
    scope = _scope(session, workspace, provider)
    if not most:
        return file(session, Request(id="", kind=RequestKind.UNTHROTTLE, scope=scope))
    return file(session, Request(id="", kind=RequestKind.THROTTLE, most=most, scope=scope))


@click.command("unthrottle")
@common
def unthrottle(session: Session) -> Answer:
    """Use all slots again: the same as `throttle off`."""
    return file(session, Request(id="", kind=RequestKind.UNTHROTTLE))


def _scope(session: Session, workspace: str, provider: str) -> Scope:
    """Return what is meant. Raises `UsageError` for both at once, and for a workspace that is not there."""
    from omni_tui.store.paths import FleetPaths

    if workspace and provider:
        raise UsageError("a brake is on a workspace or on a provider", fix="give two commands, one for each")
    names = FleetPaths(session.root()).workspace_names()
    if workspace and workspace not in names:
        known = ", ".join(names) or "none"
        raise UsageError(f"there is no workspace {workspace!r}", fix=f"name one of these: {known}")
    return Scope(workspace=workspace, provider=provider)
