"""Filling a checkout's files by one git process."""

from __future__ import annotations

from omni_tui.plugins.gitcmd import Git

_WORKERS = ("-c", "checkout.workers=0")
"""As many as there are cores, used from 100 files on (git-config(1))."""


def fill(checkout: Git, *trees: str) -> None:
    """Give a checkout the files of the last of `trees`; of two, the first is what it holds. Raises `ScmError`.

    Files that are no part of the old tree stay, and one in the way of the new tree is an error.
    """
    checkout.run(*_WORKERS, "read-tree", "-m", "-u", *trees)
