"""Which refs may be written: the rule as a table."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_tui.errors import ScmError
from omni_tui.plugins.gitrefs import is_commit_id, is_ref_name, may_write, require_commit, require_writable

RELEASE = "release/omni"
PROTECTED = frozenset({"main", "develop"})


@pytest.mark.parametrize(
    ("ref", "allowed"),
    [
        ("refs/heads/omni/t1/1", True),
        ("refs/omni/rescue/t1/1", True),
        ("refs/heads/release/omni", True),
        ("refs/heads/main", False),
        ("refs/heads/develop", False),
        ("refs/heads/release/omni2", False),
        ("refs/heads/omnivore", False),
        ("refs/heads/omni", False),
        ("refs/omni", False),
        ("refs/heads/omni/../main", False),
        ("refs/heads/omni/", False),
        ("refs/tags/omni/x", False),
        ("refs/remotes/origin/omni/x", False),
        ("refs/notes/omni", False),
        ("HEAD", False),
        ("release/omni", False),
        ("", False),
        ("--upload-pack=touch x", False),
        ("refs/heads/omni/a b", False),
        ("refs/heads/omni/a\u202eb", False),
        ("refs/heads/omni/a.lock", False),
        ("refs/heads/omni/a.lock/b", False),
        ("refs/heads/omni/@{u}", False),
        ("refs/heads/omni/" + "x" * 200, False),
    ],
)
def test_only_attempts_refs_and_the_release_branch_are_written(ref: str, allowed: bool) -> None:
    assert may_write(ref, release=RELEASE, protected=PROTECTED) is allowed
    if not allowed:
        with pytest.raises(ScmError):
            require_writable(ref, release=RELEASE, protected=PROTECTED)


def test_a_protected_branch_is_not_written_even_if_it_is_named_as_release() -> None:
    assert not may_write("refs/heads/main", release="main", protected=PROTECTED)
    assert not may_write("refs/heads/omni/x", release=RELEASE, protected=frozenset({"omni/x"}))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=12))
def test_a_name_that_we_take_git_takes_too(tail: str) -> None:
    name = f"refs/heads/omni/{tail}"
    if is_ref_name(name):
        assert subprocess.run(["git", "check-ref-format", name]).returncode == 0


@pytest.mark.parametrize("text", ["", "main", "-x", "a" * 39, "A" * 40, "a" * 41, "--output=x", "a" * 40 + "\n"])
def test_what_is_no_full_commit_id_never_reaches_git(text: str) -> None:
    assert not is_commit_id(text)
    with pytest.raises(ScmError):
        require_commit(text)


def test_both_kinds_of_ids_are_commit_ids() -> None:
    assert is_commit_id("a" * 40)
    assert is_commit_id("0" * 64)
