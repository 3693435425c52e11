"""`omni-tui demo`: a small project's backlog, worked through for real by agents that behave well and badly."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omni_tui.commands.output import Answer, show
from omni_tui.commands.session import Session, common
from omni_tui.errors import OmniError, PluginError, UsageError

if TYPE_CHECKING:
    from omni_tui.demo.build import Demo


WATCHABLE = 3.0
"""How much longer the scripted agents think when somebody watches."""


class DemoOffScriptError(OmniError):
    """A demo that did not end as it should."""

    code = "demo"


@click.command("demo")
@click.option("--headless", is_flag=True, help="Without the cockpit; so it is anyway where there is no terminal.")
@click.option("--agent", type=click.Choice(["scripted", "claude"]), default="scripted", help="Who does the work.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Make it in DIR.")
@common
def demo(session: Session, *, headless: bool, agent: str, keep: Path | None) -> Answer:
    """Work through a small project's backlog, for real.

    Ten tasks go to scripted agents, with real git, terminals and tests: some agents are good, one stalls, one exits,
    one deletes, one goes astray, one forgets to commit, two get in each other's way. With --agent claude, three of the
    tasks go to Claude Code. All of it is made in a new directory, which stays to look around in.
    """
    from omni_tui.demo.build import Demo, build, expected_to_land
    from omni_tui.engine.clock import SystemClock

    if agent == "claude":
        _require_claude()
    place = Demo(directory=_directory(keep))
    clock = SystemClock()
    began = clock.monotonic()
    with_cockpit = not (headless or session.json) and sys.stdin.isatty() and sys.stdout.isatty()
    build(place, agent, WATCHABLE if with_cockpit else 1.0, _ignore if session.json else show)
    if with_cockpit:
        from omni_tui.cockpit.run import run as run_cockpit

        run_cockpit(place.fleet, stop_agents=True)
    else:
        _work(place, quiet=session.json)
    return _answer(place, clock.monotonic() - began, set() if with_cockpit else expected_to_land(agent))


def _directory(keep: Path | None) -> Path:
    """Return the new, empty directory that the demo is made in."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="omni-tui-demo-")).resolve()
    if keep.exists() and any(keep.iterdir()):
        raise UsageError(f"{keep} is not empty", where="--keep", fix="name a new directory")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _require_claude() -> None:
    from omni_tui.plugins import registry

    if registry.load("agent", "claude").find() is None:
        fix = "install it: npm install -g @anthropic-ai/claude-code; or leave --agent out"
        raise PluginError("Claude Code is not installed", where="--agent claude", fix=fix)


def _work(place: Demo, *, quiet: bool) -> None:
    """Dispatch until nothing is left to do; what happens goes to stdout, a line each."""
    from omni_tui.headless import HeadlessOptions
    from omni_tui.headless import run as run_headless

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        run_headless(place.fleet, HeadlessOptions(until_idle=True), nowhere if quiet else None)


def _answer(place: Demo, seconds: float, expected: Collection[str]) -> Answer:
    """Report how it went, and whether exactly the `expected` tasks landed; none: a person could interfere."""
    from omni_tui.demo.build import command

    report = command("--fleet", str(place.fleet), "report")
    landed = {task.task.partition("/")[2] for task in report.result.landed}
    fault = None
    if expected and (missed := landed.symmetric_difference(expected)):
        fault = DemoOffScriptError(
            f"not as it should have ended: {', '.join(sorted(missed))}",
            where=str(place.fleet),
            fix="look at the report and the journal there, and at `omni-tui doctor`",
        )
    result = {"fleet": place.fleet, "project": place.project, "seconds": round(seconds, 1), "report": report.result}
    return Answer(result, f"\n{report.shown}\n\n{_look_around(place, seconds)}", fault)


def _look_around(place: Demo, seconds: float) -> str:
    return (
        f"That took {seconds:.0f} seconds. Look around:\n"
        f"  cd {place.fleet}    where omni-tui finds the fleet; from elsewhere: omni-tui --fleet {place.fleet}\n"
        f"  omni-tui    the cockpit on it\n"
        f"  git -C {place.project} log --stat release/omni    what landed\n"
        f"  rm -r {place.directory}    when you have seen enough"
    )


def _ignore(_words: str) -> None:
    """Tell nobody: the answer alone goes out."""
