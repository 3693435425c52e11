"""The HTTP side: one thread a request, every request recorded."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

from tests.support.model_api import conversation, replies
from tests.support.model_api.replies import Answer, Fault, Reply
from tests.support.model_api.scripts import SCRIPTS
from tests.support.serving import LocalServer


@dataclass(frozen=True)
class Record:
    """One request that came in."""

    method: str
    path: str
    aside: bool
    turn: int
    body: str
    status: int


class ModelApi(LocalServer):
    """The server, running while its context is open; `noted` is told every request, `told` names the script `told`."""

    def __init__(self, noted: Callable[[Record], None], told: Callable[[], str] = lambda: "commit") -> None:
        self.noted = noted
        self.told = told
        self._numbers = itertools.count(1)
        super().__init__(type("Handler", (_Handler,), {"api": self}), HTTPServer)

    def number(self) -> int:
        """Return a number for the next message's id."""
        return next(self._numbers)


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[ModelApi]

    def do_HEAD(self) -> None:
        """Answer a client that looks whether anybody is there."""
        self._note({}, 200, aside=True)
        self._send(200, b"")

    def do_GET(self) -> None:
        """Answer what is not a message: nothing is there."""
        self._note({}, 404, aside=True)
        self._fault(Fault(404, "not_found_error", "nothing here"))

    def do_POST(self) -> None:
        """Answer a turn of the conversation, or a request beside it."""
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        route = self.path.partition("?")[0]
        aside = conversation.is_aside(body) or not route.endswith("/v1/messages")
        if route.endswith("/count_tokens"):
            self._note(body, 200, aside=True)
            self._send(200, json.dumps({"input_tokens": 1000}).encode())
            return
        name = route.split("/")[1]
        script = SCRIPTS[self.api.told() if name == "told" else name]
        reply: Reply = Answer("A title") if aside else script(conversation.read(body))
        self._note(body, reply.status if isinstance(reply, Fault) else 200, aside=aside)
        if isinstance(reply, Fault):
            self._fault(reply)
        elif body.get("stream"):
            self._stream(reply)
        else:
            self._whole(reply)

    def _note(self, body: dict[str, Any], status: int, *, aside: bool) -> None:
        turn = conversation.read(body).turn
        path = self.path.partition("?")[0]
        self.api.noted(Record(self.command, path, aside, turn, json.dumps(body), status))

    def _whole(self, answer: Answer) -> None:
        if answer.stall:
            self.api.closing.wait()
            return
        self._send(200, json.dumps(replies.message(answer, self.api.number())).encode())

    def _stream(self, answer: Answer) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in replies.stream(answer, self.api.number()):
            self.wfile.write(event)
            self.wfile.flush()
        if answer.stall:
            self.api.closing.wait()

    def _fault(self, fault: Fault) -> None:
        self._send(fault.status, fault.body(), fault.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Stay quiet: requests are recorded, not printed."""
