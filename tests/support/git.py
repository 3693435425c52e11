"""Real git for tests: repositories made, and agents' commits, by the command line with a scrubbed environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A Person",
    "GIT_AUTHOR_EMAIL": "person@example.org",
    "GIT_COMMITTER_NAME": "A Person",
    "GIT_COMMITTER_EMAIL": "person@example.org",
    "LC_ALL": "C",
}


def git(where: Path, *arguments: str) -> str:
    """Run git in `where` and return its output; raises `CalledProcessError` with what it said."""
    words = ["git", "-C", str(where), *arguments]
    done = subprocess.run(words, env=_ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
    return done.stdout.strip()


def write_files(root: Path, files: dict[str, str]) -> None:
    """Write text files below `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(where: Path, files: dict[str, str], message: str = "work") -> str:
    """Write files in a checkout, commit everything, and return the commit."""
    write_files(where, files)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", message)
    return git(where, "rev-parse", "HEAD")


def make_repository(path: Path, files: dict[str, str], branch: str = "main") -> Path:
    """Make a repository with one commit, and a checkout, at `path`."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", branch)
    commit(path, files, "first")
    return path


def make_bare(path: Path, source: Path) -> Path:
    """Make a bare clone of `source` at `path`."""
    git(source, "clone", "-q", "--bare", "--no-hardlinks", str(source), str(path))
    return path
