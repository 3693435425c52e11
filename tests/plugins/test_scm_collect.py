"""Whatever an agent did to its branch and HEAD, its work is collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins.scm.local import LocalScm
from omni_tui.simulation.repository import MemoryRepository
from tests.support.benches import FILES, GitBench, make_bench, spec_of_scm
from tests.support.git import commit, git, make_bare, make_repository

BRANCH = "omni/t1/1"


@pytest.fixture(params=["clone", "worktree"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> GitBench:
    made = make_bench(request.param, tmp_path)
    assert isinstance(made, GitBench)
    return made


@pytest.fixture
async def path(bench: GitBench) -> Path:
    await bench.scm().open()
    return Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)


async def collected(bench: GitBench, path: Path) -> str | None:
    head = await bench.scm().collect(path, BRANCH)
    assert bench.refs().get(f"refs/heads/{BRANCH}") == head
    return head


async def test_a_detached_head_that_went_on_counts(bench: GitBench, path: Path) -> None:
    bench.commit(path, {"a.txt": "1\n"})
    git(path, "checkout", "-q", "--detach")
    newest = bench.commit(path, {"a.txt": "2\n"})
    assert await collected(bench, path) == newest


async def test_another_branch_that_went_on_counts(bench: GitBench, path: Path) -> None:
    git(path, "checkout", "-q", "-b", "feature/mine")
    newest = bench.commit(path, {"a.txt": "2\n"})
    assert await collected(bench, path) == newest
    if bench.kind.name == "clone":
        assert "refs/heads/feature/mine" not in bench.refs(), "only the attempt's branch comes over"


async def test_a_branch_that_parted_from_head_stays(bench: GitBench, path: Path) -> None:
    mine = bench.commit(path, {"a.txt": "1\n"})
    git(path, "checkout", "-q", "-b", "other", bench.first)
    parted = bench.commit(path, {"a.txt": "2\n"})
    assert await collected(bench, path) == mine
    assert bench.refs()[f"refs/omni/kept/t1/1/{parted[:12]}"] == parted


async def test_other_branches_and_the_stash_outlive_the_checkout(bench: GitBench, path: Path) -> None:
    git(path, "checkout", "-q", "-b", "idea")
    idea = bench.commit(path, {"idea.txt": "1\n"})
    git(path, "checkout", "-q", BRANCH)
    bench.write(path, {"a.txt": "stashed\n"})
    git(path, "stash", "-q")
    stash = git(path, "rev-parse", "refs/stash")
    mine = bench.commit(path, {"a.txt": "2\n"})
    assert await collected(bench, path) == mine
    await bench.workspace().remove(path)
    refs = bench.refs()
    assert idea in refs.values()
    assert stash in refs.values()
    kept = {name for name in refs if name.startswith("refs/omni/kept/")}
    assert len(kept) == (2 if bench.kind.name == "clone" else 0), "a linked worktree's are in the repository anyway"


async def test_looking_at_an_older_commit_changes_nothing(bench: GitBench, path: Path) -> None:
    mine = bench.commit(path, {"a.txt": "1\n"})
    git(path, "checkout", "-q", bench.first)
    assert await collected(bench, path) == mine


async def test_amended_and_rebased_histories_replace_what_was_there(bench: GitBench, path: Path) -> None:
    bench.commit(path, {"a.txt": "1\n"})
    await collected(bench, path)
    git(path, "commit", "-q", "--amend", "-m", "better")
    assert await collected(bench, path) == git(path, "rev-parse", "HEAD")
    git(path, "reset", "-q", "--hard", bench.first)
    assert await collected(bench, path) == bench.first


async def test_a_deleted_branch_leaves_head(bench: GitBench, path: Path) -> None:
    newest = bench.commit(path, {"a.txt": "1\n"})
    git(path, "checkout", "-q", "--detach")
    git(path, "branch", "-q", "-D", BRANCH)
    assert await collected(bench, path) == newest


async def test_a_history_of_its_own_is_a_change_that_conflicts(bench: GitBench, path: Path) -> None:
    git(path, "checkout", "-q", "--orphan", "fresh")
    bench.commit(path, {"a.txt": "other\n"})
    git(path, "branch", "-q", "-M", "fresh", BRANCH)
    head = await collected(bench, path)
    assert head is not None
    assert [file.path for file in (await bench.scm().change(head)).files] == ["a.txt"]
    assert (await bench.scm().squash(head, "x")).conflicts == ("a.txt",)


async def test_a_checkout_without_any_commit_left_has_gone(bench: GitBench, path: Path) -> None:
    git(path, "checkout", "-q", "--orphan", "empty")
    git(path, "branch", "-q", "-D", BRANCH)
    assert await bench.scm().collect(path, BRANCH) is None


async def test_an_object_that_is_not_sound_is_refused(tmp_path: Path) -> None:
    bench = make_bench("clone", tmp_path)
    await bench.scm().open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    blob = git(path, "rev-parse", "HEAD:a.txt")
    (tmp_path / "tree").write_bytes(b"100644 .git\0" + bytes.fromhex(blob))
    tree = git(path, "hash-object", "-t", "tree", "-w", "--literally", str(tmp_path / "tree"))
    git(path, "update-ref", f"refs/heads/{BRANCH}", git(path, "commit-tree", tree, "-p", "HEAD", "-m", "x"))
    before = bench.refs()
    with pytest.raises(ScmError):
        await bench.scm().collect(path, BRANCH)
    assert bench.refs() == before


async def test_a_checkout_that_points_elsewhere_gives_nothing_of_ours_away(tmp_path: Path) -> None:
    bench = make_bench("clone", tmp_path)
    await bench.scm().open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    (path / ".git").rename(path / "moved")
    (path / ".git").write_text(f"gitdir: {tmp_path / 'repo.git'}\n")
    before = bench.refs()
    with pytest.raises(ScmError, match=r"its \.git leads elsewhere"):
        await bench.scm().collect(path, BRANCH)
    assert bench.refs() == before


async def test_renames_modes_binaries_and_cut_patches_are_told(
    bench: GitBench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write(path, {"keep.txt": "".join(f"line {n}\n" for n in range(50))})
    bench.commit(path, {})
    git(path, "mv", "sub/b.txt", "moved b.txt")
    (path / "a.txt").chmod(0o755)
    (path / "data.bin").write_bytes(bytes(range(256)))
    (path / "gone.txt").unlink()
    (path / "gone.txt").symlink_to("a.txt")
    head = bench.commit(path, {"tab\there": "x\n"})
    assert await collected(bench, path) == head
    monkeypatch.setattr("omni_tui.plugins.scm.change.PATCH_LIMIT", 100)
    change = await bench.scm().change(head)
    told = {file.path: file for file in change.files}
    assert set(told) == {"a.txt", "data.bin", "gone.txt", "keep.txt", "moved b.txt", "tab\there"}
    assert (told["moved b.txt"].status, told["moved b.txt"].old_path) == ("R", "sub/b.txt")
    assert (told["a.txt"].old_mode, told["a.txt"].new_mode, told["a.txt"].added) == ("100644", "100755", 0)
    assert (told["data.bin"].binary, told["data.bin"].added) == (True, 0)
    assert (told["gone.txt"].status, told["gone.txt"].new_mode) == ("T", "120000")
    assert told["keep.txt"].added == 50
    assert change.truncated
    assert len(change.patch) == 100


async def test_a_repository_named_by_sha256_works_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main", "--object-format=sha256")
    first = commit(source, FILES)
    make_bare(tmp_path / "repo.git", source)
    bench = GitBench.__new__(GitBench)
    bench.__dict__ |= make_bench("clone", tmp_path / "unused").__dict__
    bench.root, bench.source, bench.repo, bench.first = tmp_path, source, tmp_path / "repo.git", first
    scm = bench.scm()
    await scm.open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, first)).path)
    head = bench.commit(path, {"a.txt": "1\n"})
    assert await scm.collect(path, BRANCH) == head
    bench.write(path, {"b": "2\n"})
    (path / "gone.txt").unlink()
    rescued = (await scm.rescue(path, head, "refs/omni/rescue/t1/1")).commit
    assert rescued
    assert len(rescued) == 64
    assert await scm.land(await scm.squash(rescued, "x"))
    assert (await scm.push()).pushed


async def test_a_repository_without_a_commit_is_named(tmp_path: Path) -> None:
    (tmp_path / "repo.git").mkdir()
    git(tmp_path / "repo.git", "init", "-q", "--bare", "-b", "main")
    with pytest.raises(ScmError, match="no commit yet"):
        await LocalScm(spec_of_scm(tmp_path)).open()
    with pytest.raises(ScmError, match="not a git repository"):
        await LocalScm(spec_of_scm(tmp_path, repo=tmp_path / "nothing")).open()
    assert MemoryRepository({}).refs == {}


async def test_another_commit_in_between_is_no_loss(tmp_path: Path) -> None:
    """A second dispatcher, or a person, moved the branch: the compare and swap says so, and nothing is overwritten."""
    bench = make_bench("clone", tmp_path)
    assert isinstance(bench, GitBench)
    scm = bench.scm()
    await scm.open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    head = bench.commit(path, {"a.txt": "1\n"})
    await scm.collect(path, BRANCH)
    merge = await scm.squash(head, "x")
    other = make_repository(tmp_path / "other", {"x": "y\n"})
    theirs = git(other, "rev-parse", "HEAD")
    git(bench.repo, "fetch", "-q", str(other), f"+main:refs/heads/{'release/omni'}")
    assert await scm.land(merge) is False
    assert await scm.tip() == theirs


async def test_trying_whether_changes_merge_leaves_no_object_behind(bench: GitBench, path: Path) -> None:
    ours = bench.commit(path, {"a.txt": "ours\n"})
    assert await collected(bench, path) == ours
    other = Path((await bench.workspace().prepare("t2-1", "omni/t2/1", bench.first)).path)
    theirs = bench.commit(other, {"a.txt": "theirs\n", "b.txt": "more\n"})
    scm = bench.scm()
    assert await scm.head(other, "omni/t2/1") == theirs
    before = git(bench.repo, "count-objects", "-v")
    assert await scm.conflicts(ours, theirs) == ("a.txt",)
    assert await scm.conflicts(ours, bench.first) == ()
    assert git(bench.repo, "count-objects", "-v") == before


async def test_a_head_is_not_read_where_its_repository_leads_elsewhere(tmp_path: Path) -> None:
    bench = make_bench("clone", tmp_path)
    assert isinstance(bench, GitBench)
    await bench.scm().open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    bench.commit(path, {"a.txt": "x\n"})
    foreign = make_repository(tmp_path / "foreign", {"secret.txt": "ours\n"})
    (path / ".git").rename(path / "aside")
    (path / ".git").symlink_to(foreign / ".git")
    assert await bench.scm().head(path, BRANCH) == ""
