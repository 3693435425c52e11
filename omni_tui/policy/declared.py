"""Declared: whether a task's head and its text agree on flags and dependencies, and whether what they name is there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from posixpath import normpath

from omni_tui.model.lint import LintKind
from omni_tui.model.task import TaskRef
from omni_tui.model.taskfile import Head
from omni_tui.model.text import code
from omni_tui.policy.dependencies import parse_ref
from omni_tui.policy.flags import AS_WRITTEN, names, nearest, requirement
from omni_tui.policy.spec import Place, Spec, SpecFinding, Surroundings

_FLAG_WORDS = re.compile(
    r"\b(?:feature[ -]?(?:flag|toggle|switch)|flag)\s+(?:called\s+|named\s+)?[`'\"]?(?P<name>[A-Za-z][\w.-]*\w)[`'\"]?",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\bbehind\s+(?:a|the|our|its|an?other)\s+(?:new\s+)?(?:feature[ -]?)?(?:flag|toggle)\b", re.IGNORECASE
)
_DISTINCTIVE = re.compile(r"[_.-]")
_ID = r"(?:(?P<workspace>[a-z0-9][\w-]*)/)?(?P<id>\d[\w.-]*\w|\d|(?<=`)[a-z0-9][\w.-]*)"
_AFTER = re.compile(
    r"\b(?:depends on|blocked by|waits for|once|after|requires|builds on)\s+(?:the\s+)?(?P<noun>task\s+)?"
    rf"[#`]?{_ID}`?(?P<landed>\s+(?:has|is|have)\s+(?:landed|merged|done))?",
    re.IGNORECASE,
)
ALIKE = 0.81
"""How alike two keys are where one is a slip of the pen: `depends` and `depends_on` are, `time` and `title` not."""
_SURE = ("depends on", "blocked by", "waits for")


def flags(spec: Spec, around: Surroundings) -> Iterator[SpecFinding]:
    """Find flags that the text speaks of and the head does not declare, and flags of the head that are nowhere."""
    task = spec.task
    declared = {*names(task.requires_flags), *names(task.stubs_flags), *names(task.provides_flags)}
    yield from _impossible(spec)
    if around.flags is not None:
        yield from _nowhere(spec, around.flags)
    undeclared = {name: place for name, place in _spoken_of(spec, around.flags or ()) if name not in declared}
    for name, place in undeclared.items():
        yield SpecFinding(
            kind=LintKind.FLAG,
            message=f"speaks of the flag {code(name)}, but its head does not declare it",
            fix=f'`requires_flags = ["{name}=on"]` waits for it, `stubs_flags` does without it, '
            "`provides_flags` ships behind it",
            place=place,
        )
    if not declared and not undeclared:
        for _, place in spec.find(_BEHIND):
            yield SpecFinding(
                kind=LintKind.FLAG,
                message="speaks of a feature flag, but its head names none",
                fix='name it: `provides_flags = ["..."]` where the work ships behind it, `requires_flags` where it '
                "needs it on",
                place=place,
            )


def dependencies(spec: Spec, around: Surroundings) -> Iterator[SpecFinding]:
    """Find dependencies that are not in the backlog, and those that only the text tells of."""
    if around.backlog is None:
        return
    task = spec.task
    declared = {parse_ref(text, task.workspace) for text in task.depends_on}
    for ref in sorted(ref for ref in declared if ref not in around.backlog):
        yield _missing(spec, ref, around.backlog, Place("depends_on"))
    for ref, place in _told_of(spec, around.backlog):
        if ref not in declared and ref != task.ref:
            yield SpecFinding(
                kind=LintKind.DEPENDENCY,
                message=f"says that it comes after {ref}, but its head does not",
                fix=f'`depends_on = ["{ref.id if ref.workspace == task.workspace else ref}"]` in the head',
                place=place,
            )


def keys(spec: Spec) -> Iterator[SpecFinding]:
    """Find slips of the pen in the head: keys that count for nothing but nearly are one that does, paths to nowhere."""
    yield from _outside(spec)
    for key in spec.task.extra:
        near = difflib.get_close_matches(key.lower().replace("-", "_"), Head.__struct_fields__, n=1, cutoff=ALIKE)
        if near:
            yield SpecFinding(
                kind=LintKind.KEY,
                message=f"its head has the key {code(key)}, which counts for nothing",
                fix=f"did you mean {code(near[0])}?",
                place=Place(key),
            )


def _outside(spec: Spec) -> Iterator[SpecFinding]:
    """Name each path of `touches` that leads out of the repository: no agent may touch what is there."""
    for path in spec.task.touches:
        if normpath(path.strip()).partition("/")[0] in ("", "~", ".."):
            yield SpecFinding(
                kind=LintKind.KEY,
                message=f"touches has {code(path)}, which leads out of the repository",
                fix="write it as it is called from the repository's root, as in `src/app.py`, or take it out",
                place=Place("touches"),
            )


def _impossible(spec: Spec) -> Iterator[SpecFinding]:
    """Name each entry of the head that can name no flag, or none in that state."""
    task = spec.task
    heads = {
        "requires_flags": task.requires_flags,
        "stubs_flags": task.stubs_flags,
        "provides_flags": task.provides_flags,
    }
    for key, entries in heads.items():
        for entry in entries:
            if not requirement(entry).possible:
                yield SpecFinding(
                    kind=LintKind.FLAG,
                    message=f"{key} has {code(entry)}, which names no flag and its state",
                    fix=f"write it as {AS_WRITTEN}",
                    place=Place(key),
                )


def _nowhere(spec: Spec, known: Collection[str]) -> Iterator[SpecFinding]:
    """Name each flag that the head needs or stubs and that neither `flags.toml` nor a task has."""
    for key, entries in (("requires_flags", spec.task.requires_flags), ("stubs_flags", spec.task.stubs_flags)):
        for name in names(entry for entry in entries if requirement(entry).possible):
            if name not in known:
                yield SpecFinding(
                    kind=LintKind.FLAG,
                    message=f"{key} names {code(name)}, which neither flags.toml nor a task has",
                    fix=nearest(name, known)
                    or f"tell how it is now with `omni-tui flag set {name} on` (or `off`), or take it out",
                    place=Place(key),
                )


def _spoken_of(spec: Spec, known: Collection[str]) -> Iterator[tuple[str, Place]]:
    """Give known flags that the text names, and what it calls a flag between backticks that looks like one."""
    for name in known:
        word = rf"(?<![\w/.-]){re.escape(name)}(?![\w/(-])"
        pattern = word if _DISTINCTIVE.search(name) else rf"`{re.escape(name)}`|flag {word}|{word} flag"
        for _, place in spec.find(re.compile(pattern)):
            yield name, place
    for match, place in spec.find(_FLAG_WORDS):
        is_feature = match[0].lower().startswith("feature")
        if is_feature and "_" in match["name"]:
            yield match["name"], place


def _told_of(spec: Spec, backlog: Collection[TaskRef]) -> Iterator[tuple[TaskRef, Place]]:
    """Give the tasks of the backlog that the text says come first; what is no task's id is left alone."""
    for match, place in spec.find(_AFTER):
        sure = match[0].lower().startswith(_SURE) or match["noun"] or match["landed"]
        ref = TaskRef((match["workspace"] or spec.task.workspace).lower(), match["id"].lower())
        if sure and ref in backlog:
            yield ref, place


def _missing(spec: Spec, ref: TaskRef, backlog: Collection[TaskRef], place: Place) -> SpecFinding:
    there = {str(each) if each.workspace != spec.task.workspace else each.id: each for each in backlog}
    shown = str(ref) if ref.workspace != spec.task.workspace else ref.id
    near = difflib.get_close_matches(shown, there, n=1, cutoff=0.6)
    hint = f"did you mean {code(near[0])}?" if near else "add that task, or take it out of `depends_on`"
    return SpecFinding(
        kind=LintKind.DEPENDENCY, message=f"depends on {ref}, which is not in the backlog", fix=hint, place=place
    )
