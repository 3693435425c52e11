"""Real kill -9 of the real orchestrator, with real tmux, git and agents; of the tmux server and of agents as well.

In a night one start after another is killed, each with one more task, at a moment that is a seeded number of journal
lines and milliseconds after its beginning. Then one start is left alone, and has to end with each task landed once, or
blocked with a reason, and with nothing left of anybody.

`python -m tests.torture.realkill SEED` lives through one night again; the moments are not quite the same ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from omni_tui.model.task import Status
from omni_tui.store.journal import read_events
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.leftovers import checkouts, no_server_left, processes
from tests.support.waiting import wait_for
from tests.torture.figure import Figure, again
from tests.torture.scratch import scratch
from tests.torture.workers import WORKERS, spread

GOAL = 200
LONG = 3000
KILLS = 8
"""Of the orchestrator, in a night."""
PATIENCE = 90.0
"""Seconds that the last start may take; the longest limit that it sets is half a minute."""
MOST_LINES = 16
"""A start is killed at most so many journal lines after its beginning."""
OTHERS = ("server", "agent", "agent", "", "", "")
"""Who else is killed, as often as it is named here."""
ATTEMPTS = 3

SETTINGS = (
    QUICK.replace("0.05", "0.5")
    + f"attempts = {ATTEMPTS}\n[scheduler]\nslots = 3\nspares = false\nstagger_seconds = 0\n"
    + "[night]\nfailures = 0\nrestarts = 1000\n"
)
DOES_IT = (
    AGENT
    + """
say accepted
sleep 0.2
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
sleep 0.1
commit "do $OMNI_TASK"
say finished
"""
)


class Night(NamedTuple):
    """What came of one night."""

    kills: Counter[str]
    outcomes: Counter[str]
    bad: list[str]


def live(seed: int, starts: int = KILLS) -> Night:
    """Live through a night in which so many starts are killed."""
    with scratch() as directory:
        fleet = asyncio.run(_make(directory))
        kills = Counter[str]()
        chance = random.Random(seed)
        with _cleaned_up(fleet):
            for number in range(starts):
                fleet.add(f"Task {number}")
                kills += _kill_a_start(fleet, chance, directory / "said")
            bad = _last_start(fleet, directory / "said")
            bad = [f"{words}; {again('realkill', seed)}" for words in (*bad, *_broken(fleet))]
            return Night(kills, _outcomes(fleet), bad)


async def _make(directory: Path) -> TestFleet:
    fleet = await make_fleet(directory, settings=SETTINGS, workspace='check = "test -e README.md"\n')
    fleet.agent(DOES_IT)
    return fleet


def _start(fleet: TestFleet, said: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "omni_tui", "--fleet", str(fleet.root), "--headless", "--json", *words]
    with said.open("ab") as out:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out, start_new_session=True)


def _kill_a_start(fleet: TestFleet, chance: random.Random, said: Path) -> Counter[str]:
    """Start the orchestrator, and kill it some lines later; perhaps somebody else before."""
    kills = Counter[str]()
    begun, lines = _lines(fleet), chance.randint(1, MOST_LINES)
    other, first = chance.choice(OTHERS), chance.randint(1, lines)
    orchestrator = _start(fleet, said)
    try:
        _wait_for_lines(fleet, begun + first, orchestrator)
        if other and (victims := _victims(fleet, other, orchestrator.pid)):
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                kills[other] += 1
        _wait_for_lines(fleet, begun + lines, orchestrator)
        time.sleep(chance.uniform(0, 0.03))
    finally:
        orchestrator.kill()
        status = orchestrator.wait()
    kills["orchestrator"] += status == -signal.SIGKILL
    return kills


def _lines(fleet: TestFleet) -> int:
    return sum(path.read_bytes().count(b"\n") for path in fleet.fleet.paths.journal.glob("*.jsonl"))


def _wait_for_lines(fleet: TestFleet, lines: int, orchestrator: subprocess.Popen[bytes]) -> None:
    """Return once the journal has so many lines, or can grow no more, for nothing is left to do."""

    def over() -> bool:
        waiting = any(fleet.queue.files(status) for status in (Status.TODO, Status.DOING))
        return _lines(fleet) >= lines or orchestrator.poll() is not None or not waiting

    wait_for(over, "something to happen", PATIENCE)


def _victims(fleet: TestFleet, kind: str, orchestrator: int) -> list[int]:
    """Return the processes of one kind, as soon as there are some; none, where none come soon."""
    look = _server if kind == "server" else lambda fleet: _agents(fleet, orchestrator)
    with suppress(AssertionError):
        return sorted(wait_for(lambda: look(fleet), kind, 1))
    return []


def _agents(fleet: TestFleet, orchestrator: int) -> list[int]:
    """Return the agents' processes: all that are at work in a checkout, but for what the orchestrator does there."""
    found = processes(fleet)
    own = {child.pid for child in psutil.Process(orchestrator).children(recursive=True)}
    return [pid for pid in found if pid not in own]


