"""The desk where keys become wishes for the fleet's owner, and where the answers come back."""

from __future__ import annotations

import msgspec

from omni_tui.cockpit.ports import Ports
from omni_tui.model.request import Request

PATIENCE = 5.0
"""Seconds without an answer after which a person is told that it is still open."""


class Waiting(msgspec.Struct, frozen=True):
    """A wish that has not been answered yet."""

    request: Request
    told: bool = False
    """Whether somebody has been told that it takes long."""


class Desk:
    """Files wishes and collects answers."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._waiting: dict[str, Waiting] = {}

    def ask(self, wish: Request) -> str:
        """File a wish under a name of its own; return what to say about it. Raises `OSError` if it cannot."""
        request = msgspec.structs.replace(wish, id=self._ports.new_id(), by="cockpit", at=self._ports.now())
        self._ports.post(request)
        self._waiting[request.id] = Waiting(request)
        return f"{_name(request)}: asked"

    @property
    def open(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting)

    def answers(self) -> list[str]:
        """Return what to say of answers that have come since, and of wishes that wait too long."""
        said: list[str] = []
        for name, waiting in list(self._waiting.items()):
            reply = self._ports.read_reply(name)
            if reply is not None:
                del self._waiting[name]
                said.append(f"{_name(waiting.request)}: {'done' if reply.ok else 'refused'}. {reply.message}")
            elif not waiting.told and self._ports.now() - waiting.request.at > PATIENCE:
                self._waiting[name] = msgspec.structs.replace(waiting, told=True)
                said.append(f"{_name(waiting.request)}: no answer yet; it stays filed until the dispatcher takes it")
        return said


def _name(request: Request) -> str:
    scope = request.scope
    about = request.task or request.provider or scope.workspace or scope.provider
    return " ".join(filter(None, (request.kind, about, "hard" if request.hard else "")))
