"""Nothing that an agent plants in its checkout runs when we collect, rescue, judge, squash, land or push."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from subprocess import Popen

import msgspec
import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins import gitcmd
from omni_tui.plugins.scm import rescue as rescue_module
from omni_tui.plugins.scm.protocol import Rescue
from tests.support.benches import FILES, NOW, GitBench, make_bench
from tests.support.git import git, make_repository

BRANCH = "omni/t1/1"
RESCUE = "refs/omni/rescue/t1/1"
HOOKS = [
    "pre-commit",
    "post-commit",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "pre-push",
    "fsmonitor-watchman",
    "pre-receive",
    "update",
    "post-receive",
    "post-update",
    "proc-receive",
    "push-to-checkout",
    "pre-auto-gc",
]
KEYS = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.alternateRefsCommand",
    "core.pager",
    "core.editor",
    "core.gitProxy",
    "gpg.program",
    "uploadpack.packObjectsHook",
    "diff.external",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "diff.evil.textconv",
    "diff.evil.command",
    "merge.evil.driver",
    "credential.helper",
    "sequence.editor",
]


@pytest.fixture(params=["clone", "worktree"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> GitBench:
    made = make_bench(request.param, tmp_path)
    assert isinstance(made, GitBench)
    return made


async def attempt(bench: GitBench) -> Path:
    await bench.scm().open()
    return Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)


def plant(bench: GitBench, path: Path) -> Path:
    """Plant in the checkout all that git would run there; return the file that each of them would make."""
    mark = bench.root / "it-ran"
    script = bench.root / "evil.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\ncat\n')
    script.chmod(0o755)
    common = Path(git(path, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    (common / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        (common / "hooks" / hook).write_bytes(script.read_bytes())
        (common / "hooks" / hook).chmod(0o755)
    for key in KEYS:
        git(path, "config", key, str(script))
    git(path, "config", "merge.default", "evil")
    git(path, "config", "commit.gpgSign", "true")
    git(path, "config", f"url.ext::{script} .insteadOf", str(bench.source))
    git(path, "config", f"remote.{path}.uploadpack", str(script))
    (common / "info").mkdir(exist_ok=True)
    (common / "info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
    (path / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    return mark


async def test_nothing_planted_runs(bench: GitBench) -> None:
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "one\ntwo\nthree\nfour\n"})
    mark = plant(bench, path)
    bench.write(path, {"sub/b.txt": "uncommitted\n", "new.txt": "new\n"})
    scm = bench.scm()
    assert await scm.head(path, BRANCH) == head
    assert await scm.collect(path, BRANCH) == head
    rescued = (await scm.rescue(path, head, RESCUE)).commit
    assert rescued
    assert (await scm.change(rescued)).commits == 2
    await scm.diff(rescued)
    await scm.origin_state()
    other = Path((await bench.workspace().prepare("t2-1", "omni/t2/1", bench.first)).path)
    await bench.workspace().make_spares(bench.first, 1)
    merge = await scm.squash(rescued, "x")
    assert await scm.land(merge)
    changed = await bench.workspace().checkout("check", merge.commit)
    await bench.workspace().make_spares(merge.commit, 1)
    assert (await scm.push()).pushed
    assert not mark.exists(), mark.read_text()
    assert bench.read(other) == FILES
    assert bench.read(changed)["new.txt"] == "new\n"


async def test_what_was_planted_would_have_run(bench: GitBench) -> None:
    """The test above could not fail if the traps did not work."""
    path = await attempt(bench)
    mark = plant(bench, path)
    bench.write(path, {"a.txt": "x\n"})
    git(path, "status")
    git(path, "add", "a.txt")
    assert "filter" in mark.read_text() or "evil.sh" in mark.read_text()


async def test_a_merge_driver_of_the_repository_does_not_run(bench: GitBench) -> None:
    path = await attempt(bench)
    mark = plant(bench, path)
    scm = bench.scm()
    theirs = Path((await bench.workspace().prepare("t2-1", "omni/t2/1", bench.first)).path)
    git(theirs, "config", "commit.gpgSign", "false")
    (theirs / "a.txt").write_text("theirs\n")
    rescued = (await scm.rescue(theirs, bench.first, "refs/omni/rescue/t2/1")).commit
    assert rescued
    assert await scm.land(await scm.squash(rescued, "theirs"))
    (path / "a.txt").write_text("ours\n")
    ours = (await scm.rescue(path, bench.first, RESCUE)).commit
    assert ours
    assert (await scm.squash(ours, "ours")).conflicts == ("a.txt",)
    assert await scm.conflicts(await scm.tip(), ours) == ("a.txt",)
    assert not mark.exists()


async def test_hooks_in_the_origins_checkout_do_not_run(bench: GitBench) -> None:
    await attempt(bench)
    mark = bench.root / "origin-ran"
    for hook in HOOKS:
        file = bench.source / ".git/hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {hook} >> {mark}\n")
        file.chmod(0o755)
    git(bench.source, "config", "core.fsmonitor", f"touch {mark}")
    assert await bench.scm().origin_state()
    assert (await bench.scm().push()).pushed
    assert not mark.exists(), mark.read_text()


async def test_hooks_of_a_bare_origin_are_its_owners_rules(bench: GitBench) -> None:
    await attempt(bench)
    server = bench.root / "server.git"
    git(bench.root, "clone", "-q", "--bare", str(bench.source), str(server))
    (server / "hooks/pre-receive").write_text("#!/bin/sh\necho not on my watch >&2\nexit 1\n")
    (server / "hooks/pre-receive").chmod(0o755)
    push = await bench.scm(origin=str(server)).push()
    assert not push.pushed
    assert "not on my watch" in push.reason


async def test_special_files_neither_hang_nor_fail_a_rescue(bench: GitBench) -> None:
    path = await attempt(bench)
    os.mkfifo(path / "pipe")
    (path / "a.txt").unlink()
    os.mkfifo(path / "a.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path / "s"))
        bench.write(path, {"kept.txt": "kept\n"})
        rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    expected = {name: text for name, text in FILES.items() if name != "a.txt"}
    assert bench.tree(rescued) == expected | {"kept.txt": "kept\n"}


async def test_a_pipe_where_git_expects_a_file_ends_in_an_error(
    bench: GitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await attempt(bench)
    bench.write(path, {"dir/x.txt": "x\n"})
    os.mkfifo(path / "dir/.gitignore")
    monkeypatch.setattr(rescue_module, "SCAN_SECONDS", 0.5)
    with pytest.raises(ScmError, match="was ended after"):
        await bench.scm().rescue(path, bench.first, RESCUE)


async def test_links_are_kept_as_links_and_never_followed(bench: GitBench) -> None:
    path = await attempt(bench)
    outside = bench.root / "outside"
    bench.write(outside, {"b.txt": "secret\n", "more.txt": "secret\n"})
    (path / "link").symlink_to(outside / "b.txt")
    (path / "sub/b.txt").unlink()
    (path / "sub").rmdir()
    (path / "sub").symlink_to(outside)
    rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    listing = git(bench.repo, "ls-tree", "-r", rescued)
    modes = {line.split("\t")[1]: line.split(" ")[0] for line in listing.splitlines()}
    assert modes == {"a.txt": "100644", "gone.txt": "100644", "link": "120000", "sub": "120000"}
    assert git(bench.repo, "show", f"{rescued}:sub") == str(outside)
    assert "secret" not in git(bench.repo, "show", rescued)


async def test_nested_repositories_are_kept_file_by_file(bench: GitBench) -> None:
    path = await attempt(bench)
    nested = path / "vendor/inner"
    nested.mkdir(parents=True)
    git(nested, "init", "-q")
    bench.commit(nested, {"x.txt": "x\n", "deep/y.txt": "y\n"})
    (path / "fake/.git").mkdir(parents=True)
    bench.write(path, {"fake/.git/config": "[core]\n\tfsmonitor = false\n", "fake/z.txt": "z\n"})
    rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    added = {"vendor/inner/x.txt": "x\n", "vendor/inner/deep/y.txt": "y\n", "fake/z.txt": "z\n"}
    assert bench.tree(rescued) == FILES | added


async def test_odd_names_modes_and_shapes_survive(bench: GitBench) -> None:
    path = await attempt(bench)
    odd = {'new\nline "q" \\': "1\n", "-dash": "2\n", "ünï": "3\n", "a.txt/now/a/dir": "4\n"}
    (path / "a.txt").unlink()
    bench.write(path, odd)
    (path / "gone.txt").unlink()
    (path / "gone.txt").mkdir()
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    (path / os.fsdecode(b"latin-\xe9")).write_text("5\n")
    (path / ".gitmodules").symlink_to("/etc/passwd")
    rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    listing = git(bench.repo, "-c", "core.quotePath=true", "ls-tree", "-r", rescued)
    names = {line.split("\t")[1] for line in listing.splitlines()}
    assert names == {
        '"new\\nline \\"q\\" \\\\"',
        "-dash",
        '"\\303\\274n\\303\\257"',
        "a.txt/now/a/dir",
        "sub/b.txt",
        "run.sh",
        '"latin-\\351"',
    }
    assert "100755 blob" in next(line for line in listing.splitlines() if line.endswith("run.sh"))
    assert ".gitmodules" in bench.describe(rescued)[2]


async def test_giants_are_left_out_and_named(bench: GitBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue_module, "FILE_LIMIT", 1000)
    monkeypatch.setattr(rescue_module, "TOTAL_LIMIT", 1500)
    path = await attempt(bench)
    bench.write(path, {"big.bin": "x" * 1001, "one.bin": "x" * 900, "two.bin": "x" * 900, "small": "x\n"})
    rescue = await bench.scm().rescue(path, bench.first, RESCUE)
    assert rescue.left_out == ("big.bin", "two.bin")
    assert set(bench.tree(rescue.commit)) == {*FILES, "one.bin", "small"}
    _, at, message = bench.describe(rescue.commit)
    assert at == NOW
    assert "big.bin" in message
    assert "two.bin" in message


async def test_a_giant_alone_is_told_though_there_is_nothing_to_commit(
    bench: GitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue_module, "FILE_LIMIT", 10)
    path = await attempt(bench)
    (path / os.fsdecode(b"latin-\xe9")).write_text("x" * 11)
    rescue = await bench.scm().rescue(path, bench.first, RESCUE)
    assert rescue == Rescue(left_out=("latin-\ufffd",))
    assert RESCUE not in bench.refs()
    assert msgspec.json.decode(msgspec.json.encode(rescue), type=Rescue) == rescue


async def test_a_file_deeper_than_a_path_may_be_long_is_told(bench: GitBench) -> None:
    path = await attempt(bench)
    parts = [*["d" * 200] * 20, "e" * 60]  # below PATH_MAX (4096) from the checkout, above it from the root
    at = os.open(path, os.O_RDONLY)
    for part in parts:
        os.mkdir(part, dir_fd=at)
        below = os.open(part, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    rescue = await bench.scm().rescue(path, bench.first, RESCUE)
    assert rescue == Rescue(left_out=("/".join([*parts, "x"]),))


async def test_a_directory_that_git_cannot_open_is_told(bench: GitBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In git's own words, for where the tests run as root every directory opens."""
    path = await attempt(bench)
    converse = gitcmd._converse

    def warn(process: Popen[bytes], stdin: bytes | None, limit: int | None) -> tuple[bytes, bytes, bool]:
        out, err, cut = converse(process, stdin, limit)
        warning = b"warning: could not open directory 'locked/': Permission denied\n"
        return out, err + warning if "ls-files" in str(process.args) else err, cut

    monkeypatch.setattr(gitcmd, "_converse", warn)
    bench.write(path, {"new.txt": "new\n"})
    rescue = await bench.scm().rescue(path, bench.first, RESCUE)
    assert rescue.left_out == ("locked/",)
    assert bench.tree(rescue.commit) == FILES | {"new.txt": "new\n"}


