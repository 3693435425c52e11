"""Reading a change: what a head adds to the release branch, as git's plumbing tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from omni_tui.model.change import ADDITIONS_LIMIT, PATCH_LIMIT, Change, FileChange
from omni_tui.plugins.gitcmd import Git, decode

_DIFF = ("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color")
_SUBJECT_WIDTH = 200


class _Raw(NamedTuple):
    old_mode: str
    new_mode: str
    status: str
    old_path: str | None


class _Lines(NamedTuple):
    added: int
    removed: int
    binary: bool


def read_change(objects: Git, tip: str, head: str) -> Change:
    """Return what `head` adds to `tip` since they parted. Blocks; `objects` needs no refs."""
    base = merge_base(objects, tip, head)
    subjects = objects.run("log", "-z", "--reverse", f"--format=%<({_SUBJECT_WIDTH},trunc)%s", f"{tip}..{head}").out
    commits = [decode(subject).rstrip() for subject in subjects.split(b"\0") if subject]
    patch, truncated = read_patch(objects, base, head)
    return Change(
        base=base,
        head=head,
        commits=len(commits),
        files=tuple(_files(objects.run(*_DIFF, "--raw", "--numstat", "--no-abbrev", "-z", base, head).out)),
        patch=patch,
        truncated=truncated,
        subjects=tuple(commits),
    )


def merge_base(objects: Git, tip: str, head: str) -> str:
    """Return where `head` left `tip`; `tip` itself where they have no history in common."""
    found = objects.text("merge-base", tip, head, accept=(0, 1))
    return found or tip


def read_patch(objects: Git, base: str, head: str) -> tuple[str, bool]:
    """Return the unified diff, and whether it was cut at `PATCH_LIMIT` bytes."""
    out = objects.run(*_DIFF, "-p", base, head, limit=PATCH_LIMIT + 1).out
    return decode(out[:PATCH_LIMIT]), len(out) > PATCH_LIMIT


def read_additions(objects: Git, base: str, head: str) -> str | None:
    """Return the diff without context, every file taken as text; None: it is longer than `ADDITIONS_LIMIT` bytes."""
    out = objects.run(*_DIFF, "-p", "--text", "--unified=0", base, head, limit=ADDITIONS_LIMIT + 1).out
    return decode(out) if len(out) <= ADDITIONS_LIMIT else None


def _files(output: bytes) -> Iterator[FileChange]:
    """Parse `diff-tree --raw --numstat -z`: first all raw records, then the line counts of the same files."""
    fields = [decode(field) for field in output.split(b"\0")]
    raw: dict[str, _Raw] = {}
    lines: dict[str, _Lines] = {}
    at = iter(fields)
    for field in at:
        if field.startswith(":"):
            old_mode, new_mode, _, _, status = field[1:].split(" ")
            first = next(at)
            moved = status[0] in "RC"
            path = next(at) if moved else first
            raw[path] = _Raw(old_mode, new_mode, status[0], first if moved else None)
        elif field:
            added, removed, path = field.split("\t", 2)
            if not path:  # a rename: old name, new name
                next(at)
                path = next(at)
            binary = added == "-"
            lines[path] = _Lines(0, 0, True) if binary else _Lines(int(added), int(removed), False)
    for path, record in raw.items():
        count = lines.get(path, _Lines(0, 0, False))
        yield FileChange(
            path=path,
            status=record.status,
            added=count.added,
            removed=count.removed,
            binary=count.binary,
            old_mode=record.old_mode,
            new_mode=record.new_mode,
            old_path=record.old_path,
        )
