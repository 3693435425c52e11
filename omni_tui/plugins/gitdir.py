"""Git directories by hand: a few small files cost less than a `git init`, and hold only what we put there.

Layout after gitrepository-layout(5); as little of it as git and agents' tools need, because each file costs where a
file system is slow to make one. Used for an agent's clone, for an imported repository, and for the *view*: an
empty repository of our own through which foreign objects are looked at, so that no configuration, attribute or hook of
theirs counts.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from omni_tui.plugins.gitcmd import Git
from omni_tui.plugins.gitrefs import is_commit_id

VIEWS = "omni-tui-git-"
"""How the temporary directories of views begin: what a killed process leaves is found by it again."""
VIEW_SECONDS = 3600.0
"""No view is used for as long."""

_CONFIG = """\
[core]
\trepositoryformatversion = {version}
\tfilemode = true
\tbare = {bare}
\tlogAllRefUpdates = {logs}
"""
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"
_NO_GC = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"


def make_git_dir(
    path: Path,
    *,
    bare: bool,
    head: str,
    sha256: bool = False,
    borrow: Path | None = None,
    config: str = "",
) -> None:
    """Make an empty git directory at `path` whose HEAD is `head` (a full ref name or a commit).

    `borrow` is another repository whose objects it may read, `config` more configuration in git's syntax.
    """
    path.mkdir(parents=True)
    for folder in ("objects", "objects/info", "refs", "info", "hooks"):
        (path / folder).mkdir()
    text = _CONFIG.format(version=int(sha256), bare=str(bare).lower(), logs=str(not bare).lower())
    (path / "config").write_text(text + (_SHA256 if sha256 else "") + _NO_GC + config, encoding="utf-8")
    if borrow is not None:
        (path / "objects/info/alternates").write_text(f"{borrow.resolve()}/objects\n", encoding="utf-8")
        shallow = borrow / "shallow"
        if shallow.is_file():  # the borrowed history ends there
            (path / "shallow").write_bytes(shallow.read_bytes())
    set_head(path, head)


def set_head(git_dir: Path, head: str) -> None:
    """Let HEAD be the branch with the full name `head`, or the commit `head`."""
    (git_dir / "HEAD").write_text(f"ref: {head}\n" if head.startswith("refs/") else f"{head}\n", encoding="utf-8")


def set_refs(git_dir: Path, refs: Mapping[str, str]) -> None:
    """Write all refs of a git directory that nobody else uses yet: full name to commit (git-pack-refs(1))."""
    lines = [f"{commit} {name}\n" for name, commit in sorted(refs.items())]
    if lines:
        (git_dir / "packed-refs").write_text("".join(lines), encoding="utf-8")


def read_loose_ref(git_dir: Path, ref: str) -> str | None:
    """Return the commit that `ref` (a full, sound name) holds in a file of its own; None: ask git.

    One small read where git would cost a process. git replaces such a file in one rename, so it is always whole.
    """
    try:
        text = (git_dir / ref).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):  # packed, in another format, or not there
        return None
    return text.strip() if is_commit_id(text.strip()) else None


def is_sha256(repo: Path) -> bool:
    """Whether a repository names its objects by SHA-256."""
    text = (repo / "config").read_text(encoding="utf-8", errors="replace")
    return re.search(r"^\s*objectformat\s*=\s*sha256\s*$", text, re.IGNORECASE | re.MULTILINE) is not None


def sweep_views() -> None:
    """Remove the views that killed processes of ours left. What time it is there, a fresh directory tells."""
    with tempfile.TemporaryDirectory(prefix=VIEWS) as fresh:
        now = Path(fresh).lstat().st_mtime
        for left in Path(fresh).parent.glob(f"{VIEWS}*"):
            with suppress(FileNotFoundError):  # another process was faster
                status = left.lstat()
                if status.st_uid == os.getuid() and status.st_mtime < now - VIEW_SECONDS:
                    shutil.rmtree(left)


@contextmanager
def view(repo: Path, *, work_tree: Path | None = None, refs: Mapping[str, str] | None = None) -> Iterator[Git]:
    """Look at the objects of `repo`, and at `work_tree`, through a short-lived git directory of our own.

    Objects are read from and written to `repo`. It starts with `refs`, and with an index file that is not there yet.
    """
    with tempfile.TemporaryDirectory(prefix=VIEWS) as folder:
        git_dir = Path(folder) / "view"
        make_git_dir(git_dir, bare=work_tree is None, head="refs/heads/none", sha256=is_sha256(repo), borrow=repo)
        set_refs(git_dir, refs or {})
        yield Git(git_dir=git_dir, objects=repo / "objects", work_tree=work_tree, index=git_dir / "index")
