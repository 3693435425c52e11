"""Wording: what a task's prose lacks or overdoes, by itself. Heuristics over English sentences; silent in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from omni_tui.model.lint import LintKind
from omni_tui.model.text import one_line
from omni_tui.policy.spec import TITLE, Place, Spec, SpecFinding

_SYMBOL = re.compile(r"`[^`\n]{2,}`|\b\w+\(\)|\b[a-z0-9]+(?:_[a-z0-9]+)+\b|\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+\b")
_COMMAND = re.compile(
    r"`[^`\n]*\b(?:pytest|tox|nox|unittest|make|just|npm|yarn|pnpm|cargo|go (?:test|vet|build)|mvn|gradlew?|rake|rspec"
    r"|bundle|phpunit|ctest|bazel|mypy|ruff|eslint|tsc|bash|sh|\./)[^`\n]*`"
)
_DOCUMENTS = {".md", ".rst", ".txt", ".adoc"}
_PAPERWORK = re.compile(
    r"(?:docs?|chore|ci|build|style)(?:\([^)]*\))?:|document\b|describe\b|explain\b|translate\b|bump\b"
    r"|fix (?:a |the )?typos?\b"
    r"|(?:write|update|extend) (?:the |a |our )?(?:docs|documentation|readme|changelog|guide|licen[cs]e|copyright)\b",
    re.IGNORECASE,
)
_PAPER_LABELS = {"docs", "documentation", "chore", "ci"}

_VAGUE = (
    r"(?:be )?(?:much |more |really |very )?"
    r"(?:better|clean(?:er)?|fast(?:er)?|improved?|nicer?|refactored|easy|easier|robust|good|well|modern)\b"
)
_ACCEPTANCE = re.compile(
    r"(?:^|\n)[#*_ \t>-]*(?:acceptance|definition of done|done|criteria|expected|exit criteria|stop|finished|verif"
    r"|success|test plan|deliverables?|how to check)\b[^\n]*(?=:|\n|\*\*|$)"
    r"|^[ \t]*[-*] \[[ xX]\] "
    r"|\b(?:done|finished|complete|ready|stop|over|enough|accepted)\b[^.\n]{0,20}\b(?:when|once|if|after|as soon as)\b"
    rf"|\b(?:should|must|shall|has to|have to|needs? to)\s+(?!{_VAGUE})\w+"
    r"|\b(?:returns?|raises?|prints?|exits?|answers?|responds?|gives?|yields?|rejects?|accepts?|shows?|says?|equals?|becomes?"
    r"|pass(?:es)?|fails?|refuses?|throws?|keeps?|works (?:on|with|for))\b"
    r"|\b(?:no longer|instead of|so that|rather than|exactly|at most|at least)\b|->|→|=>|==|(?<!\w)[<>≤≥]=?\s*\d",
    re.IGNORECASE | re.MULTILINE,
)

_COVERAGE = re.compile(
    r"\b(?:more|better|improv\w+|increas\w+|rais\w+|extend\w*|expand\w*|higher|additional|boost\w*|full|complete)\b[^.\n]{0,40}"
    r"\bcoverage\b|\b(?:more|additional|further)\s+(?:\w+\s+)?tests\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:refactor|clean ?up|tidy(?: up)?|moderni[sz]e|polish|improve|simplify|rewrite|optimi[sz]e|harden|enhance"
    r"|make)\s+"
    r"(?:(?:all|every|the|our|whole|entire|rest|of|general|overall|code|user|error)\s+){0,4}"
    r"(?:code ?base|code|project|repo(?:sitory)?|everything|app(?:lication)?|system|performance|quality|readability"
    r"|handling|documentation|experience|ux|ui|speed|maintainability|robustness|security|faster|better|nicer)\b"
    r"(?!\s+(?:of|for|in|to)\s+`)"
    r"|\bfix\s+(?:all|any|every|remaining|other)\s+(?:\w+\s+)?(?:bugs?|issues?|problems?|errors?)\b",
    re.IGNORECASE,
)
_POSSIBLE = re.compile(
    r"\bas\s+(?:many|much|fast|far|good|clean|simple|robust|well)\s+(?:\w+\s+)?as\s+(?:possible|you can)\b"
    r"|\bany(?:thing)?\s+(?:other|else)\b[^.\n]{0,40}\byou\s+(?:find|see|notice|like|want)\b"
    r"|\bwherever\s+(?:possible|you (?:can|like|see fit))\b|\bkeep\s+(?:going|improving)\b",
    re.IGNORECASE,
)
_END = re.compile(
    r"\d\s*(?:%|percent|ms|s\b|sec|min|lines?|files?|tests?|cases?|kb|mb|times|x\b)"
    r"|\b(?:to|below|under|above|least|most) \d|\bone test\b",
    re.IGNORECASE,
)

_VERB = (
    r"(?:add|implement|create|build|fix|remove|delete|refactor|migrate|rewrite|redesign|introduce|support|upgrade|port"
    r"|optimi[sz]e)"
)
_BACK = (
    r"(?:it|its|them|their|they|this|that|these|those|the (?:old|former|now|same)|old|unused|callers?|call sites?"
    r"|a test|(?:\w+ )?tests?)\b"
)
_SECOND_JOB = re.compile(
    rf"^(?:\[[^\]]*\]\s*|[\w-]+(?:\([^)]*\))?!?:\s+)*{_VERB}\s+\S+.*?"
    rf"(?:,?\s+and(?: then| also)?|;|,|\s+\+|\s+&)\s+({_VERB})\s+(?!{_BACK})\S",
    re.IGNORECASE,
)
_BY_THE_WAY = re.compile(
    r"\bwhile (?:you(?:'re| are)|we(?:'re| are)) (?:at it|there|in there|on it)\b"
    r"|(?:(?<=[.!?;]\s)|^[ \t]*(?:[-*]\s+)?)"
    r"(?:also|additionally|in addition|furthermore|separately|unrelated(?:ly)?|on top of that)"
    rf"\s*[,:]?\s+(?:please\s+)?{_VERB}\s+(?!{_BACK})\w",
    re.IGNORECASE | re.MULTILINE,
)
_WORD_END = re.compile(r"\W")
_TOP_HEADING = re.compile(
    rf"^#{{1,2}}[ \t]+(?:\d+[.)]\s*|task \d+\s*[:.-]?\s*|part \d+\s*[:.-]?\s*)?{_VERB}\b[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)


def no_files(spec: Spec) -> Iterator[SpecFinding]:
    """Find a task that does not say where its work is."""
    if not spec.paths and _SYMBOL.search(spec.words) is None:
        yield SpecFinding(
            kind=LintKind.NO_FILES,
            message="names no file, directory or symbol",
            fix='say where the work is: `touches = ["src/..."]` in the head, or a path or name between backticks',
            place=TITLE,
        )


def no_tests(spec: Spec) -> Iterator[SpecFinding]:
    """Find a task that names no test and no command that checks it; paperwork needs none."""
    if spec.tests or _COMMAND.search(spec.words) or _is_paperwork(spec):
        return
    yield SpecFinding(
        kind=LintKind.NO_TESTS,
        message="names no test and no command that checks it",
        fix='name the tests that must pass: `tests = ["tests/test_x.py::test_y"]` in the head',
        place=TITLE,
    )


def no_acceptance(spec: Spec) -> Iterator[SpecFinding]:
    """Find a task that does not say when it is done."""
    if not _is_accepted(spec) and not _is_paperwork(spec):
        yield SpecFinding(
            kind=LintKind.NO_ACCEPTANCE,
            message="does not say when it is done",
            fix="add a line `Done when: ...` that a test or a look at the result can decide, or name its tests",
            place=TITLE,
        )


def endless(spec: Spec) -> Iterator[SpecFinding]:
    """Find words that ask for more without an end."""
    for match, place in spec.find(_COVERAGE):
        if not spec.tests and not _END.search(spec.sentence(match)):
            yield _endless(match, place, "name the tests to add, or the share and the file where it ends")
    for match, place in spec.find(_POSSIBLE):
        if not _END.search(spec.sentence(match)):
            yield _endless(match, place, "say how much is enough, in a number or a list")
    for match, place in spec.find(_WHOLE):
        if not _is_accepted(spec) and not _END.search(spec.words):
            yield _endless(match, place, "name the places to change, and what is true afterwards")


def several(spec: Spec) -> Iterator[SpecFinding]:
    """Find a task that holds several jobs: each would land, fail and be judged by itself."""
    fix = "make a task of each job; `depends_on` orders them"
    for match in _SECOND_JOB.finditer(spec.task.title):
        message = f"its title holds two jobs; the second begins at `{one_line(match.string[match.start(1) :], 40)}`"
        yield SpecFinding(kind=LintKind.SEVERAL, message=message, fix=fix, place=TITLE)
    for match, place in spec.find(_BY_THE_WAY):
        message = f"asks for another job by the way: `{one_line(_rest(match), 40)}`"
        yield SpecFinding(kind=LintKind.SEVERAL, message=message, fix=fix, place=place)
    headings = list(_TOP_HEADING.finditer(spec.prose))
    if len(headings) > 1 and len({heading[0] for heading in headings} - {f"# {spec.task.title}"}) > 1:
        message = f"has a heading for each of {len(headings)} jobs"
        yield SpecFinding(kind=LintKind.SEVERAL, message=message, fix=fix, place=spec.place(headings[1].start()))


def _endless(match: re.Match[str], place: Place, fix: str) -> SpecFinding:
    message = f"`{one_line(match[0], 60)}` has no end"
    return SpecFinding(kind=LintKind.ENDLESS, message=message, fix=fix, place=place)


def _rest(match: re.Match[str]) -> str:
    """Return a match to the end of the word that it ends in."""
    end = _WORD_END.search(match.string, match.end())
    return match.string[match.start() : end.start() if end else None]


def _is_accepted(spec: Spec) -> bool:
    return bool(spec.tests) or _ACCEPTANCE.search(spec.words) is not None or _COMMAND.search(spec.words) is not None


def _is_paperwork(spec: Spec) -> bool:
    """Whether the task is about documents alone, as its files, its labels or its title tell."""
    if _PAPERWORK.match(spec.task.title.strip()) or _PAPER_LABELS & {label.lower() for label in spec.task.labels}:
        return True
    return bool(spec.paths) and all(
        PurePosixPath(path).suffix.lower() in _DOCUMENTS or path.split("/")[0] in {"docs", "doc"} for path in spec.paths
    )
