"""The built-in notifier: notices go to `logs/notices.log` under the fleet, a clean line each, rotated by size."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import ClassVar

from omni_tui.model.text import one_line
from omni_tui.plugins.notifier.protocol import Notice, NotifierSpec

MAX_BYTES = 1 << 20
"""Size of the file at which it is put aside."""

BACKUPS = 3
"""How many of those put aside are kept."""

LONGEST = 4000
"""Characters of a title or a text that are written."""

log = logging.getLogger(__name__)


class LogNotifier:
    """Writes each notice to the fleet's own log."""

    name: ClassVar[str] = "log"

    def __init__(self, spec: NotifierSpec) -> None:
        self._path = spec.root / "logs" / "notices.log"
        self._writing = threading.Lock()

    async def notify(self, notice: Notice) -> None:
        """Append `notice`. Where the file cannot be written the program's own log says so, and the work goes on."""
        await asyncio.to_thread(self._write, _line(notice))

    def _write(self, line: str) -> None:
        record = logging.LogRecord(__name__, logging.INFO, "", 0, line, None, None)
        with self._writing:
            try:
                self._path.parent.mkdir(exist_ok=True)
                handler = _Handler(
                    self._path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", errors="replace"
                )
                try:
                    handler.emit(record)
                finally:
                    handler.close()
            except OSError as error:
                log.warning("notice not written to %s (%s): %s", self._path, error, line)


class _Handler(RotatingFileHandler):
    """Lets what goes wrong go up, where the standard one would print it over the screen."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the standard library's name
        """Raise the error at hand."""
        raise  # noqa: PLE0704 - called by `emit` while it handles one


def _line(notice: Notice) -> str:
    at = datetime.fromtimestamp(notice.at, UTC).isoformat(timespec="seconds")
    words = (notice.urgency.value.upper(), notice.task, notice.title, notice.text)
    return " ".join((at, *(one_line(word, LONGEST) for word in words if word)))
