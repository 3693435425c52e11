"""Looking round in the repository before there is any work: on objects alone, through a view, bounded in output."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view

WORDS_AT_ONCE = 200
"""Words of one search: one expression over all of them is a single pass over the tree."""
LINES_LIMIT = 32 << 20
"""Bytes of matching lines that are taken of one search."""
SURVEY_SECONDS = 60.0
"""A search or a history that takes longer is given up."""

_GREP = ("grep", "-I", "-z", "-w", "--no-color", "--no-textconv", "--full-name", "-E")
_LOG = ("log", "--no-renames", "--no-ext-diff", "--no-merges", "--name-only", "--format=%x01", "-z")
_NONE = 1


def read_lines(bare: Git, commit: str, words: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the path and the text of each line of a commit's tree that holds one of `words` as a whole word."""
    with view(bare.git_dir) as objects:
        return tuple(
            line
            for some in _batches(sorted(words), WORDS_AT_ONCE)
            for line in _lines(objects, commit, "|".join(word.replace("$", r"\$") for word in some))
        )


def _batches(words: list[str], size: int) -> Iterator[list[str]]:
    return (words[at : at + size] for at in range(0, len(words), size))


def _lines(objects: Git, commit: str, pattern: str) -> Iterator[tuple[str, str]]:
    output = objects.run(*_GREP, pattern, commit, accept=(0, _NONE), seconds=SURVEY_SECONDS, limit=LINES_LIMIT).out
    for record in decode(output).split("\n"):
        place, separator, text = record.partition("\0")
        if separator:
            yield place.partition(":")[2], text


def read_changes(bare: Git, commit: str, most: int) -> tuple[frozenset[str], ...]:
    """Return the files that each of the newest `most` commits changed, newest first; merges are left out."""
    with view(bare.git_dir) as objects:
        output = decode(objects.run(*_LOG, f"--max-count={most}", commit, "--", seconds=SURVEY_SECONDS).out)
    return tuple(
        frozenset(path.lstrip("\n") for path in record.split("\0")) - {""} for record in output.split("\x01")[1:]
    )
