"""Plugins as the fleet's owner uses them: nothing of theirs is begun once the lease is another's.

Whoever wrote a plugin, what it does to the world it does in its coroutines; so those are fenced, all of them, and no
plugin has to know of leases. What takes long looks again by itself (`model.fence`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

ALWAYS = ("close",)
"""What may be done by who has lost the lease: let go."""


class _Fenced:
    """Stands for a plugin."""

    def __init__(self, plugin: object, check: Callable[[], None]) -> None:
        self._plugin = plugin
        self._check = check

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the plugin has
        attribute = getattr(self._plugin, name)
        if name in ALWAYS or not inspect.iscoroutinefunction(attribute):
            return attribute

        async def begin(*arguments: object, **named: object) -> object:
            self._check()
            return await attribute(*arguments, **named)

        return begin


def fenced(plugin: T, check: Callable[[], None]) -> T:
    """Return the plugin with a fence before each of its coroutines; `check` raises once nothing may be done."""
    return cast("T", _Fenced(plugin, check))
