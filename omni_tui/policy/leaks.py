"""Leaks: secrets in what a change adds: in lines, in names of files, in the title that would land with it.

A secret that the fleet holds blocks, whatever the configuration says. Text that only has the shape of a secret weighs
what `[gate] secret` says, and counts nothing under a path that `allow_secrets` names. Remarks in the file itself, as
detect-secrets' `pragma: allowlist secret`, count nothing: an agent writes them too. A value is never told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from omni_tui.model.text import code
from omni_tui.model.verdict import FindingKind
from omni_tui.policy.finding import Found
from omni_tui.policy.patch import FilePatch, read_patch
from omni_tui.policy.paths import any_matches
from omni_tui.policy.redaction import Leak

Find = Callable[[str], Sequence[Leak]]
"""Returns the secrets in a text."""

_NAMED = 5
"""Places in one file that are told."""
_CURE = (
    "Take it out of the change and read it from the environment instead. "
    "If it was a real one, a person has to replace it."
)


def leaks(additions: str | None, title: str, find: Find, allowed: Sequence[str]) -> Iterator[Found]:
    """Say where a change adds secrets.

    `additions` is its diff with every file taken as text (None: too much to look at), `title` what names it when it
    lands, `allowed` are patterns of paths where text that only looks like a secret may be.
    """
    if additions is None:
        yield Found(kind=FindingKind.SECRET, message="The change is too large to be searched for secrets: split it.")
        return
    if any(leak.held for leak in find(title)):
        yield _found("The task's title, which names the commit, holds a secret of the fleet's.", (), held=True)
    for file in read_patch(additions):
        yield from _in_file(file, find, any_matches(allowed, file.new_path))


def _in_file(file: FilePatch, find: Find, allowed: bool) -> Iterator[Found]:
    text = "\n".join(file.added)
    found = [(f"line {file.numbers[text.count(chr(10), 0, leak.start)]}", leak) for leak in find(text)]
    found += [("its name", leak) for leak in find(file.new_path)]
    for held in (True, False):
        told = list(dict.fromkeys(f"{place} ({leak.what})" for place, leak in found if leak.held is held))
        if told and (held or not allowed):
            more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
            verb = "holds a secret of the fleet's" if held else "holds what looks like a secret"
            yield _found(
                f"{code(file.new_path)} {verb}: {', '.join(told[:_NAMED])}{more}.", (file.new_path,), held=held
            )


def _found(message: str, paths: tuple[str, ...], *, held: bool) -> Found:
    return Found(kind=FindingKind.SECRET, message=f"{message} {_CURE}", paths=paths, certain=held)
