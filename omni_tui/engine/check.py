"""The check: the workspace's command on the merged tree, in a fresh checkout that no agent has touched."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from omni_tui.engine.order import OrderBox, obey
from omni_tui.engine.services import Services
from omni_tui.engine.steps import Engine
from omni_tui.model.confinement import Confinement
from omni_tui.model.text import plain
from omni_tui.plugins.runtime.protocol import Exit, Handle, Launch
from omni_tui.policy.supervision import ended_from_outside


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A process that was started, and when (UTC seconds)."""

    handle: Handle
    at: float


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a check. `status` is the command's; None: it was ended, or nobody could tell."""

    passed: bool
    status: int | None
    seconds: float
    timed_out: bool = False
    output: str = ""
    """The end of what it printed, without colours."""

    @property
    def lost(self) -> bool:
        """Whether it was ended from outside, which says nothing of what it checked."""
        return not self.passed and not self.timed_out and ended_from_outside(self.status)


class Check:
    """Runs a check command where agents run, so that it can be looked at, adopted after a restart, and ended whole."""

    def __init__(self, services: Services, engine: Engine, box: OrderBox) -> None:
        self._services = services
        self._engine = engine
        self._box = box

    async def start(self, name: str, command: str, checkout: Path, run_dir: Path, confinement: Confinement) -> Started:
        """Start `command` in `checkout`; what the runtime keeps of it is under `run_dir`."""
        run_dir.mkdir(parents=True, exist_ok=True)
        handle = await self._services.runtime.start(
            Launch(
                name=name,
                argv=("/bin/sh", "-c", f"exec </dev/null\n{command}"),
                cwd=checkout,
                env=self._services.allowed_environment() | {"CI": "true"},
                run_dir=run_dir,
                confinement=confinement,
                file_bytes=self._services.file_bytes(),
            )
        )
        return Started(handle=handle, at=self._services.clock.now())

    async def finish(self, started: Started) -> CheckResult:
        """Wait until it has ended, at most as long as the settings allow, and end what is left of it.

        Raises `AttemptFailedError` when a person orders an end meanwhile.
        """
        runtime, clock = self._services.runtime, self._services.clock
        settings, handle = self._services.settings(), started.handle
        deadline = clock.monotonic() + settings.check.minutes * 60 - max(0.0, clock.now() - started.at)
        ended = await self._ended(handle, deadline)
        await runtime.kill(handle, grace=0.0)
        await runtime.release(handle)  # first: only what it keeps is sure to be all that was printed
        screen = await runtime.screen(handle, history=settings.runtime.history_lines)
        return CheckResult(
            passed=ended is not None and ended.status == 0,
            status=ended.status if ended else None,
            seconds=round(max(0.0, (ended.at if ended else clock.now()) - started.at), 3),
            timed_out=ended is None,
            output="\n".join(map(plain, screen.lines)).strip()[-settings.check.output_kib * 1024 :],
        )

    async def clear(self, started: Started) -> None:
        """End what is left of it, however far it came, and close its window."""
        await self._services.runtime.kill(started.handle, grace=0.0)
        await self._services.runtime.release(started.handle)

    async def _ended(self, handle: Handle, deadline: float) -> Exit | None:
        """Return how it ended; None: it ran out of time."""
        waiting = asyncio.ensure_future(self._services.runtime.wait(handle))
        waiting.add_done_callback(lambda _: self._box.changed.set())
        try:
            while not waiting.done():
                obey(self._box)
                self._box.changed.clear()
                if not await self._engine.wait(self._box.changed, deadline):
                    return None
            return waiting.result()
        finally:
            waiting.cancel()
