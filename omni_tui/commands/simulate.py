"""`omni-tui simulate`: how would this configuration have done a night? The real engine, on a virtual clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.output import Answer, progress
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import WORKSPACE
from omni_tui.errors import FleetNotFoundError, OmniError, UsageError

if TYPE_CHECKING:
    from omni_tui.model.settings import Settings
    from omni_tui.simulation.night import Night
    from omni_tui.simulation.play import Played

HOURS, TASKS = 8.0, 24


class PromiseBrokenError(OmniError):
    """A simulated night in which something did not hold that must always hold."""

    code = "violation"
    exit_status = 4


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of night is asked for."""

    seed: int
    nights: int
    hours: float | None
    agents: int | None
    tasks: int | None
    faults: str | None
    scenario: str | None
    backlog: str | None

    def replay(self, seed: int) -> str:
        """Return the command that plays the night of `seed` again."""
        words = ["omni-tui simulate", f"--seed {seed}"]
        words += [f"--hours {self.hours:g}"] if self.hours is not None else []
        words += [f"--agents {self.agents}"] if self.agents is not None else []
        words += [f"--tasks {self.tasks}"] if self.tasks is not None else []
        words += [f"--faults {self.faults}"] if self.faults is not None else []
        words += [f"--scenario {self.scenario}"] if self.scenario is not None else []
        return " ".join(words)


@click.command("simulate")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which night; the same each time.")
@click.option("--nights", type=click.IntRange(1, 100_000), default=1, show_default=True, help="So many, seed by seed.")
@click.option("--hours", type=click.FloatRange(0.1, 72), help=f"How long a night is; else {HOURS:g}.")
@click.option("--agents", type=click.IntRange(1, 64), help="How many agents at once; else as config.toml says.")
@click.option("--tasks", type=click.IntRange(1, 2000), help=f"How many tasks there are; else {TASKS}.")
@click.option("--faults", metavar="LIST", help="What may go wrong: all (so it is without), none, or names.")
@click.option("--scenario", type=click.Choice(["first-night"]), help="A fixed night instead of a drawn one.")
@click.option(
    "--backlog",
    type=WORKSPACE,
    metavar="WORKSPACE",
    help="The tasks that wait there, compared: in turn, blindly, in waves.",
)
@common
def simulate(session: Session, /, **options: object) -> Answer:
    """Live through a night, or many, in seconds, to see how this configuration would have done.

    The real scheduler, supervisor and store run on a virtual clock, with scripted agents that work, stall, hang, loop,
    flood and hit limits, and with crashes, full disks, dead terminals and a clock that jumps, all drawn from the seed.
    The limits are those of the fleet's config.toml, or the defaults outside a fleet. Nothing of the fleet is touched.
    With --backlog it is told what waves are worth: agents then change what the plan says that each task touches, and
    nothing goes wrong but what --faults names. Exit status 4: something did not hold that must always hold.
    """
    from omni_tui.simulation.play import play

    asked = msgspec.convert(options, Options)
    settings = _settings(session)
    if asked.backlog is not None:
        return _compare(session, asked, settings, asked.backlog)
    nights = [_night(asked, settings, asked.seed + number) for number in range(asked.nights)]
    words = "a night" if len(nights) == 1 else f"{len(nights)} nights"
    with progress(f"living through {words}"):
        played = [play(night) for night in nights]
    broken = [each for each in played if each.violations]
    fault = None
    if broken:
        first = broken[0]
        fault = PromiseBrokenError(first.violations[0], where=f"seed {first.seed}", fix=asked.replay(first.seed))
    return Answer({"nights": played}, _shown(asked, played), fault)


def _compare(session: Session, asked: Options, settings: Settings, workspace: str) -> Answer:
    """Compare the ways through the tasks that wait in a workspace."""
    from omni_tui.commands.rehearse import rehearse

    if asked.nights > 1 or asked.tasks is not None or asked.scenario is not None:
        fix = "leave --nights, --tasks and --scenario out"
        raise UsageError("the tasks are those that wait, for one night", where="--backlog", fix=fix)
    quiet = msgspec.structs.replace(asked, faults=asked.faults or "none")
    return rehearse(session.root(), workspace, _night(quiet, settings, asked.seed), PromiseBrokenError)


def _settings(session: Session) -> Settings:
    """Return the settings of the fleet that we are in, or the defaults. Raises `ConfigError` for a wrong file."""
    from omni_tui.config import load_settings
    from omni_tui.model.settings import Settings

    if session.fleet is not None:
        return load_settings(session.root() / "config.toml")
    try:
        root: Path = session.root()
    except FleetNotFoundError:
        return Settings()
    return load_settings(root / "config.toml")


def _night(asked: Options, settings: Settings, seed: int) -> Night:
    from omni_tui.simulation.faults import parse_faults
    from omni_tui.simulation.scenario import FIRST_SLOTS, draw_night, first_night

    if asked.scenario is not None:
        if asked.faults is not None:
            fix = "leave --faults or --scenario out"
            raise UsageError("what goes wrong in a fixed night is fixed", where="--faults", fix=fix)
        night = first_night(seed, settings, asked.agents or FIRST_SLOTS)
        return msgspec.structs.replace(night, hours=asked.hours or night.hours, tasks=asked.tasks or night.tasks)
    if asked.agents is not None:
        scheduler = msgspec.structs.replace(settings.scheduler, slots=asked.agents)
        settings = msgspec.structs.replace(settings, scheduler=scheduler)
    faults = parse_faults(asked.faults or "all")
    return draw_night(seed, settings, hours=asked.hours or HOURS, tasks=asked.tasks or TASKS, faults=faults)


def _shown(asked: Options, played: list[Played]) -> str:
    """Return one night in full, or many as a line each with the sums below."""
    from omni_tui.simulation.chart import lines_of, totals
    from omni_tui.simulation.summary import row_of, sum_up

    if len(played) == 1:
        return "\n".join(lines_of(played[0], asked.replay(played[0].seed)))
    rows = [row_of(each) for each in played]
    broken = [f"seed {each.seed}: {words}\n  {asked.replay(each.seed)}" for each in played for words in each.violations]
    return "\n".join([*rows, "", *totals(sum_up(played)), *(["", "VIOLATED:", *broken] if broken else [])])
