"""The trees of processes of the agents that are watched, all looked at together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from omni_tui.model.footprint import Footprint, TreeUse
from omni_tui.plugins.runtime.protocol import Handle, Runtime
from omni_tui.policy.footprint import weigh


@dataclass
class _Tree:
    handle: Handle
    footprint: Footprint
    tell: Callable[[Footprint], None]
    last: tuple[tuple[float, TreeUse], ...] = ()
    """The last look, with its monotonic time; none yet: empty."""


class Trees:
    """Knows whose trees there are, and tells each what its own takes."""

    def __init__(self) -> None:
        self._trees: dict[str, _Tree] = {}

    @contextmanager
    def known(self, handle: Handle, before: Footprint, tell: Callable[[Footprint], None]) -> Iterator[None]:
        """Look at an agent's tree from time to time meanwhile, and `tell`; `before` is what was known of it."""
        self._trees[handle.run_dir] = _Tree(handle, before, tell)
        try:
            yield
        finally:
            del self._trees[handle.run_dir]

    async def look(self, runtime: Runtime, now: float) -> None:
        """Look at all of them at the monotonic time `now`."""
        if not self._trees:
            return
        found = await runtime.measure([tree.handle for tree in self._trees.values()])
        for run_dir, use in found.items():
            tree = self._trees.get(run_dir)  # one may have ended meanwhile
            if tree is not None:
                looks = (*tree.last, (now, use))
                tree.footprint, tree.last = weigh(tree.footprint, looks), looks[-1:]
                tree.tell(tree.footprint)
