"""Pressing Enter after a paste so that it is taken: programs lose up to one in three that come right behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_SECONDS = 0.03
_SETTLE_SECONDS = 2.0
_ANSWER_SECONDS = 1.0


class Keyboard:
    """Types into one terminal; `look` tells what it shows, cursor included."""

    def __init__(self, look: Callable[[], Awaitable[object]], press_enter: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._press_enter = press_enter

    async def type(self, paste: Callable[[], Awaitable[None]], *, enter: bool) -> None:
        """Paste, then press Enter once the screen is at rest; once more if a program that echoes did not react.

        Where the paste did not show, the program does not echo, and nothing could be told from the screen.
        """
        before = await self._look()
        await paste()
        if not enter:
            return
        pasted = await self._settled()
        await self._press_enter()
        if pasted != before and not await self._changed_from(pasted):
            await self._press_enter()

    async def _settled(self) -> object:
        """Return what the terminal shows when two looks are alike, or after 2 s."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SETTLE_SECONDS
        shown = await self._look()
        while loop.time() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            last, shown = shown, await self._look()
            if last == shown:
                break
        return shown

    async def _changed_from(self, shown: object) -> bool:
        """Whether the terminal comes to show something else within a second."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _ANSWER_SECONDS
        while loop.time() < deadline:
            if await self._look() != shown:
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False
