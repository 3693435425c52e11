"""Mentions: where the tree of a commit holds a name and may define it, on the objects of a bare repository.

`git grep` finds the lines, `definitions` tells which of them define something. What could not be read, because there is
no grammar for it or it is too long, is given with all its lines: `policy.defining` judges those by what they look like.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from omni_tui.model.touch import Mention
from omni_tui.plugins.definitions import Definitions, Source, is_readable, read_definitions
from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view
from omni_tui.plugins.gitrefs import require_branch, require_commit

AT_ONCE = 200
"""Names that one git process looks for: one expression over all of them is a single pass over the tree."""
MOST_BYTES = 32 << 20
"""Of an answer that are read: a name that is everywhere tells nothing."""
SECONDS = 60.0
"""A search that takes longer is given up."""
MOST_FILES = 2000
"""Files that are parsed for one question and kept in mind; those that hold a rare name come first."""
BATCH_BYTES = 8 << 20
"""Bytes of files that are handed over at once."""
TEXT_LIMIT = 1000
"""Characters of a line that are kept."""

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_GREP = ("grep", "-I", "-n", "-z", "-w", "--no-color", "--no-textconv", "--full-name", "-E")


class _Line(NamedTuple):
    path: str
    number: int
    text: str
    names: frozenset[str]
    """Those of the names asked for that it holds."""


class _Blob(NamedTuple):
    path: str
    object_id: str
    size: int


def branch_commit(repo: Path, *branches: str) -> str:
    """Return the tip of the first branch that a bare repository has; of its HEAD where it has none; empty: of none."""
    git = Git(git_dir=repo)
    for ref in (*(f"refs/heads/{require_branch(branch, 'branch')}" for branch in branches if branch), "HEAD"):
        found = git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1)).text
        if found:
            return found
    return ""


class Mentions:
    """Looks names up in one repository; what a file defines is read once, for a blob never changes."""

    def __init__(self, repo: Path) -> None:
        self._repo = repo
        self._known: dict[tuple[str, str], Definitions | None] = {}
        """By blob and the suffix of its path, the least lately used first."""

    def find(self, commit: str, names: Collection[str]) -> tuple[Mention, ...]:
        """Return the lines of a commit's tree that hold one of `names` and may define it. Blocks. Raises `ScmError`.

        Where they are more than anybody would read, some of them.
        """
        words = frozenset(name for name in names if _WORD.fullmatch(name))
        if not words:
            return ()
        with view(self._repo) as objects:
            lines = list(_grep(objects, require_commit(commit), sorted(words)))
            read = self._read(objects, commit, _rarest_first(lines))
        return tuple(mention for line in lines if (mention := _judged(line, read.get(line.path))) is not None)

    def _read(self, objects: Git, commit: str, paths: Sequence[str]) -> Mapping[str, Definitions | None]:
        """Return what files define; those that are not named are unread."""
        blobs = [blob for blob in _blobs(objects, commit, paths) if is_readable(blob.path, blob.size)]
        new = [blob for blob in blobs if _key(blob) not in self._known]
        for batch in _batches(new):
            found = read_definitions([Source(blob.path, text) for blob, text in _contents(objects, batch)])
            self._known |= dict(zip(map(_key, batch), found, strict=True))
        now = {_key(blob): self._known.pop(_key(blob), None) for blob in blobs}
        kept = islice(self._known.items(), max(0, len(self._known) + len(now) - MOST_FILES), None)
        self._known = dict(kept) | now
        return {blob.path: now[_key(blob)] for blob in blobs}


def _key(blob: _Blob) -> tuple[str, str]:
    return blob.object_id, blob.path.rpartition(".")[2]


def _judged(line: _Line, found: Definitions | None) -> Mention | None:
    """Return a line as it is to be told; None: it defines nothing of what is asked."""
    if found is None:
        return Mention(line.path, line.number, line.text)
    defines = tuple(sorted(name for name in line.names if line.number in found.get(name, ())))
    return Mention(line.path, line.number, line.text, defines) if defines else None


def _rarest_first(lines: Sequence[_Line]) -> list[str]:
    """Return the files in which the names stand, those first that hold one which few others do."""
    in_file: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        in_file[line.path] |= line.names
    files = Counter(name for names in in_file.values() for name in names)
    return sorted(in_file, key=lambda path: min((files[name] for name in in_file[path]), default=len(in_file)))


def _grep(objects: Git, commit: str, words: Sequence[str]) -> Iterator[_Line]:
    wanted = frozenset(words)
    for start in range(0, len(words), AT_ONCE):
        pattern = "|".join(word.replace("$", r"\$") for word in words[start : start + AT_ONCE])
        answer = objects.run(*_GREP, pattern, commit, accept=(0, 1), seconds=SECONDS, limit=MOST_BYTES)
        for line in decode(answer.out).split("\n"):
            tree_and_path, _, rest = line.partition("\0")
            number, _, text = rest.partition("\0")
            if number.isdigit():
                names = wanted.intersection(_WORD.findall(text))
                yield _Line(tree_and_path.partition(":")[2], int(number), text[:TEXT_LIMIT], names)


def _blobs(objects: Git, commit: str, paths: Sequence[str]) -> list[_Blob]:
    """Return which blobs files are, as far as they are; a path that git does not print as it is, is none."""
    asked = [path for path in paths[:MOST_FILES] if "\n" not in path]
    feed = "".join(f"{commit}:{path}\n" for path in asked).encode()
    answer = objects.run("cat-file", "--batch-check", stdin=feed, seconds=SECONDS).text
    blobs = []
    for path, line in zip(asked, answer.split("\n"), strict=False):
        words = line.split(" ")
        if len(words) == 3 and words[1] == "blob":
            blobs.append(_Blob(path, words[0], int(words[2])))
    return blobs


def _batches(blobs: Sequence[_Blob]) -> Iterator[list[_Blob]]:
    batch: list[_Blob] = []
    size = 0
    for blob in blobs:
        size += blob.size
        if batch and size > BATCH_BYTES:
            yield batch
            batch, size = [], blob.size
        batch.append(blob)
    if batch:
        yield batch


def _contents(objects: Git, blobs: Sequence[_Blob]) -> Iterator[tuple[_Blob, bytes]]:
    """Give what blobs hold: git prints a line before each, which names it, and a newline after it."""
    feed = "".join(f"{blob.object_id}\n" for blob in blobs).encode()
    out = objects.run("cat-file", "--batch", stdin=feed, seconds=SECONDS).out
    at = 0
    for blob in blobs:
        begin = out.index(b"\n", at) + 1
        at = begin + blob.size + 1
        yield blob, out[begin : at - 1]
