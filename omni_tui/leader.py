"""The leader: a fleet's core on a loop and thread of its own, as both the headless run and the cockpit have it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from omni_tui.engine.core import Core
from omni_tui.engine.thread import LoopThread
from omni_tui.errors import OmniError
from omni_tui.fleet import Fleet
from omni_tui.model.event import Event

T = TypeVar("T")


class Leader:
    """Dispatches `fleet` in the background until it is stopped, or stops by itself."""

    def __init__(
        self,
        fleet: Fleet,
        mode: str,
        listener: Callable[[Event], None],
        *,
        until_idle: bool = False,
        stop_agents: bool = False,
    ) -> None:
        self._fleet = fleet
        self._thread = LoopThread("core")
        try:
            self._core = self._thread.submit(self._lead(mode, listener, until_idle, stop_agents)).result()
        except OmniError:
            self._thread.close()
            raise
        self.ended: Future[str] = self._thread.submit(self._core.run())
        """The reason why it stopped, once it has."""

    async def _lead(self, mode: str, listener: Callable[[Event], None], until_idle: bool, stop_agents: bool) -> Core:
        self._fleet.shelter.require()
        return self._fleet.lead(mode, listener, until_idle=until_idle, stop_agents=stop_agents)

    def stop(self, reason: str) -> None:
        """Ask it to stop; safe from any thread and from a signal handler."""
        self._thread.call(lambda: self._core.stop(reason))

    def close(self) -> str:
        """Wait until it has stopped; return why."""
        reason = self.ended.result()
        self._thread.close()
        return reason

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` on the core's loop, where the runtime lives."""
        return self._thread.submit(work)
