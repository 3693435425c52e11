"""A server of a test: it listens on 127.0.0.1, on a port of its own, for as long as its context is open."""

from __future__ import annotations

import threading
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Self

POLL_SECONDS = 0.02
"""So often it looks whether it is to end."""


class LocalServer:
    """Serves each connection on a thread of its own, by a handler of the standard library's kind."""

    def __init__(self, handler: type[BaseRequestHandler], kind: type[TCPServer] = TCPServer) -> None:
        threaded = type("Threaded", (ThreadingMixIn, kind), {"daemon_threads": True})
        self._server: TCPServer = threaded(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        self.closing = threading.Event()
        """Set as it begins to end: whoever holds up an answer waits for this."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
