"""Carries out a fault plan: brings each fault upon the world at its time."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping, Sequence

from omni_tui.simulation.conditions import EASY, STRAINED
from omni_tui.simulation.dispatcher import Dispatcher
from omni_tui.simulation.faults import Fault, FaultKind
from omni_tui.simulation.script import KILLED_STATUS
from omni_tui.simulation.world import FLAG, World

LASTING: Mapping[FaultKind, tuple[float, float]] = {
    FaultKind.ENOSPC: (20, 600),
    FaultKind.EIO: (5, 120),
    FaultKind.SLOW: (60, 600),
    FaultKind.DUPLICATE: (600, 3600),
    FaultKind.LOST: (600, 3600),
    FaultKind.LAUNCH: (120, 1200),
    FaultKind.LOAD: (60, 1200),
    FaultKind.OUTAGE: (300, 7200),
    FaultKind.QUOTA: (600, 5400),
    FaultKind.LOGIN: (600, 3600),
    FaultKind.FLAG: (600, 7200),
}
"""The least and the most seconds that a fault lasts."""

MOST_STEPS = 60
"""A dispatcher that is to be killed takes at most so many steps more, ..."""
PATIENCE_SECONDS = 600.0
"""... and lives at most so much longer: where it has nothing to do, it is killed asleep."""
CLOCK_SECONDS = 3600.0
"""How far the wall clock is set at most, forward or back."""
SLEEP_SECONDS = 7200.0
HUNG_UP = 129


class Suffering:
    """Knows who dispatches (`leader`), how to start another one (`rival`), and who mends a login (`mend`)."""

    def __init__(
        self,
        world: World,
        leader: Callable[[], Dispatcher | None],
        rival: Callable[[], None],
        mend: Callable[[], None],
    ) -> None:
        self._world = world
        self._leader = leader
        self._rival = rival
        self._mend = mend
        self._lasting: list[asyncio.Task[None]] = []

    async def run(self, plan: Sequence[Fault]) -> None:
        """Bring the plan's faults upon the world, each at its time."""
        begun = self._world.loop.time()
        for fault in plan:
            await asyncio.sleep(max(0.0, begun + fault.at - self._world.loop.time()))
            if fault.kind in LASTING:
                self._lasting.append(asyncio.ensure_future(self._last(fault)))
            else:
                self._strike(fault)

    def end(self) -> None:
        """Let nothing last any longer."""
        for task in self._lasting:
            task.cancel()

    async def _last(self, fault: Fault) -> None:
        """Let a condition last for a while. Of two at the same time the first that ends ends both."""
        least, most = LASTING[fault.kind]
        self._set(fault.kind, fault.amount, on=True)
        await asyncio.sleep(least + (most - least) * fault.amount)
        self._set(fault.kind, fault.amount, on=False)

    def _set(self, kind: FaultKind, amount: float, *, on: bool) -> None:
        conditions = self._world.conditions
        match kind:
            case FaultKind.ENOSPC:
                conditions.disk_error = errno.ENOSPC if on else 0
            case FaultKind.EIO:
                conditions.disk_error = errno.EIO if on else 0
            case FaultKind.SLOW:
                conditions.slow_seconds = 0.02 + 0.5 * amount if on else 0.0
            case FaultKind.DUPLICATE:
                conditions.doubled = on
            case FaultKind.LOST:
                conditions.lost = on
            case FaultKind.LAUNCH:
                conditions.launches_fail = on
            case FaultKind.LOAD:
                conditions.load = STRAINED if on else EASY
                conditions.hurt[str(kind)] += on
            case FaultKind.FLAG:
                self._world.set_flags({FLAG: "off" if on else "on"})
                conditions.hurt[str(kind)] += on
            case _:
                self._set_service(kind, amount, on=on)
                conditions.hurt[str(kind)] += on

    def _set_service(self, kind: FaultKind, amount: float, *, on: bool) -> None:
        service = self._world.service
        match kind:
            case FaultKind.OUTAGE:
                service.down = on
            case FaultKind.QUOTA:
                least, most = LASTING[kind]
                service.until = service.now() + least + (most - least) * amount if on else 0.0
            case FaultKind.LOGIN:
                service.locked = on
                if not on:
                    self._mend()

    def _strike(self, fault: Fault) -> None:
        world, leader = self._world, self._leader()
        struck = True
        match fault.kind:
            case FaultKind.CLOCK:
                world.time.offset += (fault.amount - 0.5) * 2 * CLOCK_SECONDS
            case FaultKind.SUSPEND:
                world.time.offset += 60 + fault.amount * SLEEP_SECONDS
            case FaultKind.RIVAL:
                self._rival()
            case FaultKind.USURPER:
                world.paths.lease.unlink(missing_ok=True)
                world.tell(world.paths.lease)
                self._rival()
            case FaultKind.AGENT | FaultKind.TMUX:
                struck = self._strike_agents(fault)
            case _:
                struck = leader is not None and _strike_dispatcher(fault, leader, world)
        world.conditions.hurt[str(fault.kind)] += struck

    def _strike_agents(self, fault: Fault) -> bool:
        """Kill one of the processes, or hang up all of them."""
        living = self._world.machine.living()
        if fault.kind is FaultKind.AGENT:
            living = living[int(fault.amount * len(living)) :][:1]
        for agent in living:
            status = KILLED_STATUS if fault.kind is FaultKind.AGENT else HUNG_UP if fault.amount < 0.5 else None
            self._world.machine.end(agent, status)
        return bool(living)


def _strike_dispatcher(fault: Fault, leader: Dispatcher, world: World) -> bool:
    """Kill the dispatcher at a step of its own, or with the machine; or tell it to end."""
    match fault.kind:
        case FaultKind.CRASH:
            leader.life.arm(int(fault.amount * MOST_STEPS))
            world.loop.call_later(PATIENCE_SECONDS, _kill_asleep, leader)
        case FaultKind.REBOOT:
            leader.life.kill("the reboot")
            world.machine.crash()
        case FaultKind.STOP if leader.core is not None:
            leader.core.stop("told to end")
        case _:
            return False
    return True


def _kill_asleep(dispatcher: Dispatcher) -> None:
    if dispatcher.leads:
        dispatcher.life.kill("rest")
