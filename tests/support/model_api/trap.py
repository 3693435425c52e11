"""A proxy that leads nowhere: whoever is told to use it and tries to leave the machine is written down and cut off."""

from __future__ import annotations

import socketserver
from collections.abc import Callable

from tests.support.serving import LocalServer


class Trap(LocalServer):
    """Listens on 127.0.0.1 while its context is open; `caught` is told the first line of each connection."""

    def __init__(self, caught: Callable[[str], None]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                caught(self.rfile.readline(1000).decode("utf-8", "replace").strip())

        super().__init__(Handler)
