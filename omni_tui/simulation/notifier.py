"""A notifier for tests and the simulated world: keeps notices in memory; its way can be shut."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from omni_tui.model.text import one_line
from omni_tui.plugins.notifier.protocol import Notice, NotifierSpec


class MemoryNotifier:
    """Keeps what it was told in `delivered`, and in `undelivered` while `shut`."""

    name: ClassVar[str] = "memory"

    def __init__(self, spec: NotifierSpec) -> None:
        self.root = spec.root
        self.shut = False
        self.delivered: list[Notice] = []
        self.undelivered: list[Notice] = []

    async def notify(self, notice: Notice) -> None:
        """Keep `notice`, cleaned as one that is shown would be."""
        clean = msgspec.structs.replace(notice, title=one_line(notice.title), text=one_line(notice.text))
        (self.undelivered if self.shut else self.delivered).append(clean)
