"""What a benchmark gives back, and the measuring that several of them share."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One measured thing against its goal: `limit` times the floor, or where `absolute` is set, `limit` itself."""

    name: str
    unit: str
    ours: float
    floor: float
    """The least that anything doing the same would cost, in the same run."""
    limit: float
    absolute: bool = False
    samples: int

    @property
    def ratio(self) -> float:
        """How many floors ours is."""
        return self.ours / self.floor if self.floor else float("inf")

    @property
    def ok(self) -> bool:
        """Whether the goal is met."""
        return self.ours <= self.limit if self.absolute else self.ratio <= self.limit

    @property
    def goal(self) -> str:
        """The goal as a person reads it."""
        return f"<= {self.limit:g} {self.unit}" if self.absolute else f"<= {self.limit:g} x floor"


def median(values: Sequence[float]) -> float:
    """Return the median of at least five values; fewer prove nothing and raise `ValueError`."""
    if len(values) < 5:
        raise ValueError(f"{len(values)} samples are too few for a median")
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far, in seconds: its CPU clock, as Linux numbers those."""
    return time.clock_gettime((~pid << 3) | 2)


def calls(of: Callable[[], object]) -> int:
    """Return how many calls a function makes, of Python's and of C's: the same on a busy machine as on an idle one."""
    count = 0

    def see(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        of()
    finally:
        sys.setprofile(before)
    return count
