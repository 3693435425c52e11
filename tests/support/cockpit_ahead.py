"""What lies ahead of the fleet of the cockpit's tests: waves, flags, providers, and what holds its waiting tasks."""

from __future__ import annotations

from omni_tui.cockpit.ports import Ahead
from omni_tui.model.brakes import Brakes, Freeze, Scope, Throttle
from omni_tui.model.course import Parked
from omni_tui.model.effective import Bound, Effective
from omni_tui.model.flag import FlagRow
from omni_tui.model.frozen import FrozenPlan
from omni_tui.model.provider import Standing
from omni_tui.model.state import FleetState, PublishedHold
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.model.touch import PointKind, TouchPoint
from omni_tui.planning import Outlook
from omni_tui.policy.waves import waves
from tests.support.fleet_tree import NOW

SLOTS = Standing(name="local", used=1, slots=1, of=4, rejected=0.6, judged=8, usd=0.4, tokens=310_000)
STANDINGS = {
    "claude": Standing(
        name="claude",
        state="open",
        reason="its usage limit is reached",
        until=NOW + 4300,
        slots=2,
        of=2,
        usd=16.2,
        tokens=1_204_000,
        share=0.81,
    ),
    "codex": Standing(name="codex", state="open", reason="it does not accept our login", slots=1, of=1),
    "local": SLOTS,
    "sonnet": Standing(name="sonnet", used=2, slots=2, of=2, usd=3.1, tokens=900_000, share=0.31, judged=8),
}
HELD = FleetState(
    effective=Effective(slots=4, of=6, bound=Bound.LOAD, reason="memory: 6 % is free (limit 10 %)"),
    brakes=Brakes(
        freezes=(Freeze(scope=Scope(workspace="docs"), reason="the audit reads it until nine"),),
        throttles=(Throttle(scope=Scope(provider="sonnet"), most=2),),
    ),
    parked={"claude": Parked(reason="its usage limit is reached", at=NOW - 60, until=NOW + 4300)},
    line=tuple(f"shop/shop-{number}" for number in range(18, 25)),
    holds={
        "shop/shop-16": PublishedHold(
            kind="dependency", message="waits for shop/shop-14", remedy="once shop/shop-14 lands"
        ),
        "shop/shop-17": PublishedHold(
            kind="parked",
            message="claude: its usage limit is reached",
            remedy="by itself, once one attempt or preflight was served",
            until=NOW + 4300,
        ),
        **{
            f"shop/shop-{number}": PublishedHold(
                kind="load",
                message="memory: 6 % is free (limit 10 %)",
                remedy="by itself, once the machine has eased; the limits are under [load] in config.toml",
            )
            for number in range(18, 25)
        },
    },
)
"""A fleet of which every part is held back by something else."""


def refs(*names: str) -> tuple[TaskRef, ...]:
    """Return tasks of the shop."""
    return tuple(TaskRef("shop", name) for name in names)


def _outlook() -> Outlook:
    tasks = [
        Task(workspace="shop", id="shop-14", title="Retry card payments that time out, at most twice", created_at=1.0),
        Task(workspace="shop", id="shop-16", title="Send the receipt as PDF", depends_on=("shop-14",), created_at=2.0),
        Task(workspace="shop", id="shop-17", title="Let customers merge two accounts", created_at=3.0),
        Task(workspace="shop", id="shop-18", title="Name the currency in every price", created_at=4.0),
        Task(workspace="shop", id="shop-19", title="Speed up the search", depends_on=("shop-9",), created_at=5.0),
        Task(workspace="shop", id="shop-20", title="Delete carts older than a month", created_at=6.0),
    ]
    files = {
        "shop-14": ("payments/retry.py", "payments/gateway.py"),
        "shop-16": ("mail/receipt.py",),
        "shop-17": ("accounts/merge.py", "accounts/models.py"),
        "shop-18": ("shop/price.py", "accounts/models.py"),
        "shop-19": ("search/index.py",),
    }
    points = {
        TaskRef("shop", name): tuple(TouchPoint(PointKind.PATH, path, "its text names it") for path in paths)
        for name, paths in files.items()
    }
    placed = waves(tasks, points, {TaskRef("shop", "shop-9"): Status.BLOCKED})
    return Outlook("shop", placed, dict(points), FrozenPlan(), (), {}, {})


AHEAD = (
    Ahead(
        workspace="shop",
        outlook=_outlook(),
        flags=(
            FlagRow(
                workspace="shop",
                name="snapshot_read",
                state="off",
                by="kari",
                holds=refs("shop-21", "shop-22"),
                ships=refs("shop-14"),
            ),
            FlagRow(workspace="shop", name="new_search", state="on"),
            FlagRow(workspace="shop", name="passkeys", state="", holds=refs("shop-23")),
        ),
    ),
    Ahead(workspace="docs", outlook=Outlook("docs", (), {}, FrozenPlan(), (), {}, {})),
)
