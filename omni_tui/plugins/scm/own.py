"""Whether a checkout's repository is its own: we read more files than its agent may, and must not fetch them for it.

`git upload-pack` follows links and borrowed objects wherever they lead (gitrepository-layout(5)). So it is not asked
where an agent has let them lead anywhere but to what it was given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from omni_tui.errors import ScmError

_READ = ("HEAD", "config", "packed-refs", "shallow")
_WALKED = ("objects", "refs")


def require_own(worktree: Path, lender: Path) -> None:
    """Raise `ScmError` where the repository of `worktree` is, or borrows, another one than `lender`."""
    git_dir = worktree / ".git"
    if git_dir.is_symlink() or not git_dir.is_dir():
        raise _foreign(worktree, "its .git leads elsewhere")
    if os.path.lexists(git_dir / "commondir"):
        raise _foreign(worktree, "its .git shares that of another one")
    if link := next(_links(git_dir), None):
        raise _foreign(worktree, f"{link.relative_to(worktree)} is a link")
    borrowed = git_dir / "objects/info/alternates"
    lent = os.fsencode(lender.resolve() / "objects")
    if borrowed.is_file() and set(borrowed.read_bytes().splitlines()) - {lent, b""}:
        raise _foreign(worktree, "it borrows objects from elsewhere")


def _links(git_dir: Path) -> Iterator[Path]:
    """Yield the links among what is read of a repository."""
    yield from (git_dir / name for name in (*_READ, *_WALKED) if (git_dir / name).is_symlink())
    for top in _WALKED:
        for folder, folders, files in os.walk(git_dir / top):
            yield from (path for name in (*folders, *files) if (path := Path(folder, name)).is_symlink())


def _foreign(worktree: Path, why: str) -> ScmError:
    fix = "its checkout is left as it is: look at what is in it, then redispatch the task"
    return ScmError(f"the checkout's repository is not its own: {why}", where=str(worktree), fix=fix)
