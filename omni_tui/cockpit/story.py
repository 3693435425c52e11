"""A task's story in words: why it stands where it is, what was found, what was done, what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from omni_tui.cockpit.text import NONE, lines_of
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.paragraphs import Paragraph
from omni_tui.model.step import StepRecord
from omni_tui.model.text import one_line, plural
from omni_tui.model.verdict import Severity, Verdict
from omni_tui.model.view import TaskRow
from omni_tui.store.detail import TaskDetail

BLANK: Paragraph = ()
_MARKS = {Severity.BLOCK: ("✗ blocks", Tone.BLOCKED), Severity.FLAG: ("! flags", Tone.ASKING)}


def tell(row: TaskRow, detail: TaskDetail, remarks: Sequence[str] = ()) -> list[Paragraph]:
    """Tell the task's story, the part that a person needs first."""
    sections = (
        ("Note", _note(row, detail)),
        ("As it is written", ([(one_line(remark), Tone.ASKING)] for remark in remarks)),
        ("Verdict", _verdict(detail.verdict)),
        ("Steps of the latest attempt", _steps(detail.steps)),
        ("Task", _body(row, detail)),
    )
    story: list[Paragraph] = []
    for title, paragraphs in sections:
        told = list(paragraphs)
        if told:
            story += [[(title, Tone.KEY)], *told, BLANK]
    return story


def _note(row: TaskRow, detail: TaskDetail) -> Iterator[Paragraph]:
    """Tell the note but for its first line where that is the reason, which stands above it already."""
    lines = lines_of(detail.note.strip())
    if lines[0].lstrip("# ").strip() == row.reason.strip():
        lines = lines_of("\n".join(lines[1:]).strip())
    for line in lines if any(lines) else ():
        yield [(line.lstrip("# "), Tone.STRONG)] if line.startswith("#") else [(line, Tone.TEXT)]


def _verdict(verdict: Verdict | None) -> Iterator[Paragraph]:
    if verdict is None:
        return
    yield [(f"grade {verdict.grade}, {plural(len(verdict.findings), 'finding')}", Tone.TEXT)]
    for finding in verdict.findings:
        mark, tone = _MARKS.get(finding.severity, (NONE, Tone.QUIET))
        yield [(f"{mark} {finding.kind}: ", tone), (one_line(finding.message), Tone.TEXT)]
        if finding.paths:
            yield [("    " + ", ".join(map(one_line, finding.paths)), Tone.QUIET)]


def _steps(steps: Sequence[StepRecord]) -> Iterator[Paragraph]:
    for step in steps:
        at = datetime.fromtimestamp(step.at, UTC).astimezone().strftime("%H:%M:%S")
        if step.failure is None:
            yield [(f"{at}  ✓ {one_line(step.key)}", Tone.TEXT)]
            continue
        yield [(f"{at}  ✗ {one_line(step.key)}: {one_line(step.failure.message)}", Tone.BLOCKED)]
        for line in lines_of(step.failure.output.rstrip()) if step.failure.output else ():
            yield [("          " + line, Tone.QUIET)]


def _body(row: TaskRow, detail: TaskDetail) -> Iterator[Paragraph]:
    facts = [f"priority {row.priority}"]
    if detail.depends_on:
        facts.append("depends on " + ", ".join(map(one_line, detail.depends_on)))
    if detail.touches:
        facts.append("touches " + ", ".join(map(one_line, detail.touches)))
    yield [(" · ".join(facts), Tone.QUIET)]
    yield [(one_line(detail.path), Tone.QUIET)]
    for line in lines_of(detail.body.strip()) if detail.body.strip() else ():
        yield [(line, Tone.TEXT)]
