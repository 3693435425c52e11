"""What the cockpit is handed in tests and for the screenshots.

A real reader of a real tree, a clock that stands still, and an agent's screen from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from omni_tui.cockpit.ports import Ahead, Ports
from omni_tui.errors import OmniError
from omni_tui.model.provider import Standing
from omni_tui.model.settings import CockpitSettings
from omni_tui.model.task import TaskRef
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.plugins.runtime.protocol import Screen
from omni_tui.plugins.terminal.protocol import Visit
from omni_tui.resources import styles_dir
from omni_tui.store import control
from omni_tui.store.reader import FleetReader
from omni_tui.whynot import Why, standing
from tests.support.cockpit_ahead import AHEAD, STANDINGS
from tests.support.fleet_tree import NOW, FleetTree

AGENT_LINES = (
    "\x1b[38;5;174m*\x1b[0m \x1b[1mWorking on the task\x1b[0m",
    "",
    "> Card payments that time out are tried again, at most twice",
    "",
    "\x1b[32m-\x1b[0m I'll read the gateway's client first.",
    "",
    "\x1b[32m-\x1b[0m \x1b[1mRead\x1b[0m(payments/gateway.py)",
    "    142 lines",
    "",
    "\x1b[32m-\x1b[0m \x1b[1mUpdate\x1b[0m(payments/retry.py)",
    "    12 \x1b[31m-    return gateway.pay(card)\x1b[0m",
    "    12 \x1b[32m+    for delay in (1, 3):\x1b[0m",
    "    13 \x1b[32m+        with suppress(GatewayTimeout):\x1b[0m",
    "    14 \x1b[32m+            return gateway.pay(card)\x1b[0m",
    "",
    "\x1b[33m*\x1b[0m \x1b[33mRunning pytest tests/test_retry.py\x1b[0m \x1b[2m(41s)\x1b[0m",
)
PATCH = """\
diff --git a/payments/retry.py b/payments/retry.py
index 3b18e51..98a5c22 100644
--- a/payments/retry.py
+++ b/payments/retry.py
@@ -9,7 +9,10 @@ def pay(card):
     gateway = connect()
-    return gateway.pay(card)
+    for delay in (1, 3):
+        with suppress(GatewayTimeout):
+            return gateway.pay(card)
+        sleep(delay)
+    return gateway.pay(card)
"""


class Clock:
    """A clock that somebody else turns."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class MemoryInsight:
    """Agents' screens and diffs from memory; counts how often it is asked."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = AGENT_LINES
        self.patch = PATCH
        self.error: OmniError | None = None
        self.asked: list[TaskRef] = []

    async def screen(self, ref: TaskRef) -> Screen | None:
        self.asked.append(ref)
        self._fail()
        return Screen(lines=self.lines, columns=120, rows=36)

    async def attach(self, ref: TaskRef) -> Visit:
        self._fail()
        return Visit(argv=("true", str(ref)), env={}, way_back="Ctrl-b d brings you back")

    async def diff(self, ref: TaskRef) -> str:
        self._fail()
        return self.patch

    async def undo(self, row: TaskRow) -> Sequence[str]:
        self._fail()
        return (
            f"{row.ref}: the work of attempt {row.attempt} is kept: 2 files, +40 -3 lines",
            f"  it is branch omni/rescued/{row.ref.id}/{row.attempt} of /home/you/{row.ref.workspace} now",
            f"  go on: git -C /home/you/{row.ref.workspace} switch omni/rescued/{row.ref.id}/{row.attempt}",
        )

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class MemoryForesight:
    """What lies ahead, from memory."""

    def __init__(self) -> None:
        self.error: OmniError | None = None
        self.ahead: Sequence[Ahead] = AHEAD
        self.providers: Mapping[str, Standing] = STANDINGS
        self.asked = 0

    def why(self, row: TaskRow, view: FleetView) -> Why:
        self._fail()
        return Why(task=row.ref, status=row.status, hold=row.hold or standing(row), line=view.line)

    def plan(self) -> Sequence[Ahead]:
        self._fail()
        return self.ahead

    def standings(self, view: FleetView) -> Mapping[str, Standing]:
        self._fail()
        return self.providers

    def _fail(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


def make_ports(
    tree: FleetTree,
    *,
    theme: str = "dark",
    here: bool = True,
    insight: MemoryInsight | None = None,
    clock: Callable[[], float] | None = None,
    settings: Callable[[], CockpitSettings] | None = None,
    remarks: Sequence[str] = (),
    foresight: MemoryForesight | None = None,
) -> Ports:
    """Return ports on `tree`: requests become real files, ids are `r1`, `r2` and so on."""
    clock = clock or Clock()
    numbers = iter(range(1, 1000))
    return Ports(
        reader=FleetReader(tree.paths, clock),
        insight=insight or MemoryInsight(),
        foresight=foresight or MemoryForesight(),
        post=lambda request: control.post(tree.paths.control, request),
        read_reply=lambda request_id: control.read_reply(tree.paths.control, request_id),
        go=lambda _: 0,
        now=clock,
        new_id=lambda: f"r{next(numbers)}",
        load=lambda: "0.8/2",
        settings=settings or (lambda: CockpitSettings(theme="light" if theme == "light" else "dark", screen_hz=20)),
        styles=styles_dir(),
        remarks=lambda _: remarks,
        here=here,
    )