def _server(fleet: TestFleet) -> list[int]:
    """Return the fleet's tmux server and its clients."""
    socket = b"\0" + os.fsencode(fleet.root / "tmux.sock") + b"\0"
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # gone meanwhile
            if entry.name.isdigit() and socket in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _last_start(fleet: TestFleet, said: Path) -> list[str]:
    """Let a start do all that is left; return what went wrong with it."""
    last = _start(fleet, said, "--until-idle")
    try:
        status = last.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return [f"the last start did not come to its end: {said.read_text(errors='replace')[-500:]}"]
    finally:
        last.kill()
        last.wait()
    words = said.read_text(errors="replace")[-500:]
    return [] if status in (0, 5) else [f"the last start ended with {status}: {words}"]


# -- what must hold ----------------------------------------------------------------------------------------------------


def _broken(fleet: TestFleet) -> Iterator[str]:
    """Give what does not hold once a night is over."""
    trailers = "--format=%(trailers:key=Omni-Task,valueonly,separator=)"
    landed = Counter(git(fleet.paths.repo, "log", trailers, "main..release/omni").split())
    places = Counter(task_id for status in Status for task_id in sorted(fleet.queue.ids(status)))
    yield from (f"{task_id} is in {count} folders" for task_id, count in places.items() if count != 1)
    for task_id in (f"{number:04d}" for number in range(1, 1 + len(list(fleet.paths.runs.iterdir())))):
        found = fleet.queue.find(task_id)
        times = landed[f"app/{task_id}"]
        if found is None or found[0] in (Status.TODO, Status.DOING):
            yield f"{task_id} is neither landed nor blocked: {found}"
        elif times != (found[0] is Status.DONE):
            yield f"{task_id} is in {found[0]}/ and landed {times} times: {fleet.queue.note(task_id)!r}"
        elif found[0] is Status.BLOCKED and not fleet.queue.note(task_id):
            yield f"{task_id} is blocked without a reason"
    if foreign := _foreign_refs(fleet):
        yield f"refs were written: {foreign}"
    if checkouts(fleet):
        yield f"checkouts are left: {checkouts(fleet)}"
    with suppress(AssertionError):
        wait_for(lambda: not processes(fleet), "the end of all processes", 5)
    if left := processes(fleet):
        yield f"processes are left: {left}"
    try:
        asyncio.run(no_server_left(fleet))
    except AssertionError as error:
        yield str(error)


def _foreign_refs(fleet: TestFleet) -> list[str]:
    names = git(fleet.paths.repo, "for-each-ref", "--format=%(refname)").splitlines()
    ours = re.compile(r"refs/heads/(main|release/omni|omni/.*)|refs/omni/.*")
    return [name for name in names if not ours.fullmatch(name)]


def _outcomes(fleet: TestFleet) -> Counter[str]:
    """Return how many tasks ended where, and how many attempts there were and had failed of what."""
    counted = Counter({status.value: len(fleet.queue.files(status)) for status in Status})
    for task_id in fleet.queue.ids(Status.DONE) | fleet.queue.ids(Status.BLOCKED):
        counted["attempts"] += len(Runs(fleet.paths).attempts(task_id))
    for event in read_events(fleet.fleet.paths.journal):
        if event.event in ("attempt.failed", "task.adopted"):
            counted[f"{event.event} {event.data.get('kind', '')}".strip()] += 1
    return counted


@contextmanager
def _cleaned_up(fleet: TestFleet) -> Iterator[None]:
    """Leave no process of a night that went wrong: those of its runs, and its tmux server, by their ids."""
    try:
        yield
    finally:
        for pid in (*_server(fleet), *processes(fleet)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def run(long: bool) -> Figure:
    """Live through as many nights as the kills need."""
    started = time.monotonic()
    kills = LONG if long else GOAL
    nights = spread(live, range(1, 1 + -(-kills // KILLS)), WORKERS)
    killed, outcomes = Counter[str](), Counter[str]()
    for night in nights:
        killed += night.kills
        outcomes += night.outcomes
    also = f"{killed['server']} kills of the tmux server, {killed['agent']} of agents"
    return Figure(
        what="real kill -9 of the orchestrator, with tmux, git and agents",
        done=killed["orchestrator"],
        goal=GOAL,
        bad=tuple(words for night in nights for words in night.bad),
        seconds=time.monotonic() - started,
        note=f"{also}; {outcomes['done']} landed, {outcomes['blocked']} blocked, {outcomes['attempts']} attempts",
    )


if __name__ == "__main__":
    night = live(int(sys.argv[1]))
    sys.stdout.write(f"{night.kills}\n{night.outcomes}\n")
    sys.exit("\n".join(night.bad) or None)
