"""Spreads a campaign over the machine's cores: worker processes that share nothing and have one thread each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

WORKERS = 2
"""As many as CI has cores: the figures are to be the same everywhere."""


def spread(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int = WORKERS) -> list[Result]:
    """Return what `work`, a function of a module, makes of each job, in their order. A worker's error is raised here.

    More `workers` than there are cores are of use to those who mostly wait. Spawned, not forked: a worker may fork as
    it likes, since it has no other thread and no loop of ours.
    """
    if len(jobs) == 1:
        return [work(jobs[0])]
    with multiprocessing.get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        return pool.map(work, jobs, chunksize=1)
