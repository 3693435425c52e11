"""Which refs may be written: the rule as a table."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_tui.errors import ScmError
from omni_tui.model.refs import is_branch_name, is_ref_name, refusal
from omni_tui.plugins.gitrefs import WritableRef, is_commit_id, require_branch, require_commit

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
        ("refs/heads/omni/a\u200bb", False),
        ("refs/heads/omni/a\u00a0b", False),
        ("refs/heads/omni/a\x9bb", False),
        ("refs/heads/omni/a\ud800b", False),
        ("refs/heads/omni/a./b", False),
        ("refs/heads/omni/t1/1\n", False),
        ("refs/heads/omni/a.lock", False),
        ("refs/heads/omni/a.lock/b", False),
        ("refs/heads/omni/@{u}", False),
        ("refs/heads/omni/" + "x" * 200, False),
    ],
)
def test_only_attempts_refs_and_the_release_branch_are_written(ref: str, allowed: bool) -> None:
    assert (refusal(ref, release=RELEASE, protected=PROTECTED) == "") is allowed
    if not allowed:
        with pytest.raises(ScmError):
            WritableRef(ref, RELEASE, PROTECTED)


def test_a_protected_branch_is_not_written_even_if_it_is_named_as_release() -> None:
    assert refusal("refs/heads/main", release="main", protected=PROTECTED)
    assert refusal("refs/heads/omni/x", release=RELEASE, protected=frozenset({"omni/x"}))


@pytest.mark.parametrize("release", ["Main", "MAIN", "DEVELOP"])
def test_a_protected_branch_is_not_written_by_another_spelling(release: str) -> None:
    assert "default or base" in refusal(f"refs/heads/{release}", release=release, protected=PROTECTED)


def test_a_protected_branch_is_not_written_in_another_composition_of_its_letters() -> None:
    composed, apart = "\u00fcber", "u\u0308ber"
    assert refusal(f"refs/heads/{apart}", release=apart, protected=frozenset({composed}))


@pytest.mark.parametrize(
    "branch",
    ["HEAD", "FETCH_HEAD", "refs/heads/main", "heads/main", "tags/v1", "remotes/origin/main", "a" * 40, "0" * 64],
)
def test_a_branch_that_git_could_take_for_something_else_is_not_written(branch: str) -> None:
    assert not is_branch_name(branch)
    assert refusal(f"refs/heads/{branch}", release=branch)
    with pytest.raises(ScmError):
        require_branch(branch, "release branch")


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
