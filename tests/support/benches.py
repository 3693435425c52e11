"""A bench: one project, its scm and workspace plugin, and hands to do in its checkouts what agents do.

The same tests run on real git, with clones and with linked worktrees, and on the fakes in memory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import msgspec

from omni_tui.plugins.scm.local import LocalScm
from omni_tui.plugins.scm.protocol import Scm, ScmSpec
from omni_tui.plugins.workspace.clone import CloneWorkspace
from omni_tui.plugins.workspace.protocol import Workspace, WorkspaceSpec
from omni_tui.plugins.workspace.worktree import WorktreeWorkspace
from omni_tui.simulation.repository import MemoryCheckout, MemoryRepository
from omni_tui.simulation.scm import MemoryScm
from omni_tui.simulation.workspace import MemoryWorkspace
from tests.support.git import commit, git, make_bare, make_repository, write_files

RELEASE = "release/omni"
AUTHOR = "Omni Bot <omni@example.org>"
NOW = 2_000_000_000.0
FILES = {"a.txt": "one\ntwo\nthree\n", "sub/b.txt": "b\n", "gone.txt": "old\n"}
"""What the project starts with."""


class Bench(Protocol):
    """A project on its first commit, its release branch not made yet."""

    root: Path
    first: str

    def workspace(self) -> Workspace:
        """Return a new plugin on the same project."""
        ...

    def scm(self, **changes: object) -> Scm:
        """Return a new plugin on the same project; its clock stands at `NOW`."""
        ...

    def read(self, path: Path) -> dict[str, str]:
        """Return the files of a checkout."""
        ...

    def write(self, path: Path, files: dict[str, str]) -> None:
        """Write files in a checkout."""
        ...

    def delete(self, path: Path, name: str) -> None:
        """Delete a file in a checkout."""
        ...

    def commit(self, path: Path, files: dict[str, str], message: str = "work") -> str:
        """Write files in a checkout, commit all, and return the commit."""
        ...

    def tree(self, commit: str) -> dict[str, str]:
        """Return the files of a commit in the fleet's repository."""
        ...

    def refs(self) -> dict[str, str]:
        """Return the refs of the fleet's repository."""
        ...

    def describe(self, commit: str) -> tuple[str, float, str]:
        """Return a commit's author, time and message."""
        ...

    def origin_release(self) -> str | None:
        """Return the release branch of the repository that it came from."""
        ...

    def touch_origin(self, text: str) -> None:
        """Change a file in the checkout of the origin."""
        ...

    def take_release_in_origin(self) -> None:
        """Check the release branch out in the origin."""
        ...

    def advance_origin(self) -> None:
        """Put a commit of somebody else's on the origin's release branch."""
        ...

    def advance_base(self, to: str = "") -> str:
        """Move the origin's default branch to `to`, else to one of somebody else's; return it."""
        ...


def spec_of_workspace(root: Path, **changes: object) -> WorkspaceSpec:
    """Return what a workspace plugin is made with on a project at `root`."""
    spec = WorkspaceSpec(
        name="w",
        repo=root / "repo.git",
        worktrees=root / "worktrees",
        copy_from=root / "files",
        release=RELEASE,
        environment={"PATH": os.environ["PATH"]},
    )
    return msgspec.structs.replace(spec, **changes)


def spec_of_scm(root: Path, **changes: object) -> ScmSpec:
    """Return what an scm plugin is made with on a project at `root`."""
    spec = ScmSpec(
        repo=root / "repo.git",
        base="main",
        release=RELEASE,
        author=AUTHOR,
        origin=str(root / "source"),
        now=lambda: NOW,
    )
    return msgspec.structs.replace(spec, **changes)


