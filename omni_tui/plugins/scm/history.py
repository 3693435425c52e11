"""Looking back in the repository before there is any work: on objects alone, through a view, bounded in time."""

from __future__ import annotations

from omni_tui.plugins.gitcmd import Git, decode
from omni_tui.plugins.gitdir import view

SURVEY_SECONDS = 60.0
"""A history that takes longer to read is given up."""

_LOG = ("log", "--no-renames", "--no-ext-diff", "--no-merges", "--name-only", "--format=%x01", "-z")


def read_changes(bare: Git, commit: str, most: int) -> tuple[frozenset[str], ...]:
    """Return the files that each of the newest `most` commits changed, newest first; merges are left out."""
    with view(bare.git_dir) as objects:
        output = decode(objects.run(*_LOG, f"--max-count={most}", commit, "--", seconds=SURVEY_SECONDS).out)
    return tuple(
        frozenset(path.lstrip("\n") for path in record.split("\0")) - {""} for record in output.split("\x01")[1:]
    )
