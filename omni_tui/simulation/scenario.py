"""Fixed nights, and how one is drawn: the night that started this project, and any other from its seed."""

from __future__ import annotations

from random import Random

import msgspec

from omni_tui.model.settings import Settings
from omni_tui.simulation.conduct import Conduct
from omni_tui.simulation.faults import Fault, FaultKind, draw_plan
from omni_tui.simulation.night import Night

FIRST_HOURS = 7.5
FIRST_TASKS = 54
FIRST_SLOTS = 3
FIRST_STALLS = ("0003", "0008", "0014", "0021", "0027", "0033", "0040", "0048")
FIRST_HANG = "0017"


SERVICE = frozenset({FaultKind.OUTAGE, FaultKind.QUOTA, FaultKind.LOGIN})
PROVIDER = 'harness = "simulated"\nslots = {slots}\n'
"""Who serves where the service may fail: with preflights, and no fewer at once than the fleet has slots."""


def draw_night(seed: int, settings: Settings, *, hours: float, tasks: int, faults: frozenset[str]) -> Night:
    """Return the night of a seed, in which only `faults` may go wrong."""
    plan = draw_plan(Random(f"{seed} plan"), hours * 3600, faults)  # noqa: S311 - the same each time, on purpose
    served = {"main": PROVIDER.format(slots=settings.scheduler.limit)} if faults & SERVICE else {}
    return Night(seed=seed, settings=settings, hours=hours, tasks=tasks, faults=faults, plan=plan, providers=served)


def first_night(seed: int = 1, settings: Settings | None = None, slots: int = FIRST_SLOTS) -> Night:
    """Return the night that started this project.

    54 issues in 7.5 hours, 8 agents that stall, one that hangs for ever and does not mind being told to end, and a
    dispatcher that is killed in the middle and started again.
    """
    settings = settings or Settings()
    scheduler = msgspec.structs.replace(settings.scheduler, slots=slots)
    given = {(task, 1): Conduct.STALL for task in FIRST_STALLS} | {(FIRST_HANG, 1): Conduct.HANG}
    return Night(
        seed=seed,
        settings=msgspec.structs.replace(settings, scheduler=scheduler),
        hours=FIRST_HOURS,
        tasks=FIRST_TASKS,
        plan=(Fault(FIRST_HOURS * 1800, FaultKind.CRASH, 0.2),),
        given=given,
        simple=True,
    )
