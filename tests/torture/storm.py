"""A storm over one fleet: ten agents at work, two of them the real Claude Code, and kill -9 for everybody at random.

    OMNI_TEST_CLAUDE=… python -m tests.torture.storm [--minutes 10] [--seed N] [--sandbox off|bwrap|landlock]

Eight `command` agents work for 1 to 20 s a task; one of them stalls, one asks, one commits too late. Two agents are
Claude Code with a scripted model, in a network that holds nothing else. The orchestrator is headless and started again
whenever it ends, as a systemd unit does; tmux, git, processes and files are real. Tasks come in all the time. The seed
draws who is killed, and when; what that meets is chance. Afterwards one start with `--until-idle` has to bring every
task to its end, and `aftermath` says what must hold then. Limits are short, so that a night fits into ten minutes; the
night's own stop rules are off, because so many failures would stop it as they should.

Not among the campaigns of `make torture`: it takes its time by the clock, and needs Claude Code.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
import tomli_w

from tests.support.fleets import TestFleet, make_fleet
from tests.support.real_claude import ModelNetwork, find_claude
from tests.support.real_fleet import KEY
from tests.torture.aftermath import broken, live_attempts, print_report
from tests.torture.population import Kin, end_all, population
from tests.torture.storm_crew import CLAUDES, COMMANDS, SETTINGS, task_head

FIRST_TASKS = 20
TASKS_A_MINUTE = 9
LONGEST_CALM = 5.0
"""Seconds between two kills, at most."""
LAST_START = 900.0
"""Seconds for what is left after the storm; a task that was lost four times waits two minutes."""
VICTIMS = {Kin.ORCHESTRATOR: 5, Kin.COMMAND: 4, Kin.WRAPPER: 3, Kin.CLAUDE: 2, Kin.SERVER: 1}
"""Who is killed, and how often in comparison."""


class Unit:
    """The headless orchestrator as a service: `keep_up` starts it again however it ended."""

    def __init__(self, fleet: TestFleet, network: ModelNetwork, claude: Path, said: Path) -> None:
        home = fleet.root.parent / "home"
        home.mkdir()
        self.starts = 0
        self.ends: list[str] = []
        """How it ended without having been killed."""
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._said = said
        self._command = [*network.enter(), sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "--headless"]
        self._environment = {
            "PATH": f"{claude.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ANTHROPIC_API_KEY": KEY,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    @property
    def pid(self) -> int:
        """The process that runs, or ran last; nsenter has become it."""
        assert self._process is not None
        return self._process.pid

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start it."""
        self.starts += 1
        self._killed = False
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [*self._command, *words], env=self._environment, stdout=subprocess.DEVNULL, stderr=said
            )
        return self._process

    def keep_up(self) -> None:
        """Start it again if it has ended."""
        if self._process is not None and (status := self._process.poll()) is not None:
            if not self._killed:
                self.ends.append(f"the orchestrator ended by itself with {status}")
            self.start()

    def kill(self) -> None:
        """End it by force."""
        assert self._process is not None
        self._killed = True
        self._process.kill()
        self._process.wait()

    def finish(self) -> None:
        """Let a start do all that is left."""
        self.kill()
        process = self.start("--until-idle")
        try:
            status = process.wait(LAST_START)
        except subprocess.TimeoutExpired:
            self.ends.append("the last start did not come to its end")
            return
        if status not in (0, 5):
            self.ends.append(f"the last start ended with {status}")


class Storm:
    """Kills at random, while tasks come in."""

    def __init__(self, fleet: TestFleet, unit: Unit, seed: int) -> None:
        self.killed = Counter[Kin]()
        self.doubled: list[str] = []
        """What was seen of two attempts alive at one task."""
        self._fleet = fleet
        self._unit = unit
        self._chance = random.Random(seed)
        self._tasks = 0

    def blow(self, minutes: float) -> None:
        """Go on for so long."""
        self._unit.start()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < minutes * 60:
            while self._tasks < FIRST_TASKS + TASKS_A_MINUTE * passed / 60:
                self._fleet.add(f"Task {self._tasks}", **task_head(self._tasks))
                self._tasks += 1
            time.sleep(self._chance.uniform(0, LONGEST_CALM))
            self._unit.keep_up()
            self._strike()

    def _strike(self) -> None:
        """Kill one of those whose turn it is, if there is any; look first whether all is well."""
        kin = self._chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        living = population(self._fleet)
        self.doubled += live_attempts(self._fleet, living)
        if kin is Kin.ORCHESTRATOR:
            self._unit.kill()
            self.killed[kin] += 1
        elif victims := sorted(living.get(kin, {})):
            self.killed[kin] += _kill(self._chance.choice(victims))


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


async def _make(directory: Path, network: ModelNetwork, sandbox: str) -> TestFleet:
    fleet = await make_fleet(directory, settings=SETTINGS, workspace='check = "test -e README.md"\n', sandbox=sandbox)
    shutil.rmtree(fleet.paths.agents / "scripted")
    for name, script in COMMANDS.items():
        fleet.agent(script, name)
    environment = {"ANTHROPIC_BASE_URL": network.url("own-file"), **network.proxies()}
    settings = {"harness": "claude", "secrets": ["ANTHROPIC_API_KEY"], "env": environment, "stall_minutes": 0.5}
    for name in CLAUDES:
        (fleet.paths.agents / name).mkdir()
        (fleet.paths.agents / name / "agent.toml").write_text(tomli_w.dumps(settings))
    return fleet


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--sandbox", type=click.Choice(("off", "bwrap", "landlock")), default="off", show_default=True)
def main(minutes: float, seed: int, sandbox: str) -> None:
    """Let a storm pass over a fleet; exit status 1 when something did not hold, and the fleet stays to be looked at."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # or nothing is cleaned up
    claude = find_claude()
    if claude is None:
        raise click.ClickException("there is no Claude Code: set OMNI_TEST_CLAUDE")
    directory = Path(tempfile.mkdtemp(prefix="storm-"))
    with ModelNetwork(directory / "network") as network:
        fleet = asyncio.run(_make(directory, network, sandbox))
        said = directory / "said"
        unit = Unit(fleet, network, claude, said)
        storm = Storm(fleet, unit, seed)
        try:
            storm.blow(minutes)
            unit.finish()
            bad = [*storm.doubled, *unit.ends, *broken(fleet)]
            bad += [f"something tried to leave this machine: {stray}" for stray in network.strays()]
        finally:
            end_all(fleet)
    print_report(fleet, {kin.value: storm.killed[kin] for kin in VICTIMS}, unit.starts)
    if words := said.read_text(errors="replace"):
        bad.append(f"the orchestrator said on stderr: {words[-2000:]}")
    if bad:
        raise SystemExit("\n".join([*bad, f"(seed {seed}; the fleet is left in {directory})"]))
    shutil.rmtree(directory)
    click.echo("All of it held: each task landed once or is blocked with a reason, and nothing is left.")


if __name__ == "__main__":
    main()
