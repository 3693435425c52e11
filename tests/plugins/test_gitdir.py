"""Git directories made by hand, and refs read without git, agree with git."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins.gitdir import VIEW_SECONDS, VIEWS, make_git_dir, read_loose_ref, set_refs, sweep_views, view
from tests.support.benches import RELEASE, GitBench, make_bench
from tests.support.git import git

REF = f"refs/heads/{RELEASE}"


@pytest.fixture
async def bench(tmp_path: Path) -> GitBench:
    made = make_bench("clone", tmp_path)
    assert isinstance(made, GitBench)
    await made.scm().open()
    return made


async def test_the_tip_is_the_same_loose_or_packed(bench: GitBench) -> None:
    assert read_loose_ref(bench.repo, REF) == bench.first
    git(bench.repo, "pack-refs", "--all", "--prune")
    assert read_loose_ref(bench.repo, REF) is None
    assert await bench.scm().tip() == bench.first


@pytest.mark.parametrize("text", ["ref: refs/heads/main\n", "", "0" * 39, "x" * 40, "\xff" * 40], ids=repr)
async def test_what_is_no_plain_commit_is_left_to_git(bench: GitBench, text: str) -> None:
    (bench.repo / REF).write_text(text, encoding="latin-1")
    assert read_loose_ref(bench.repo, REF) is None


async def test_a_symbolic_release_branch_is_followed_by_git(bench: GitBench) -> None:
    (bench.repo / REF).write_text("ref: refs/heads/main\n")
    assert await bench.scm().tip() == bench.first


async def test_a_release_branch_that_has_gone_is_told(bench: GitBench) -> None:
    git(bench.repo, "update-ref", "-d", REF)
    with pytest.raises(ScmError, match="has gone"):
        await bench.scm().tip()


def test_refs_that_we_write_are_read_by_git(bench: GitBench, tmp_path: Path) -> None:
    made = tmp_path / "made"
    make_git_dir(made, bare=True, head="refs/heads/b/c", borrow=bench.repo)
    set_refs(made, {"refs/heads/b/c": bench.first, "refs/heads/a": bench.first})
    listing = git(made, "for-each-ref", "--format=%(refname) %(objectname)")
    assert listing.splitlines() == [f"refs/heads/a {bench.first}", f"refs/heads/b/c {bench.first}"]
    assert git(made, "rev-parse", "HEAD") == bench.first
    git(made, "fsck", "--strict")


def test_views_that_killed_processes_left_are_swept_and_one_in_use_is_not(
    bench: GitBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with view(bench.repo):
        (used,) = place.iterdir()
        left, foreign = place / f"{VIEWS}left", place / "foreign"
        (left / "view").mkdir(parents=True)
        foreign.mkdir()
        made = used.stat().st_mtime
        for old in (left, foreign):
            os.utime(old, (made, made - VIEW_SECONDS - 1))
        sweep_views()
        assert set(place.iterdir()) == {used, foreign}
    assert list(place.iterdir()) == [foreign]
