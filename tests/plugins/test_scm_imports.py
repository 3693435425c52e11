"""Making the fleet's repository from a person's."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins.scm.imports import import_repository
from omni_tui.plugins.scm.local import LocalScm
from tests.support.benches import FILES, spec_of_scm
from tests.support.git import commit, git, make_repository


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = make_repository(tmp_path / "source", FILES, branch="trunk")
    for ref in ("refs/heads/feature/x", "refs/heads/omni/t1/1", "refs/omni/rescue/t1/1", "refs/notes/commits"):
        git(path, "update-ref", ref, "HEAD")
    (path / ".git/hooks/post-update").write_text("#!/bin/sh\n")
    git(path, "config", "core.editor", "evil")
    return path


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/.git"])
async def test_the_branches_come_over_and_nothing_else(source: Path, tmp_path: Path, form: str) -> None:
    dest = tmp_path / "fleet" / "repo.git"
    dest.parent.mkdir()
    assert await import_repository(form.format(source), dest) == "trunk"
    refs = git(dest, "for-each-ref", "--format=%(refname)").splitlines()
    assert refs == ["refs/heads/feature/x", "refs/heads/trunk"]
    assert git(dest, "symbolic-ref", "HEAD") == "refs/heads/trunk"
    assert list((dest / "hooks").iterdir()) == []
    assert "evil" not in (dest / "config").read_text()
    assert not (dest / "objects/info/alternates").exists()
    git(dest, "fsck", "--strict")
    assert [entry.name for entry in dest.parent.iterdir()] == ["repo.git"]
    scm = LocalScm(spec_of_scm(tmp_path, repo=dest, base=""))
    assert await scm.open() == git(source, "rev-parse", "HEAD")


async def test_a_head_on_no_branch_falls_back_to_a_usual_one(source: Path, tmp_path: Path) -> None:
    git(source, "branch", "main")
    git(source, "checkout", "-q", "--detach")
    commit(source, {"a.txt": "x\n"})
    assert await import_repository(str(source), tmp_path / "repo.git") == "main"


async def test_a_repository_named_by_sha256_stays_so(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    git(source, "init", "-q", "-b", "main", "--object-format=sha256")
    head = commit(source, FILES)
    await import_repository(str(source), tmp_path / "repo.git")
    assert git(tmp_path / "repo.git", "rev-parse", "main") == head


async def test_what_cannot_be_imported_is_said_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    for given in (str(empty), str(tmp_path / "missing"), "--upload-pack=touch x", ""):
        with pytest.raises(ScmError):
            await import_repository(given, tmp_path / "repo.git")
        assert not (tmp_path / "repo.git").exists()
        assert not (tmp_path / "repo.git.part").exists()
    (tmp_path / "repo.git").mkdir()
    with pytest.raises(ScmError, match="there is a repository already"):
        await import_repository(str(source), tmp_path / "repo.git")


async def test_what_an_ended_import_left_is_no_trouble(source: Path, tmp_path: Path) -> None:
    (tmp_path / "repo.git.part/objects").mkdir(parents=True)
    await import_repository(str(source), tmp_path / "repo.git")
    assert not (tmp_path / "repo.git.part").exists()
