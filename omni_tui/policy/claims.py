"""Claims: what a task says that it adds, and whether that is there already.

A claim is a name between backticks right after "add", "create" and the like: "add a function `week()`" claims `week`;
"add a parameter to `week()`" and "add tests for `week`" claim nothing. A definition of the same name contradicts it
where the task names its file, or, where it names no file at all, if the name is distinctive: `run` is everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from omni_tui.model.lint import LintKind
from omni_tui.policy.spec import Place, Spec, SpecFinding, Surroundings

_CLAIM = re.compile(
    r"(?<!not )(?<!never )(?<!n't )\b(?:add|create|implement|introduce|write|define|build)\s+"
    r"(?:(?:a|an|the|our|new|small|simple|public|private|async|static|pure|missing|free|top-level|module-level|helper|python|rust|go)\s+)*"
    r"(?:(?:function|method|class|helper|module|type|struct|enum|trait|interface|protocol|constant|decorator|exception|component"
    r"|hook|command|subclass|dataclass|error|generator|coroutine|wrapper)\s+)?"
    r"`(?P<name>[A-Za-z_$][\w$.:]*)(?:\([^`\n]*\))?`"
    r"(?!\s+(?:parameter|argument|option|flag|field|key|column|keyword|attribute|property|import|call|test|tests|check|entry|support"
    r"|annotation|case|section|label|header|overload|variant|branch|handling|to the list"
    r"|and `[^`]*` (?:parameters|arguments|options|fields)))",
    re.IGNORECASE,
)
_HUMP = re.compile(r"[a-z0-9][A-Z]|[A-Za-z0-9]_+[A-Za-z0-9]")
_LONG = 9
"""Characters from which a name of one word is distinctive."""
_SHOWN = 2


class Claim(NamedTuple):
    """A name that a task says it adds."""

    name: str
    place: Place


def claims(spec: Spec) -> list[Claim]:
    """Return what a task says that it adds."""
    found = ((re.split(r"[.:]+", match["name"])[-1], place) for match, place in spec.find(_CLAIM))
    return [Claim(name, place) for name, place in found if name]


def exists(spec: Spec, around: Surroundings) -> Iterator[SpecFinding]:
    """Find what a task says that it adds although it is defined already."""
    for claim in {claim.name: claim for claim in reversed(claims(spec))}.values():
        there = _contradicting(spec, claim.name, around.definitions.get(claim.name, ()))
        if there:
            more = f" and {len(there) - _SHOWN} more places" if len(there) > _SHOWN else ""
            yield SpecFinding(
                kind=LintKind.EXISTS,
                message=f'says "add" of `{claim.name}`, which is defined in {", ".join(there[:_SHOWN])}{more}',
                fix='say what is to change in it ("extend", "replace"), or take the task out if that is done',
                place=claim.place,
            )


def _contradicting(spec: Spec, name: str, definitions: Sequence[str]) -> list[str]:
    in_files = [place for place in definitions if spec.is_within(place.rpartition(":")[0])]
    if in_files or spec.paths:
        return in_files
    return list(definitions) if len(name) >= _LONG or _HUMP.search(name) else []
