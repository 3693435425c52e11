"""Keeping uncommitted work without trusting the checkout that it lies in.

The checkout's own `.git` is never opened: its files are compared, through a git directory of ours, with the commit that
it should hold, and hashed as they are. So no filter, hook, fsmonitor or configuration that an agent planted can run.
Links are kept as links and never followed; pipes and sockets are no work. Giants and what cannot be read are left out
and named, in the commit's message and to the caller, who must not delete the checkout then.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from omni_tui.plugins.checkouts import read_record
from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.gitrefs import WritableRef
from omni_tui.plugins.scm.protocol import Rescue
from omni_tui.plugins.scm.squash import Author

FILE_LIMIT = 50 << 20
"""Bytes of the largest file that a rescue takes."""
TOTAL_LIMIT = 500 << 20
"""Bytes of all files that a rescue takes."""
SCAN_SECONDS = 60.0
"""A scan that takes longer hangs, as on a pipe named `.gitignore`."""
_NAMED = 100
"""Left out files whose names are told; the number of the others is in the commit's message."""
_UNREADABLE = re.compile(r"^warning: could not open directory '(.*)/': ", re.MULTILINE)


class _Entry(NamedTuple):
    """A path to keep: git's mode and the file to hash, or neither where it was deleted."""

    path: str
    mode: str = ""
    source: Path = Path()


class _Harvest(NamedTuple):
    """What is kept of a checkout, and what could not be."""

    entries: list[_Entry]
    left_out: list[str]


class _Earlier(NamedTuple):
    """What was rescued before from the same checkout; `parent` is all of them where it is a merge."""

    commit: str
    tree: str
    parent: str


def rescue(bare: Git, worktree: Path, head: str, ref: WritableRef, author: Author, now: float) -> Rescue:
    """Commit the checkout's files on `ref` with parent `head`, unless they are what `head` holds.

    What was rescued there earlier stays, if nothing came of it but its undoing; else it gets a ref beside this one. The
    checkout is not changed. Raises `ScmError` where the checkout cannot be read in time.
    """
    if not worktree.is_dir():
        return Rescue()
    record = read_record(worktree)
    copied = set(record.copied) if record else set()
    with view(bare.git_dir, work_tree=worktree) as objects:
        objects.run("read-tree", head)
        links = objects.git_dir / "links"
        links.mkdir()
        unreadable: list[str] = []
        changed = set(_list(objects, "", unreadable, "--modified", "--deleted"))
        harvest = _harvest(worktree, sorted(changed - copied), links)
        tree = _write_tree(objects, harvest.entries, len(head))
        left_out = [decode(os.fsencode(path)) for path in unreadable + harvest.left_out]
        told = tuple(left_out[:_NAMED])
        new = tree != objects.text("rev-parse", "--verify", f"{head}^{{tree}}")
        earlier = _earlier(bare, ref)
        if earlier is not None and earlier.parent == head and not (new and tree != earlier.tree):
            return Rescue(commit=earlier.commit, left_out=told)
        message = _message(worktree.name, left_out).encode("utf-8", "replace")
        words = ("commit-tree", tree, "-p", head)
        commit = objects.run(*words, stdin=message, extra_env=author.variables(int(now))).text if new else ""
    if earlier is not None:
        bare.update_ref(_beside(ref, earlier.commit), earlier.commit)
    if new or earlier is not None:
        bare.update_ref(ref, commit or head)
    return Rescue(commit=commit, left_out=told)


def _earlier(bare: Git, ref: WritableRef) -> _Earlier | None:
    """Return what an earlier call has kept on `ref`."""
    found = bare.text("for-each-ref", "--format=%(objectname) %(tree) %(parent)", ref.name)
    if not found:
        return None
    commit, tree, *parents = found.split()
    return _Earlier(commit, tree, " ".join(parents))


def _beside(ref: WritableRef, commit: str) -> WritableRef:
    """Return where an earlier rescue goes on to be kept; `scm.collect` keeps what it finds beside a branch there."""
    name = f"refs/omni/kept/{ref.name.removeprefix('refs/omni/rescue/')}/{commit[:12]}"
    return WritableRef(name, ref.release, ref.protected)


