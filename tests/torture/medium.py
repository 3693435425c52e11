"""The medium: what a power loss may leave of a tree, by the operations that were asked for and which were synced.

The rules are those of POSIX, weaker than any one file system (facts: reliability, State; ALICE, OSDI 2014). What was
written to a file is there for sure once the file was synced; until then it may be missing, there in part, or, where the
file grew, zeros of the right length; a sector that is overwritten holds the old or the new. A name that came, went or
changed is sure once a directory that it touches was synced; until then each change may be missing, whatever came after
it. A rename from one directory to another may be found half done, with both names, and a directory that is synced says
nothing of the other; but on its own no name goes before the new one has come, or no program could move a file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tests.torture.seam import Operation

Content = bytes | Path | None
"""What a file holds, or the other name that it has as well; None: it is a directory."""
State = Mapping[Path, Content]
"""A tree as a power loss leaves it."""


SECTOR = 512
"""Bytes that a medium writes whole."""


class Change(NamedTuple):
    """A change of names: what comes and what goes."""

    adds: tuple[Path, Inode] | None
    removes: Path | None
    after: Change | None = None
    """What comes first, unless a sync says otherwise."""

    def touches(self, directory: Path) -> bool:
        """Whether syncing a directory makes it last."""
        return any(path.parent == directory for path in (self.adds and self.adds[0], self.removes) if path)


class Write(NamedTuple):
    """Bytes written at a place; with no data, the file is cut there."""

    at: int
    data: bytes

    def onto(self, content: bytes) -> bytes:
        """Return the content after it."""
        if not self.data:
            return content[: self.at]
        return content[: self.at].ljust(self.at, b"\0") + self.data + content[self.at + len(self.data) :]

    def torn(self, content: bytes) -> list[bytes]:
        """Return what may be found of it while it was on its way."""
        if not self.data:
            return []
        if self.at < len(content):
            return [Write(self.at, self.data[:SECTOR]).onto(content)]
        halves = [self.data[: (len(self.data) + 1) // 2], b"\0" * len(self.data)]
        return [Write(self.at, half).onto(content) for half in halves]


@dataclass(eq=False)
class Inode:
    """A file or directory: what of it is sure, and what is not yet."""

    directory: bool = False
    sure: bytes = b""
    pending: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        """Make all of it sure."""
        for write in self.pending:
            self.sure = write.onto(self.sure)
        self.pending.clear()

    def variants(self) -> list[Content]:
        """Return what a power loss may leave of it; all that was asked for is the last."""
        if self.directory:
            return [None]
        found: list[Content] = [self.sure]
        content = self.sure
        for write in self.pending:
            found += write.torn(content)
            content = write.onto(content)
            found.append(content)
        return found


class Medium:
    """Takes in operations, and tells which trees may be found after a power loss."""

    def __init__(self) -> None:
        self._names: dict[Path, Inode] = {}
        """As processes see them."""
        self._sure: dict[Path, Inode] = {}
        """As they are on the medium for sure."""
        self._pending: list[Change] = []

    def hold(self, root: Path) -> None:
        """Take in a tree that is on the medium for sure."""
        for path in (root, *sorted(root.rglob("*"))):
            directory = path.is_dir()
            inode = Inode(directory=directory, sure=b"" if directory else path.read_bytes())
            self._names[path] = self._sure[path] = inode

    def take(self, operation: Operation) -> None:
        """Take in an operation that has been done."""
        path, target = operation.path, operation.target
        if operation.verb in {"create", "mkdir"}:
            made = Inode(directory=operation.verb == "mkdir")
            self._names[path] = made
            self._pending.append(Change((path, made), None))
        elif operation.verb in {"write", "truncate"}:
            self._names[path].pending.append(Write(operation.at, operation.data))
        elif operation.verb == "unlink":
            del self._names[path]
            self._pending.append(Change(None, path))
        elif target is not None:
            self._names[target] = self._names.pop(path)
            come = Change((target, self._names[target]), path if path.parent == target.parent else None)
            self._pending.append(come)
            if path.parent != target.parent:
                self._pending.append(Change(None, path, come))
        elif operation.verb == "sync":
            self._sync(path)

    def _sync(self, path: Path) -> None:
        inode = self._names.get(path)
        if inode is not None and not inode.directory:
            inode.sync()
            return
        done = [change for change in self._pending if change.touches(path)]
        for change in done:
            _apply(change, self._sure)
        gone = {change.removes for change in done}  # came and went, the going for sure: its coming is no more
        self._pending = [
            change for change in self._pending if change not in done and not (change.adds and change.adds[0] in gone)
        ]

    def states(self, at_most: int, chance: random.Random) -> Iterator[State]:
        """Give the trees that a power loss now may leave: all, or where there are more, a sample of `at_most`.

        The two extremes, nothing but what is sure and all that was asked for, are always among them.
        """
        unsure = [inode for inode in {id(inode): inode for inode in self._reachable()}.values() if inode.pending]
        variants = [inode.variants() for inode in unsure]
        choices = [range(2)] * len(self._pending) + [range(len(kinds)) for kinds in variants]
        total = 1
        for choice in choices:
            total *= len(choice)
        if total <= at_most:
            picks: Iterator[tuple[int, ...]] = product(*choices)
        else:
            picks = _sample(choices, at_most, chance)
        for pick in picks:
            missing = [change for change, there in zip(self._pending, pick, strict=False) if not there]
            kept = [change for change in self._pending if change not in missing and change.after not in missing]
            held = dict(zip(map(id, unsure), zip(variants, pick[len(self._pending) :], strict=True), strict=True))
            yield self._tree(kept, {inode: kinds[number] for inode, (kinds, number) in held.items()})

    def _reachable(self) -> Iterator[Inode]:
        yield from self._sure.values()
        yield from (change.adds[1] for change in self._pending if change.adds)

    def _tree(self, kept: list[Change], held: Mapping[int, Content]) -> State:
        names = dict(self._sure)
        for change in kept:
            _apply(change, names)
        tree: dict[Path, Content] = {}
        first: dict[int, Path] = {}
        for path in sorted(names):  # a directory before what is in it
            if path.parent in tree or path.parent == Path():
                inode = names[path]
                content = None if inode.directory else held.get(id(inode), inode.sure)
                tree[path] = first.get(id(inode), content)
                first.setdefault(id(inode), path)
        return tree


def _apply(change: Change, names: dict[Path, Inode]) -> None:
    if change.removes is not None:
        names.pop(change.removes, None)
    if change.adds is not None:
        names[change.adds[0]] = change.adds[1]


def _sample(choices: list[range], at_most: int, chance: random.Random) -> Iterator[tuple[int, ...]]:
    yield tuple(choice[0] for choice in choices)
    yield tuple(choice[-1] for choice in choices)
    for _ in range(at_most - 2):
        yield tuple(chance.choice(choice) for choice in choices)


def lay_out(state: State, directory: Path) -> None:
    """Make a state's tree in a directory."""
    for path, content in state.items():
        if content is None:
            (directory / path).mkdir()
        elif isinstance(content, Path):
            (directory / path).hardlink_to(directory / content)
        else:
            (directory / path).write_bytes(content)
