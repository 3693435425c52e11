"""Whether changes in flight would conflict, and with what: on objects alone; nothing that a trial makes is kept."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.scm.change import merge_base

MERGE = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories")
"""Prints the tree's id, and after it the names of the files that conflict (git-merge-tree(1))."""
CONFLICT = 1
"""Its exit status where there are any."""
TASK_TRAILER = "Omni-Task"
"""Names the task in a landed commit's message."""

_NAMES = ("diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--name-only", "-z")
_LOG = ("log", "--no-renames", "--no-ext-diff", "-z", f"--format=%(trailers:key={TASK_TRAILER},valueonly,separator=)")


def find_conflicts(bare: Git, one: str, other: str) -> tuple[str, ...]:
    """Return the files in which a merge of two commits conflicts. The merged tree is gone with the view."""
    with view(bare.git_dir) as objects:
        merged = msgspec.structs.replace(objects, objects=None).run(*MERGE, one, other, accept=(0, CONFLICT))
    return conflicting(merged.out) if merged.status == CONFLICT else ()


def conflicting(output: bytes) -> tuple[str, ...]:
    """Return the files that `MERGE` named, each once."""
    return tuple(dict.fromkeys(decode(field) for field in output.split(b"\0")[1:] if field))


def read_touched(bare: Git, tip: str, head: str) -> frozenset[str]:
    """Return the files that `head` changes, since it and `tip` parted."""
    with view(bare.git_dir) as objects:
        listing = objects.run(*_NAMES, merge_base(objects, tip, head), head).out
    return frozenset(decode(name) for name in listing.split(b"\0") if name)


def read_landed(bare: Git, base: str, tip: str, paths: Collection[str]) -> tuple[str, ...]:
    """Return the tasks whose commits between `base` and `tip` changed one of `paths`, newest first."""
    literally = {"GIT_LITERAL_PATHSPECS": "1"}
    with view(bare.git_dir) as objects:
        listing = objects.run(*_LOG, f"{base}..{tip}", "--", *sorted(paths), extra_env=literally).out
    return tuple(dict.fromkeys(name for field in listing.split(b"\0") if (name := decode(field).strip())))
