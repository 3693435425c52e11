"""The ref guard: which refs of a repository may be written. One pure rule, that every push and every update-ref passes.

Attempts' branches (`refs/heads/omni/*`), refs of our own (`refs/omni/*`) and the release branch; nothing else, whatever
a name looks like, and never a default branch (facts: reliability, Git). git's own rules are git-check-ref-format(1).
"""

from __future__ import annotations

import re
import unicodedata

OURS = ("refs/heads/omni/", "refs/omni/")
"""What the names of refs that are nobody else's begin with."""

MAX_BYTES = 200
"""The longest name: each part becomes a file's name, with `.lock` behind it."""

_HEADS = "refs/heads/"
_FORBIDDEN = re.compile(r"[~^:?*\[\\]|\.\.|@\{|//|/\.|\.(?:/|$)|\.lock(?:/|$)")
_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PSEUDO = re.compile(r"(?:[A-Z]+_)?HEAD")
_FULL = ("refs/", "heads/", "tags/", "remotes/")


def is_ref_name(name: str) -> bool:
    """Whether `name` may name a branch or ref: git's own rules, and no option, no hidden character, no giant."""
    edges = name.startswith(("-", "/", ".")) or name.endswith("/") or name in {"", "@", "HEAD"}
    return not edges and _FORBIDDEN.search(name) is None and _is_visible(name) and len(name.encode()) <= MAX_BYTES


def is_branch_name(name: str) -> bool:
    """Whether `name` may name a branch, and nobody could read anything else in it: no commit, no HEAD, no full ref."""
    misread = name.startswith(_FULL) or _HEX.fullmatch(name) or _PSEUDO.fullmatch(name)
    return is_ref_name(name) and not misread


def refusal(ref: str, *, release: str = "", protected: frozenset[str] = frozenset()) -> str:
    """Return why `ref` (its full name) may not be written; empty: it may.

    `release` is the branch that changes land on, `protected` are branches that are never written, even if one is named
    as release: the default and the base branch.
    """
    if not is_ref_name(ref):
        return "it is no sound name of a ref"
    branch = ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else ""
    if branch and not is_branch_name(branch):
        return "git could read its name as something else"
    if branch and _folded(branch) in map(_folded, protected):
        return "it is a default or base branch, which only a person writes"
    if ref.startswith(OURS) or (branch and branch == release):
        return ""
    return "only refs/heads/omni/*, refs/omni/* and the release branch are ever written"


def _is_visible(name: str) -> bool:
    """Whether every character can be seen and told apart: no control, format, surrogate or space of any kind."""
    return all(unicodedata.category(char)[0] not in "CZ" for char in name)


def _folded(branch: str) -> str:
    """Return a branch's name as a file system sees it that knows neither case nor composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", branch).casefold())
