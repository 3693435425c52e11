"""What history tells: files that change together, from what git prints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from omni_tui.model.touch import Companion

LEAST_TOGETHER = 4
"""Fewer commits that changed both may be chance."""
LEAST_SHARE = 0.5
"""Of the commits that changed either file, so many changed both: a change log goes with everything, not with one."""
MOST_FILES = 30
"""A commit that changes more is a sweep through the repository: it tells nothing of what belongs together."""


def companions(commits: Iterable[Collection[str]], there: Collection[str]) -> Mapping[str, tuple[Companion, ...]]:
    """Return what changes together with each file, of those that are still `there`; the closest first."""
    alone: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for paths in commits:
        if len(paths) > MOST_FILES:
            continue
        alive = sorted(path for path in paths if path in there)
        alone.update(alive)
        both.update((one, other) for at, one in enumerate(alive) for other in alive[at + 1 :])
    found: dict[str, list[Companion]] = defaultdict(list)
    for (one, other), together in both.items():
        if together >= LEAST_TOGETHER and together >= LEAST_SHARE * (alone[one] + alone[other] - together):
            found[one].append(Companion(other, together, alone[one]))
            found[other].append(Companion(one, together, alone[other]))
    return {path: tuple(sorted(group, key=lambda each: (-each.together, each.path))) for path, group in found.items()}
