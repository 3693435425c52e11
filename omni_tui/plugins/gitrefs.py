"""What may be handed to git: refs that may be written, commits, branches; each is checked before git sees it."""

from __future__ import annotations

import re

import msgspec

from omni_tui.errors import ScmError
from omni_tui.model.refs import is_branch_name, refusal

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class WritableRef(msgspec.Struct, frozen=True):
    """A ref, by its full name, that may be written. None can be made that the guard refuses: it raises `ScmError`.

    `release` and `protected` are as in `model.refs.refusal`.
    """

    name: str
    release: str = ""
    protected: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        reason = refusal(self.name, release=self.release, protected=self.protected)
        if reason:
            raise ScmError(f"refusing to write {self.name[:80]!r}", fix=reason)


def is_commit_id(text: str) -> bool:
    """Whether `text` is a full object id, SHA-1 or SHA-256."""
    return _COMMIT.fullmatch(text) is not None


def require_commit(text: str) -> str:
    """Return `text` if it is a full object id; raise `ScmError` otherwise, before git takes it for an option."""
    if not is_commit_id(text):
        raise ScmError(f"not a commit id: {text[:80]!r}")
    return text


def require_branch(name: str, what: str) -> str:
    """Return `name` if it is a sound branch name; raise `ScmError` saying `what` it should have been."""
    if not is_branch_name(name):
        raise ScmError(
            f"{name[:80]!r} cannot name the {what}", fix="see git check-ref-format for what a branch may be called"
        )
    return name
