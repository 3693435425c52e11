"""`omni-tui freeze`, `thaw`, `throttle`: what a person holds back, of the fleet, a workspace or a provider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from omni_tui.commands.output import Answer
from omni_tui.commands.requests import file
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE, find_provider, find_workspace, read_fleet
from omni_tui.errors import UsageError
from omni_tui.model.brakes import FLEET, Scope
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
    command = click.option("--provider", metavar="NAME", help="Only what this provider serves.")(command)
    return click.option("--workspace", type=WORKSPACE, help="Only this workspace.")(command)


@click.command("freeze")
@click.option("--reason", default="", help="Why; shown with everything that it holds.")
@click.option("--hard", is_flag=True, help="Suspend the agents that run as well; a thaw has them go on.")
@scoped
@common
def freeze(session: Session, reason: str, hard: bool, workspace: str | None, provider: str | None) -> Answer:
    """Start and merge nothing; what runs goes on, unless --hard, and waits before its merge."""
    scope = _scope(session, workspace, provider)
    return file(session, Request(id="", kind=RequestKind.FREEZE, reason=reason, hard=hard, scope=scope))


@click.command("thaw")
@scoped
@common
def thaw(session: Session, workspace: str | None, provider: str | None) -> Answer:
    """Start tasks again: after a freeze, a stop by the night's rules, or once what paused them is mended.

    It is of one scope: what is frozen by itself, a workspace or a provider, stays so when the fleet is thawed.
    """
    scope = _scope(session, workspace, provider, lifts=True)
    return file(session, Request(id="", kind=RequestKind.THAW, scope=scope))


@click.command("throttle")
@click.argument("most", type=Most(), default="1")
@scoped
@common
def throttle(session: Session, most: int, workspace: str | None, provider: str | None) -> Answer:
    """Run so many tasks at once, one where no number is given, however many slots there are; `off` ends that."""
    scope = _scope(session, workspace, provider, lifts=not most)
    if not most:
        return file(session, Request(id="", kind=RequestKind.UNTHROTTLE, scope=scope))
    return file(session, Request(id="", kind=RequestKind.THROTTLE, most=most, scope=scope))


@click.command("unthrottle")
@common
def unthrottle(session: Session) -> Answer:
    """Use all slots of the fleet again: the same as `throttle off`."""
    return file(session, Request(id="", kind=RequestKind.UNTHROTTLE))


def _scope(session: Session, workspace: str | None, provider: str | None, *, lifts: bool = False) -> Scope:
    """Return what is meant: what is there or, where a brake is lifted, what has one, though it may have gone since.

    Raises `UsageError` for both at once and for a workspace that is not there, `ProviderNotFoundError`.
    """
    if workspace is None and provider is None:
        return FLEET
    if workspace is not None and provider is not None:
        raise UsageError("a brake is on a workspace or on a provider", fix="give two commands, one for each")
    root, scope = session.root(), Scope(workspace=workspace or "", provider=provider or "")
    braked = _braked_parts(root) if lifts else frozenset()
    if scope not in braked:
        if workspace is not None:
            find_workspace(root, workspace)
        if provider is not None:
            find_provider(provider, _providers(root) | {part.provider for part in braked if part.provider})
    return scope


def _braked_parts(root: Path) -> frozenset[Scope]:
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import brakes_in_force

    return brakes_in_force(Fleet(root), read_fleet(root)).scopes - {FLEET}


def _providers(root: Path) -> frozenset[str]:
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import read_providers

    return read_providers(Fleet(root))
