"""The queue and the lease against a model: what owners, other processes and people's hands do in any order.

The model is a dictionary of files and a few sets. After each step the tree, what a fresh look finds and what the
owner's own index says have to be what the model says. Hypothesis chooses the steps.

`python -m tests.torture.machine SEED` walks again by a seed, and shortens what breaks, which may take minutes.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import NamedTuple

import hypothesis
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.torture.figure import Figure, again
from tests.torture.queuemodel import steps
from tests.torture.queuerules import Hands, Leases, Work
from tests.torture.workers import WORKERS, spread

GOAL = 200_000
LONG = 5_000_000
STEPS = 100
"""Of one run through the machine, at most."""
MOST_RUNS = 100
"""Through the machine by one seed."""


class QueueMachine(Hands, Leases, Work):
    """All of it."""


class Walk(NamedTuple):
    """One worker's share."""

    seed: int
    steps: int


class Walked(NamedTuple):
    """What came of it."""

    steps: Counter[str]
    bad: str = ""


def walk(job: Walk, *, shorten: bool = False) -> Walked:
    """Follow the rules for so many steps, by a seed; stop at what breaks, perhaps to `shorten` it."""
    steps.clear()
    settings = hypothesis.settings(
        max_examples=max(1, min(MOST_RUNS, job.steps // STEPS)),
        stateful_step_count=STEPS,
        phases=(Phase.generate, *((Phase.shrink,) if shorten else ())),
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
    )
    number = 0
    while steps.total() < job.steps:
        number += 1
        try:
            machine = hypothesis.seed(job.seed * 1000 + number)(QueueMachine)
            run_state_machine_as_test(machine, settings=settings)
        except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
            notes = "\n".join(getattr(error, "__notes__", ()))
            words = f"{type(error).__name__}: {error}\n{notes}\n{again('machine', job.seed)}"
            return Walked(Counter(steps), words)
    return Walked(Counter(steps))


def run(long: bool) -> Figure:
    """Walk on both cores until the goal is reached."""
    started = time.monotonic()
    goal = LONG if long else GOAL
    walks = spread(walk, [Walk(seed, goal // WORKERS) for seed in range(1, WORKERS + 1)])
    followed = sum((one.steps for one in walks), Counter[str]())
    return Figure(
        what="steps of a state machine: owners, others and hands on a queue and its lease, against a model",
        done=followed.total(),
        goal=GOAL,
        bad=tuple(one.bad for one in walks if one.bad),
        seconds=time.monotonic() - started,
        note=f"{len(followed)} rules, the rarest {min(followed.items(), key=lambda item: item[1])}",
    )


if __name__ == "__main__":
    sys.exit(walk(Walk(int(sys.argv[1]), LONG // WORKERS), shorten=True).bad or None)
