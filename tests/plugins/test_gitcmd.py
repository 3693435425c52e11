"""How git is run: with nobody's settings, within a time limit, and without telling passwords."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins.gitcmd import Git, redact
from omni_tui.plugins.gitrefs import WritableRef
from tests.support.git import git, make_repository


@pytest.fixture
def repo(tmp_path: Path) -> Git:
    return Git(git_dir=make_repository(tmp_path / "r", {"a": "1\n"}) / ".git")


def test_variables_of_a_git_that_started_us_do_not_count(
    repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "alias.hello")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "!touch it-ran")
    assert repo.text("log", "--format=%s") == "first"
    with pytest.raises(ScmError):
        repo.run("hello")


def test_the_users_configuration_is_read_only_where_it_is_asked_for(
    repo: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[demo]\n\tkey = theirs\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    assert repo.text("config", "demo.key", accept=(0, 1)) == ""
    theirs = Git(git_dir=repo.git_dir, user_config=True)
    assert theirs.text("config", "demo.key") == "theirs"
    assert theirs.text("config", "core.hooksPath") == "/dev/null"


def test_what_takes_too_long_is_ended(repo: Git, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScmError, match=r"was ended after 0\.2 s"):
        repo.run("hash-object", str(tmp_path / "pipe"), seconds=0.2)


def test_output_is_cut_and_the_rest_never_read(repo: Git, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 3_000_000)
    blob = repo.text("hash-object", "-w", str(tmp_path / "big"))
    assert repo.run("cat-file", "blob", blob, limit=1000).out == b"x" * 1000
    assert len(repo.run("cat-file", "blob", blob, limit=5_000_000).out) == 3_000_000


def test_a_refusal_says_what_git_said(repo: Git) -> None:
    with pytest.raises(ScmError, match="unknown revision"):
        repo.run("log", "nothing-of-that-name")


def test_passwords_in_urls_are_not_told() -> None:
    assert redact("cannot read https://bob:hunter2@example.org/x") == "cannot read https://***@example.org/x"


def test_git_has_no_terminal_to_ask_on(repo: Git) -> None:
    out = git(repo.git_dir, "--version")
    assert out.startswith("git version")
    alias = ("-c", "alias.ask=!ps -o tty= -p $$; test -t 0 && echo asks || echo quiet")
    assert "quiet" in msgspec.structs.replace(repo, new=True).text(*alias, "ask")


@pytest.mark.parametrize(
    "words",
    [
        "update-ref refs/heads/main HEAD",
        "-c core.bare=true update-ref refs/heads/omni/t1/1 HEAD",
        "push origin HEAD:main",
        "fetch --quiet -- /somewhere +refs/heads/*:refs/heads/*",
        "fetch --quiet -- /somewhere main",
        "fetch --all",
        "worktree add -b main2 -- /somewhere HEAD",
        "symbolic-ref HEAD refs/heads/other",
        "branch other",
        "commit --allow-empty -m x",
        "",
    ],
)
def test_a_command_that_could_write_a_ref_is_refused(repo: Git, words: str) -> None:
    before = repo.text("for-each-ref")
    with pytest.raises(ScmError, match="it could write a ref"):
        repo.run(*words.split())
    assert repo.text("for-each-ref") == before


def test_a_ref_is_moved_only_from_where_it_is_thought_to_be(repo: Git) -> None:
    commit, ref = repo.text("rev-parse", "HEAD"), WritableRef("refs/heads/omni/t1/1")
    repo.update_ref(ref, commit, "0" * 40)
    assert repo.text("rev-parse", ref.name) == commit
    with pytest.raises(ScmError):
        repo.update_ref(ref, commit, "0" * 40)
    with pytest.raises(ScmError, match="not a commit id"):
        repo.update_ref(ref, "--stdin")
