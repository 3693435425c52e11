"""The fault plan of a night: what goes wrong with the world and when, drawn from a seed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from random import Random

import msgspec

from omni_tui.errors import UsageError
from omni_tui.simulation.conduct import SHARES


class FaultKind(StrEnum):
    """What goes wrong with the world, beside what agents do."""

    CRASH = "crash"
    """The dispatcher is killed (SIGKILL) at some step."""
    STOP = "stop"
    """The dispatcher is told to end, and is started again."""
    REBOOT = "reboot"
    """The machine goes down with everything, and comes up again."""
    AGENT = "agent"
    """An agent is killed (SIGKILL)."""
    TMUX = "tmux"
    """The terminal server dies with every agent."""
    ENOSPC = "enospc"
    """The disk is full for a while; writes are cut short."""
    EIO = "eio"
    """The disk fails for a while."""
    SLOW = "slow"
    """Each operation on the disk takes long for a while."""
    CLOCK = "clock"
    """The wall clock is set, forward or back."""
    SUSPEND = "suspend"
    """The machine sleeps."""
    DUPLICATE = "duplicate"
    """Changes in the tree are told twice for a while."""
    LOST = "lost"
    """Changes in the tree are not told for a while."""
    RIVAL = "rival"
    """A second dispatcher is started."""
    USURPER = "usurper"
    """The lease is taken away, and a second dispatcher is started."""
    LAUNCH = "launch"
    """The runtime can start nothing for a while."""
    LOAD = "load"
    """The machine is too loaded for another agent for a while, and short of memory."""
    OUTAGE = "outage"
    """The models' server fails for a while, whoever asks it."""
    QUOTA = "quota"
    """The account's usage limit is reached, and tells when it ends."""
    LOGIN = "login"
    """Our login is accepted no more, until a person has mended it."""
    FLAG = "flag"
    """The feature flag that some tasks require is off for a while."""


RATES: Mapping[FaultKind, float] = {
    FaultKind.CRASH: 2.0,
    FaultKind.STOP: 0.5,
    FaultKind.REBOOT: 0.4,
    FaultKind.AGENT: 1.5,
    FaultKind.TMUX: 0.6,
    FaultKind.ENOSPC: 0.4,
    FaultKind.EIO: 0.4,
    FaultKind.SLOW: 0.5,
    FaultKind.CLOCK: 0.7,
    FaultKind.SUSPEND: 0.5,
    FaultKind.DUPLICATE: 0.7,
    FaultKind.LOST: 0.7,
    FaultKind.RIVAL: 0.6,
    FaultKind.USURPER: 0.3,
    FaultKind.LAUNCH: 0.6,
    FaultKind.LOAD: 0.6,
    FaultKind.OUTAGE: 0.6,
    FaultKind.QUOTA: 0.6,
    FaultKind.LOGIN: 0.4,
    FaultKind.FLAG: 1.0,
}
"""How many of each an eight-hour night has on average."""

NIGHT_SECONDS = 8 * 3600.0

ALL = frozenset({*map(str, FaultKind), *map(str, SHARES)})
"""Everything that can go wrong: the world's faults and the agents' misbehaviour."""


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing that goes wrong."""

    at: float
    """Seconds after the beginning of the night."""
    kind: FaultKind
    amount: float
    """From 0 to 1: how long it lasts, how far the clock is set, at which step the process dies."""


def draw_plan(chance: Random, seconds: float, allowed: Collection[str]) -> tuple[Fault, ...]:
    """Return a night's faults in their order."""
    faults = []
    for kind, rate in RATES.items():
        expected = rate * seconds / NIGHT_SECONDS
        number = int(expected) + (chance.random() < expected % 1)
        drawn = [Fault(chance.uniform(0.01, 0.95) * seconds, kind, chance.random()) for _ in range(number)]
        faults += drawn if kind in allowed else []
    return tuple(sorted(faults))


def parse_faults(words: str) -> frozenset[str]:
    """Return the faults that a list such as `crash,stall` names; `all` and `none` are words. Raises `UsageError`."""
    named = {word.strip() for word in words.split(",") if word.strip()}
    if named == {"none"}:
        return frozenset()
    unknown = named - ALL - {"all"}
    if unknown or not named:
        what = f"no such fault: {_list(unknown)}" if unknown else "no fault is named"
        raise UsageError(what, where="--faults", fix=f"there is: all, none, {_list(ALL)}")
    return ALL if "all" in named else frozenset(named)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