class GitBench:
    """Real git, with one kind of checkout."""

    def __init__(self, root: Path, kind: type[CloneWorkspace | WorktreeWorkspace]) -> None:
        self.root = root
        self.kind = kind
        self.source = make_repository(root / "source", FILES)
        self.repo = make_bare(root / "repo.git", self.source)
        self.first = git(self.source, "rev-parse", "HEAD")

    def workspace(self, **changes: object) -> Workspace:
        return self.kind(spec_of_workspace(self.root, **changes))

    def scm(self, **changes: object) -> Scm:
        return LocalScm(spec_of_scm(self.root, **changes))

    def read(self, path: Path) -> dict[str, str]:
        found = (one for one in path.rglob("*") if one.is_file() and ".git" not in one.relative_to(path).parts)
        return {str(one.relative_to(path)): one.read_text() for one in found}

    def write(self, path: Path, files: dict[str, str]) -> None:
        write_files(path, files)

    def delete(self, path: Path, name: str) -> None:
        (path / name).unlink()

    def commit(self, path: Path, files: dict[str, str], message: str = "work") -> str:
        return commit(path, files, message)

    def tree(self, commit: str) -> dict[str, str]:
        names = git(self.repo, "ls-tree", "-r", "--name-only", commit).splitlines()
        return {name: git(self.repo, "show", f"{commit}:{name}") + "\n" for name in names}

    def refs(self) -> dict[str, str]:
        lines = git(self.repo, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {line.split(" ")[0]: line.split(" ")[1] for line in lines}

    def describe(self, commit: str) -> tuple[str, float, str]:
        author, at, message = git(self.repo, "log", "-1", "--format=%cn <%ce>%n%ct%n%B", commit).split("\n", 2)
        return author, float(at), message

    def origin_release(self) -> str | None:
        return git(self.source, "for-each-ref", "--format=%(objectname)", f"refs/heads/{RELEASE}") or None

    def touch_origin(self, text: str) -> None:
        write_files(self.source, {"a.txt": text})

    def take_release_in_origin(self) -> None:
        git(self.source, "checkout", "-q", "-b", RELEASE)

    def advance_origin(self) -> None:
        self.take_release_in_origin()
        commit(self.source, {"theirs.txt": "x\n"}, "theirs")
        git(self.source, "checkout", "-q", "main")

    def advance_base(self, to: str = "") -> str:
        if not to:
            return commit(self.source, {"theirs.txt": "x\n"}, "theirs")
        git(self.source, "reset", "-q", "--hard", to)
        return to


class MemoryBench:
    """The fakes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repository = MemoryRepository(FILES)
        self.origin = MemoryRepository(FILES)
        self.first = self.repository.refs["refs/heads/main"]
        checkout = MemoryCheckout(branch="main", base=self.first, head=self.first, files=dict(FILES))
        self.origin.checkouts[root / "source"] = checkout

    def workspace(self) -> Workspace:
        return MemoryWorkspace(spec_of_workspace(self.root), self.repository)

    def scm(self, **changes: object) -> Scm:
        spec = spec_of_scm(self.root, **changes)
        return MemoryScm(spec, self.repository, self.origin if spec.origin else None)

    def read(self, path: Path) -> dict[str, str]:
        return dict(self.repository.checkouts[path].files) if path in self.repository.checkouts else {}

    def write(self, path: Path, files: dict[str, str]) -> None:
        self.repository.checkouts[path].files |= files

    def delete(self, path: Path, name: str) -> None:
        del self.repository.checkouts[path].files[name]

    def commit(self, path: Path, files: dict[str, str], message: str = "work") -> str:
        return self.repository.commit_in(path, files, message)

    def tree(self, commit: str) -> dict[str, str]:
        return dict(self.repository.tree(commit))

    def refs(self) -> dict[str, str]:
        return dict(self.repository.refs)

    def describe(self, commit: str) -> tuple[str, float, str]:
        made = self.repository.commits[commit]
        return made.author, made.at, made.message

    def origin_release(self) -> str | None:
        return self.origin.refs.get(f"refs/heads/{RELEASE}")

    def touch_origin(self, text: str) -> None:
        self.origin.checkouts[self.root / "source"].files["a.txt"] = text

    def take_release_in_origin(self) -> None:
        self.origin.checkouts[self.root / "source"].branch = RELEASE

    def advance_origin(self) -> None:
        self.origin.refs[f"refs/heads/{RELEASE}"] = self.origin.commit({}, (self.first,), "theirs")

    def advance_base(self, to: str = "") -> str:
        self.origin.refs["refs/heads/main"] = to or self.origin.commit({}, (self.first,), "theirs")
        return self.origin.refs["refs/heads/main"]


def make_bench(kind: str, root: Path) -> Bench:
    """Return the bench called `clone`, `worktree` or `memory`."""
    kinds: dict[str, type[CloneWorkspace | WorktreeWorkspace]] = {
        "clone": CloneWorkspace,
        "worktree": WorktreeWorkspace,
    }
    return GitBench(root, kinds[kind]) if kind in kinds else MemoryBench(root)


BENCHES = ("clone", "worktree", "memory")
