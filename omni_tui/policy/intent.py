"""What a task asks to take away, read from its own words: a heuristic over the verbs near a name.

A name may go if, in the same sentence, the nearest verb before it, or else the nearest participle after it, says so and
is not negated: "remove `parse_date`" and "`parse_date` is to be deleted" ask for it; "do not remove `parse_date`",
"keep `parse_date`" and "remove spaces in `parse_date`" do not. An item of a list belongs to the sentence that ends in
a colon above it. A title such as "Remove dead code", without saying from where, makes the whole task about removing.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

from omni_tui.model.task import Task

_REMOVES = (
    r"remov(?:e|es|ed|al|ing)|delet(?:e|es|ed|ing|ion)|drop(?:s|ped|ping)?|renam(?:e|es|ed|ing)|replac(?:e|es|ed|ing)"
    r"|rewrit(?:e|es|ten|ing)|prun(?:e|es|ed|ing)|eliminat(?:e|es|ed|ing)|retir(?:e|es|ed|ing)|gets? rid of|cleans? up"
    r"|rip out|take out|throw away|inlin(?:e|es|ed|ing)"
)
_KEEPS = r"keep(?:s|ing)?|kept|preserv(?:e|es|ed|ing)|retain(?:s|ed|ing)?|leav(?:e|es|ing)|stays?|extend(?:s|ed|ing)?"
_NOT = r"(?:\b(?:not|never|without|cannot|no|nothing)|n't|\brather than|\binstead of)(?:\s+[\w-]+){0,2}\s+"
_ELSEWHERE = r"\b(?:in|from|with|to|for|inside|within|at|by|into|on)\s+"
_VERB = re.compile(rf"(?P<negated>{_NOT})?\b(?:(?P<removes>{_REMOVES})|{_KEEPS})\b(?!-)", re.IGNORECASE)
_TITLE = re.compile(rf"(?:\[[^\]]*\]\s*|[\w-]+(?:\([^)]*\))?!?:\s+)*(?:{_REMOVES})\b(?!.*{_ELSEWHERE})", re.IGNORECASE)
_NOT_OBJECT = re.compile(
    rf"{_ELSEWHERE}(?:(?:the|our|its|function|method|class|module|file)\s+)*[`'\"(]*$", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?;]\s+|\n")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_CODE = re.compile(r"`[^`]*`")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


class Verb(msgspec.Struct, frozen=True):
    """A verb of a sentence: where it stands, and whether it asks to take something away."""

    start: int
    asks: bool
    participle: bool
    """As in "is to be removed": it can speak of what stands before it."""


class Intent:
    """What one task asks to take away."""

    def __init__(self, task: Task) -> None:
        text = f"{task.title}\n\n{task.body}"
        self.about_removing = _TITLE.match(task.title.strip()) is not None
        self._sentences = [(sentence, verbs) for sentence in _sentences(text) if (verbs := _verbs(sentence))]
        self._folded = "\n".join(sentence for sentence, _ in self._sentences).lower()
        self._answers: dict[str, bool] = {}
        self._identifiers = set(re.findall(r"\w{4,}", text))

    def asks_for(self, name: str) -> bool:
        """Whether a definition may go: by its name, by the words of it, or, for a test, by its subject."""
        bare = name.rsplit("::", 1)[-1].lstrip("&~")
        words = " ".join(_HUMPS.split(bare)).strip()
        if self.about_removing or self._asked(bare) or (" " in words and self._asked(words)):
            return True
        is_test = bare.lower().startswith("test")
        return is_test and any(subject in bare and self._asked(subject) for subject in self._identifiers)

    def asks_for_file(self, path: str) -> bool:
        """Whether a whole file may go: by its path, its name or a directory above it."""
        pure = PurePosixPath(path)
        above = [f"{parent}/" for parent in pure.parents if parent.name]
        return self.about_removing or any(self._asked(name) for name in (path, pure.name, *above))

    def _asked(self, name: str) -> bool:
        if name.lower() not in self._folded:
            return False
        if name not in self._answers:
            self._answers[name] = self._look_for(name)
        return self._answers[name]

    def _look_for(self, name: str) -> bool:
        word = re.compile(rf"(?<![\w/]){re.escape(name)}(?!\w)", re.IGNORECASE)
        return any(
            _is_asked(sentence, match.start(), verbs)
            for sentence, verbs in self._sentences
            for match in word.finditer(sentence)
        )


def _sentences(text: str) -> list[str]:
    """Split a text; each item of a list comes with the line that leads into it."""
    found: list[str] = []
    paragraph = lead = ""
    for line in text.split("\n"):
        if _ITEM.match(line) or not line.strip():
            found += _SENTENCE_END.split(paragraph)
            paragraph = f"{lead} {line}" if line.strip() else ""
        else:
            paragraph = f"{paragraph} {line}".strip()
            lead = ""
        if line.rstrip().endswith(":") and not _ITEM.match(line):
            lead = paragraph
    return [sentence for sentence in (*found, *_SENTENCE_END.split(paragraph)) if sentence.strip()]


def _verbs(sentence: str) -> list[Verb]:
    """Find the verbs of a sentence; what stands between backticks is a name."""
    prose = _CODE.sub(lambda match: "`" * len(match[0]), sentence)
    return [
        Verb(
            match.end(),
            asks=(match["removes"] is not None) != (match["negated"] is not None),
            participle=match[0].lower().endswith(("ed", "rewritten")),
        )
        for match in _VERB.finditer(prose)
    ]


def _is_asked(sentence: str, position: int, verbs: list[Verb]) -> bool:
    """Let the nearest verb before `position` speak; where there is none, the nearest participle after it."""
    before = [verb for verb in verbs if verb.start <= position]
    if before:
        return before[-1].asks and _NOT_OBJECT.search(sentence[:position]) is None
    after = next((verb for verb in verbs if verb.participle), None)
    return after is not None and after.asks
