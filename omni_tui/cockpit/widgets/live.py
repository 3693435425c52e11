"""The live screen of the selected agent: looked at while it runs, less often while it stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from textual.message import Message
from textual.worker import Worker

from omni_tui.cockpit.widgets.lines import LinesView
from omni_tui.cockpit.widgets.paragraphs import terminal_line
from omni_tui.errors import OmniError
from omni_tui.model.task import TaskRef
from omni_tui.plugins.runtime.protocol import Screen

STILL_SECONDS = 2.0
"""Time between looks while nothing changes."""
LOOK_SECONDS = 5.0
"""How long one look may take: the source may be on a busy thread."""

Look = Callable[[TaskRef], Awaitable[Screen | None]]


class LiveScreen(LinesView):
    """Shows what one agent shows."""

    class Trouble(Message):
        """The screen cannot be seen, and why; empty: it can again."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str, look: Look, hz: float) -> None:  # noqa: A002 (textual's name)
        super().__init__(id=id, follow=True)
        self._look = look
        self.take_rate(hz)
        self._watched: tuple[TaskRef, int] | None = None
        self._worker: Worker[None] | None = None
        self._trouble = ""

    def take_rate(self, hz: float) -> None:
        """Look `hz` times a second from the next look on."""
        self._seconds = 1.0 / hz

    def watch_task(self, ref: TaskRef | None, attempt: int = 0) -> None:
        """Show the agent of this attempt from now on; None: look at nobody."""
        watched = None if ref is None else (ref, attempt)
        if watched == self._watched:
            return
        self._watched = watched
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        self.restart()
        if ref is not None:
            self._worker = self.run_worker(partial(self._keep_looking, ref), exit_on_error=True)

    async def _keep_looking(self, ref: TaskRef) -> None:
        last: Screen | None = None
        while True:
            screen = await self._see(ref)
            if screen is not None and screen != last:
                self.show([terminal_line(line) for line in _without_blank_end(screen.lines)])
            await asyncio.sleep(max(self._seconds, STILL_SECONDS if screen == last else 0.0))
            last = screen

    async def _see(self, ref: TaskRef) -> Screen | None:
        try:
            screen = await asyncio.wait_for(self._look(ref), LOOK_SECONDS)
        except OmniError as error:
            self._tell(str(error))
            return None
        except TimeoutError:
            self._tell(f"no answer for {LOOK_SECONDS:.0f} s; looking again")
            return None
        self._tell("" if screen is not None else "no screen yet")
        return screen

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self.post_message(self.Trouble(trouble))


def _without_blank_end(lines: tuple[str, ...]) -> tuple[str, ...]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