async def test_a_submodule_with_commits_of_its_own_is_told(bench: GitBench) -> None:
    other = make_repository(bench.root / "other", {"x": "x\n"})
    git(bench.source, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendor")
    bench.first = bench.commit(bench.source, {})
    git(bench.repo, "fetch", "-q", str(bench.source), "main")
    path = await attempt(bench)
    assert await bench.scm().rescue(path, bench.first, RESCUE) == Rescue(), "not even cloned"
    git(path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    assert await bench.scm().rescue(path, bench.first, RESCUE) == Rescue(), "as recorded"
    bench.commit(path / "vendor", {"x": "work\n"})
    assert await bench.scm().rescue(path, bench.first, RESCUE) == Rescue(left_out=("vendor",))


async def test_ignored_and_copied_files_stay_out(bench: GitBench) -> None:
    (bench.root / "files").mkdir()
    bench.write(bench.root / "files", {".env": "KEY=hush\n"})
    await bench.scm().open()
    workspace = bench.workspace(copy=(".env",))
    path = Path((await workspace.prepare("t1-1", BRANCH, bench.first)).path)
    assert git(path, "status", "--porcelain") == ""
    bench.write(path, {".gitignore": "*.pyc\nbuild/\n", "x.pyc": "x", "build/y": "y", "src.py": "x\n"})
    rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    assert set(bench.tree(rescued)) == {*FILES, ".gitignore", "src.py"}


async def test_bytes_are_kept_as_they_are_whatever_attributes_say(bench: GitBench) -> None:
    path = await attempt(bench)
    bench.write(path, {".gitattributes": "* text eol=lf ident working-tree-encoding=UTF-16\n"})
    (path / "crlf.txt").write_bytes(b"one\r\ntwo $Id: x$\r\n")
    rescued = (await bench.scm().rescue(path, bench.first, RESCUE)).commit
    assert rescued
    kept = git(bench.repo, "cat-file", "-s", f"{rescued}:crlf.txt")
    assert int(kept) == (path / "crlf.txt").stat().st_size


async def test_no_worktree_of_the_origin_is_pulled_from_under_a_person(bench: GitBench) -> None:
    await attempt(bench)
    server = bench.root / "server.git"
    git(bench.root, "clone", "-q", "--bare", str(bench.source), str(server))
    git(server, "config", "receive.denyCurrentBranch", "ignore")
    git(server, "worktree", "add", "-q", "-b", "release/omni", str(bench.root / "theirs"))
    before = git(server, "rev-parse", "release/omni")
    push = await bench.scm(origin=str(server)).push()
    assert not push.pushed
    assert "checked out" in push.reason
    assert git(server, "rev-parse", "release/omni") == before


async def test_no_attribute_and_no_null_byte_hides_what_a_change_adds(bench: GitBench) -> None:
    scm = bench.scm()
    await scm.open()
    path = Path((await bench.workspace().prepare("t1-1", BRANCH, bench.first)).path)
    (path / "key.bin").write_bytes(b"\x00\x01the-key\n")
    head = bench.commit(path, {".gitattributes": "* binary -diff\n", "plain.txt": "the-other-key\n"})
    await scm.collect(path, BRANCH)
    additions = await scm.additions(head) or ""
    assert "the-key" in additions
    assert "+the-other-key" in additions