def _list(objects: Git, prefix: str, unreadable: list[str], *kinds: str) -> Iterator[str]:
    """Yield every path of the work tree that is not in the index, or is of `kinds`; ignored ones stay out.

    A nested repository, which git lists as one `name/`, is listed file by file. Directories that git passes over,
    because it cannot open them, are added to `unreadable`.
    """
    assert objects.work_tree is not None  # noqa: S101 - see rescue
    scan = objects.run("ls-files", "-z", "--others", "--exclude-standard", *kinds, seconds=SCAN_SECONDS)
    unreadable += [f"{prefix}{path}/" for path in _UNREADABLE.findall(scan.err)]
    for path in filter(None, os.fsdecode(scan.out).split("\0")):
        if path.endswith("/"):
            nested = objects.work_tree / path
            inner = Git(git_dir=objects.git_dir, work_tree=nested, index=objects.git_dir / "none")
            yield from _list(inner, prefix + path, unreadable)
        else:
            yield prefix + path


def _harvest(worktree: Path, paths: Iterable[str], links: Path) -> _Harvest:
    """Say for each path what to keep of it; a link's target is written to a file under `links`, to be hashed there."""
    harvest = _Harvest([], [])
    room = TOTAL_LIMIT
    for path in paths:
        full = worktree / path
        try:
            info = _look(worktree, path)
        except OSError:  # its directory is closed to us, or its name too long
            harvest.left_out.append(path)
            continue
        if info is None or stat.S_ISFIFO(info.st_mode) or stat.S_ISSOCK(info.st_mode):
            harvest.entries.append(_Entry(path))
        elif _is_unsound(path, info.st_mode) or (stat.S_ISREG(info.st_mode) and not _fits(full, info, room)):
            harvest.left_out.append(path)
        elif stat.S_ISLNK(info.st_mode):
            target = links / str(len(harvest.entries))
            target.write_bytes(os.fsencode(full.readlink()))
            harvest.entries.append(_Entry(path, "120000", target))
        elif stat.S_ISREG(info.st_mode):
            room -= info.st_size
            mode = "100755" if info.st_mode & stat.S_IXUSR else "100644"
            harvest.entries.append(_Entry(path, mode, full))
        elif os.path.lexists(full / ".git"):  # a submodule: its commits are in a repository of its own
            harvest.left_out.append(path)
        else:  # a file that became a directory
            harvest.entries.append(_Entry(path))
    return harvest


def _look(worktree: Path, path: str) -> os.stat_result | None:
    """Return what stands at `path` itself; None: nothing, or only by way of a link, which leads out of the checkout.

    Raises `OSError` where that cannot be told.
    """
    if any((worktree / parent).is_symlink() for parent in PurePosixPath(path).parents):
        return None
    try:
        return (worktree / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_unsound(path: str, mode: int) -> bool:
    """Whether git would refuse `path` in a tree: a part of a repository, or a link where it expects its own file."""
    parts = path.lower().split("/")
    return ".git" in parts or (stat.S_ISLNK(mode) and parts[-1] == ".gitmodules")


def _fits(full: Path, info: os.stat_result, room: int) -> bool:
    return info.st_size <= min(FILE_LIMIT, room) and os.access(full, os.R_OK)


def _write_tree(objects: Git, entries: list[_Entry], id_length: int) -> str:
    """Hash the kept files as they are, and write the tree that holds them."""
    kept = [entry for entry in entries if entry.mode]
    sources = b"".join(_quoted(entry.source) + b"\n" for entry in kept)
    hashed = objects.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=sources).text.split()
    gone = [b"0 " + b"0" * id_length + b"\t" + os.fsencode(entry.path) for entry in entries if not entry.mode]
    there = [
        f"{entry.mode} {blob}\t".encode() + os.fsencode(entry.path) for entry, blob in zip(kept, hashed, strict=True)
    ]
    lines = b"".join(line + b"\0" for line in [*gone, *there])
    objects.run("-c", "core.protectNTFS=false", "update-index", "--add", "--replace", "-z", "--index-info", stdin=lines)
    return objects.text("write-tree")


def _quoted(path: Path) -> bytes:
    """Quote a path for `--stdin-paths`, which reads lines, so that it may hold a newline."""
    plain = b"".join(
        bytes((byte,)) if 32 <= byte < 127 and byte not in b'"\\' else b"\\%03o" % byte for byte in os.fsencode(path)
    )
    return b'"' + plain + b'"'


def _message(name: str, left_out: Collection[str]) -> str:
    lines = [f"Uncommitted work of {name}"]
    if left_out:
        shown = [f"- {path}" for path in list(left_out)[:_NAMED]]
        more = [f"- and {len(left_out) - len(shown)} more"] if len(left_out) > len(shown) else []
        lines += ["", f"Left out ({FILE_LIMIT >> 20} MiB a file at most, all together {TOTAL_LIMIT >> 20} MiB):"]
        lines += [*shown, *more]
    return "\n".join(lines) + "\n"
