"""Which refs exist for us: pure rules on names.

Everything in the slots `scm` and `workspace` that writes a ref asks here first.
"""

from __future__ import annotations

import re

from omni_tui.errors import ScmError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FORBIDDEN = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_HEADS = "refs/heads/"
_MAX_BYTES = 200


def is_ref_name(name: str) -> bool:
    """Whether `name` may name a branch or ref: git's own rules, and no option, no bidi control, no giant."""
    edges = name.startswith(("-", "/", ".")) or name.endswith(("/", ".")) or name in {"", "@", "HEAD"}
    return not edges and _FORBIDDEN.search(name) is None and len(name.encode("utf-8", "replace")) <= _MAX_BYTES


def is_commit_id(text: str) -> bool:
    """Whether `text` is a full object id, SHA-1 or SHA-256."""
    return _COMMIT.fullmatch(text) is not None


def may_write(ref: str, *, release: str, protected: frozenset[str]) -> bool:
    """Whether we may write `ref` (in full): attempts' refs and the release branch, never a `protected` branch."""
    if not is_ref_name(ref):
        return False
    branch = ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else None
    if branch is not None and branch in protected:
        return False
    return ref.startswith(("refs/heads/omni/", "refs/omni/")) or (branch is not None and branch == release)


def require_writable(ref: str, *, release: str = "", protected: frozenset[str] = frozenset()) -> str:
    """Return `ref` if it may be written; raise `ScmError` otherwise."""
    if not may_write(ref, release=release, protected=protected):
        raise ScmError(
            f"refusing to write {ref!r}",
            fix="only refs/heads/omni/*, refs/omni/* and the release branch are ever written",
        )
    return ref


def require_commit(text: str) -> str:
    """Return `text` if it is a full object id; raise `ScmError` otherwise, before git takes it for an option."""
    if not is_commit_id(text):
        raise ScmError(f"not a commit id: {text[:80]!r}")
    return text


def require_branch(name: str, what: str) -> str:
    """Return `name` if it is a sound branch name; raise `ScmError` saying `what` it should have been."""
    if not is_ref_name(name):
        raise ScmError(
            f"{name[:80]!r} cannot name the {what}", fix="see git check-ref-format for what a branch may be called"
        )
    return name
