"""The brakes: put on and taken off as a person asks, by requests and by files in `control/`."""

from __future__ import annotations

from pathlib import Path

from omni_tui.engine.scheduler import Scheduler
from omni_tui.engine.services import Services
from omni_tui.model.brakes import FLEET, Brakes, Freeze, Scope, Throttle
from omni_tui.model.request import Request, RequestKind
from omni_tui.store.brakes import read_brakes, release_files

KINDS = (RequestKind.FREEZE, RequestKind.THAW, RequestKind.THROTTLE, RequestKind.UNTHROTTLE)
"""Requests that are about brakes."""
WHO = {"cli": "a command", "cockpit": "a key of the cockpit"}
"""Those who file requests, in words."""


class BrakeDesk:
    """Keeps the brakes in the fleet's state."""

    def __init__(self, directory: Path, scheduler: Scheduler, services: Services) -> None:
        self._directory = directory
        self._scheduler = scheduler
        self._services = services

    def carry_out(self, request: Request) -> str:
        """Put a brake on or take it off, its file included; return what was done. Raises `OSError`."""
        scope, before = request.scope, self._scheduler.state.brakes
        match request.kind:
            case RequestKind.FREEZE:
                freeze = Freeze(scope=scope, reason=request.reason, hard=request.hard)
                self._change(before.with_freeze(freeze))
                self._record("frozen", scope, request.by, reason=request.reason, hard=request.hard)
                return _said(scope, "frozen: no new starts, no merges" + (", agents suspended" * request.hard))
            case RequestKind.THAW:
                release_files(self._directory, "freeze", scope, self._services.disk)
                self._change(before.thawed(scope))
                self._scheduler.refill.try_again()
                self._record("thawed", scope, request.by)
                rest = Brakes(freezes=self._scheduler.state.in_force.freezes).words
                return _said(scope, f"thawed, but {'; '.join(rest)}" if rest else "thawed: starts again")
            case RequestKind.THROTTLE:
                throttle = Throttle(scope=scope, most=request.most, by=WHO.get(request.by, request.by))
                release_files(self._directory, "throttle", scope, self._services.disk)
                self._change(before.with_throttle(throttle))
                self._record("throttled", scope, request.by, most=request.most)
                return _said(scope, f"throttled: {'one' if request.most == 1 else request.most} at a time")
            case _:
                release_files(self._directory, "throttle", scope, self._services.disk)
                self._change(before.unthrottled(scope))
                self._record("unthrottled", scope, request.by)
                return _said(scope, "no longer throttled")

    def read_files(self) -> None:
        """Take over what the files in `control/` say, and say what has changed."""
        before, now = self._scheduler.state.files, read_brakes(self._directory)
        if now == before:
            return
        self._scheduler.change_state(files=now)
        for freeze in set(now.freezes) - set(before.freezes):
            self._record("frozen", freeze.scope, "file", reason=freeze.reason, hard=freeze.hard)
        for scope in {each.scope for each in before.freezes} - {each.scope for each in now.freezes}:
            self._record("thawed", scope, "file")
        for throttle in set(now.throttles) - set(before.throttles):
            self._record("throttled", throttle.scope, "file", most=throttle.most)
        for scope in {each.scope for each in before.throttles} - {each.scope for each in now.throttles}:
            self._record("unthrottled", scope, "file")

    def _change(self, brakes: Brakes) -> None:
        self._scheduler.change_state(brakes=brakes, files=read_brakes(self._directory))

    def _record(self, done: str, scope: Scope, by: str, **data: str | int) -> None:
        if scope == FLEET:
            self._services.record(f"fleet.{done}", None, workspace="", by=by, **data)
        else:
            self._services.record(f"part.{done}", None, workspace=scope.workspace, by=by, part=str(scope), **data)


def _said(scope: Scope, done: str) -> str:
    return done if scope == FLEET else f"{scope} is {done}"
