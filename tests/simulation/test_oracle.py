"""The oracle can fail: with one guard taken out at a time, the nights must show what it was for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from omni_tui.engine.landing import Landing
from omni_tui.engine.services import Services
from omni_tui.model.failure import Move, MoveKind
from omni_tui.model.settings import LimitSettings, SchedulerSettings, Settings
from omni_tui.model.task import Status
from omni_tui.plugins.runtime.protocol import KillReceipt
from omni_tui.plugins.scm.protocol import Merge, Rescue
from omni_tui.policy import retry, supervision
from omni_tui.policy.flags import FlagGates
from omni_tui.simulation.disk import SimulatedDisk
from omni_tui.simulation.faults import ALL, Fault, FaultKind
from omni_tui.simulation.night import Night
from omni_tui.simulation.parts import SteppedRuntime
from omni_tui.simulation.play import play
from omni_tui.simulation.scenario import draw_night
from omni_tui.simulation.scm import MemoryScm
from omni_tui.simulation.world import SECRET
from omni_tui.store.files import Disk
from omni_tui.store.lease import Lease
from omni_tui.store.queue import Queue

Patch = Callable[[pytest.MonkeyPatch], None]

SPOILT_CLAIMS = 20


def violated(*, seeds: int = 3) -> Iterator[str]:
    """Yield the numbers of the statements that do not hold, of one night after the other."""
    settings = Settings(scheduler=SchedulerSettings(slots=3), limits=LimitSettings(attempts=2))
    nights = [draw_night(seed, settings, hours=3, tasks=12, faults=ALL - {"auth"}) for seed in range(1, seeds + 1)]
    for night in nights:
        yield from (words.partition(":")[0] for words in play(night).violations)


def lose_what_is_done(patch: pytest.MonkeyPatch) -> None:
    rename = SimulatedDisk.rename

    def renamed(disk: SimulatedDisk, source: Path, target: Path) -> None:
        rename(disk, source, target)
        if target.parent.name == Status.DONE:
            target.unlink()

    patch.setattr(SimulatedDisk, "rename", renamed)


def claim_without_a_rename(patch: pytest.MonkeyPatch) -> None:
    """Spoil some claims: what is never moved is claimed again and again, at the same moment."""
    claim, times = Queue.claim, count()
    patch.setattr(Queue, "claim", lambda queue, task: next(times) < SPOILT_CLAIMS or claim(queue, task))


def kill_nobody(patch: pytest.MonkeyPatch) -> None:
    async def kill(*_: object, **__: object) -> KillReceipt:
        return KillReceipt(method="namespace", seconds=0.0)

    async def release(*_: object) -> None:
        await asyncio.sleep(0)

    patch.setattr(SteppedRuntime, "kill", kill)
    patch.setattr(SteppedRuntime, "release", release)


def try_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retry, "decide", lambda *_: Move(kind=MoveKind.RETRY, reason="again"))


def write_main(patch: pytest.MonkeyPatch) -> None:
    land = MemoryScm.land

    async def landed(scm: MemoryScm, merge: Merge) -> bool:
        scm.repository.refs["refs/heads/main"] = merge.commit
        return await land(scm, merge)

    patch.setattr(MemoryScm, "land", landed)


def land_untested(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Landing, "has_check", False)


def give_all_variables(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Services, "allowed_environment", lambda _: {"SIMULATED_TOKEN": SECRET})


def rescue_nothing(patch: pytest.MonkeyPatch) -> None:
    async def rescue(*_: object) -> Rescue:
        return Rescue()

    patch.setattr(MemoryScm, "rescue", rescue)


def bear_any_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(supervision, "_judge_time", lambda *_: supervision.Wait(math.inf))


@pytest.mark.parametrize(
    ("number", "guard"),
    [
        ("1", lose_what_is_done),
        ("2", claim_without_a_rename),
        ("2", kill_nobody),
        ("3", try_for_ever),
        ("4", write_main),
        ("5", land_untested),
        ("6", give_all_variables),
        ("7", rescue_nothing),
        ("8", bear_any_silence),
    ],
)
def test_a_guard_that_is_taken_out_is_missed(number: str, guard: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    guard(monkeypatch)
    assert number in violated()


def test_the_fence_is_missed_where_two_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = (Fault(900, FaultKind.USURPER, 0.5),)
    night = Night(seed=1, settings=Settings(scheduler=SchedulerSettings(slots=2)), hours=3, tasks=12, plan=plan)
    assert play(night).violations == ()
    monkeypatch.setattr(Lease, "check", lambda _: None)
    monkeypatch.setattr(Disk, "through", lambda disk, _: disk)
    assert play(night).violations


def test_the_gate_of_flags_is_missed_where_one_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the night as it is, what requires the flag waits until it is on again."""
    settings, plan = Settings(scheduler=SchedulerSettings(slots=2)), (Fault(60, FaultKind.FLAG, 1.0),)
    night = Night(seed=1, settings=settings, hours=4, tasks=16, plan=plan, faults=frozenset({FaultKind.FLAG}))
    played = play(night)
    assert (played.violations, played.faults, played.landed) == ((), {FaultKind.FLAG: 1}, 16)
    monkeypatch.setattr(FlagGates, "hold", lambda *_: None)
    assert {words.partition(":")[0] for words in play(night).violations} == {"9"}


def test_with_every_guard_in_its_place_nothing_is_violated() -> None:
    assert not set(violated())
