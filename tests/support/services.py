"""Small servers on 127.0.0.1, which count and keep what came to them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[bytes], bytes]


class Service:
    """Answers each connection once, by what came first; `heard` is all that came, a connection each."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # a proxy may be killed in the middle of it
            first = connection.recv(65536)
            number = len(self.heard)
            self.heard.append(first)
            if first:
                connection.sendall(self._answer(first))
                connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                self.heard[number] += more

    def close(self) -> None:
        """Listen no longer."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def page(text: str) -> Answer:
    """Return what answers every request with a small page."""
    body = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()
    return lambda _request: body


@contextmanager
def service(answer: Answer) -> Iterator[Service]:
    """Serve as long as the context lasts."""
    made = Service(answer)
    try:
        yield made
    finally:
        made.close()
