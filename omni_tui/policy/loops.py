"""Loops: an agent that does the same again and again gets nowhere, however busy it looks.

Two kinds are known. The same tool calls in a row, alone or as a short cycle: between two runs of the same test a
working agent changes something, and no two changes are the same call. And small commits to the same files, one after
the other: a night's classic are 22 commits of ever odder tests.
"""

from __future__ import annotations

from collections.abc import Sequence

from omni_tui.model.change import CommitSketch

LONGEST_CYCLE = 4
"""Calls in the longest cycle that is looked for."""

SMALL_LINES = 40
"""Lines added and removed up to which a commit is a small one."""


def remember(calls: tuple[str, ...], call: str, repeats: int) -> tuple[str, ...]:
    """Return the history with one call more, no longer than `repeated_call` needs."""
    return (*calls, call)[-LONGEST_CYCLE * repeats :] if repeats else ()


def repeated_call(calls: Sequence[str], repeats: int) -> str:
    """Return what the latest calls repeat, `a` or `a, b` for a cycle, if they do so `repeats` times; empty: nothing."""
    for length in range(1, LONGEST_CYCLE + 1) if repeats else ():
        cycle, tail = calls[-length:], calls[-length * repeats :]
        if len(tail) == length * repeats and all(call == cycle[at % length] for at, call in enumerate(tail)):
            return ", ".join(cycle)
    return ""


def repeated_commit(commits: Sequence[CommitSketch], repeats: int) -> str:
    """Return the files that the latest `repeats` commits (newest last) all touched, if all are small; empty: no loop.

    Each must touch a file that all the others touch, and no commit more than one file beside them.
    """
    tail = commits[-repeats:] if repeats else ()
    if not tail or len(tail) < repeats or any(commit.lines > SMALL_LINES for commit in tail):
        return ""
    common = frozenset.intersection(*(commit.paths for commit in tail))
    if not common or any(len(commit.paths - common) > 1 for commit in tail):
        return ""
    return ", ".join(sorted(common))
