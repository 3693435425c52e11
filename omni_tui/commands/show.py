"""`omni-tui show TASK`: all that the files tell of a task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omni_tui.commands.listing import describe_row
from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import TASK, find_task, open_reader
from omni_tui.engine.clock import SystemClock
from omni_tui.model.task import Status
from omni_tui.model.text import plural
from omni_tui.policy.evidence import standing
from omni_tui.words import lasting, moment, taken, taking

if TYPE_CHECKING:
    from omni_tui.linting import Remark
    from omni_tui.model.attempt import AttemptStatus
    from omni_tui.model.footprint import Footprint
    from omni_tui.model.view import TaskRow
    from omni_tui.store.detail import TaskDetail


@click.command("show")
@click.argument("task", type=TASK)
@common
def show(session: Session, task: str) -> Answer:
    """Tell all about TASK: what is to be done, how far it is, what the gate said, and why it stopped."""
    from omni_tui.fleet import Fleet
    from omni_tui.linting import remarks_on

    reader = open_reader(session.root())
    row = find_task(reader.read().rows, task)
    detail = reader.detail(row)
    run_dir = reader.paths.workspace(row.ref.workspace).runs / row.ref.id / str(row.attempt) if row.attempt else None
    now = SystemClock().now()
    remarks = remarks_on(Fleet(reader.paths.root), row)
    result = {**describe_row(row, now), "run": row.run, "run_dir": run_dir, "detail": detail, "remarks": remarks}
    return Answer(result, "\n".join([*_lines(row, detail, run_dir, now), *_told(remarks)]))


def _told(remarks: Sequence[Remark]) -> list[str]:
    lines = [f"{remark.level:<9} {remark.kind}: {remark.words}" for remark in remarks]
    return ["", "as it is written:", *lines] if lines else []


def _footprint(footprint: Footprint) -> list[str]:
    lines = [("takes", taking(footprint)), ("took", taken(footprint))]
    if footprint.killed:
        times = plural(footprint.killed, "time")
        lines.append(("", f"{times} the kernel ended a process of it, for its tree was at its cap of memory"))
    if footprint.uncapped:
        lines.append(("", "it could not be capped here; `omni-tui doctor` tells why"))
    return [f"{name:<9} {words}" for name, words in lines if words]


def _who(number: int, run: AttemptStatus) -> list[str]:
    """Return whose attempt it is, who serves that, and why."""
    by = f"attempt   {number} by {run.agent} ({' '.join(filter(None, (run.harness, run.model)))})"
    return [by, f"served by {run.provider}" + (f": {run.chosen}" if run.chosen else "")] if run.provider else [by]


def _lines(row: TaskRow, detail: TaskDetail, run_dir: Path | None, now: float) -> list[str]:
    lines = [f"{row.ref}  {row.title}", f"status    {row.status}" + (f": {row.reason}" if row.reason else "")]
    lines.append(f"file      {row.path}")
    if row.run is not None:
        run = row.run
        lines += _who(row.attempt, run)
        lines.append(
            f"phase     {run.phase}; {run.health} since {moment(run.signal_at or run.updated_at)} {run.detail}"
        )
        known = standing(run, now) if row.status is Status.DOING else None
        if known is not None:
            lines.append(f"known     by {known.source}, {lasting(known.age)} ago: {known.confidence}")
        lines += _footprint(run.footprint)
        if run.turns or run.tokens or run.usd:
            lines.append(f"spent     {plural(run.turns, 'turn')}, {run.tokens:,} tokens, {run.usd:.2f} USD")
    if run_dir is not None:
        lines.append(f"run       {run_dir}")
    refused = row.run.refused if row.run is not None else ()
    for name, values in (("refused", refused), ("needs", detail.depends_on), ("touches", detail.touches)):
        if values:
            lines.append(f"{name:<9} {', '.join(values)}")
    if detail.verdict is not None:
        lines.append(f"gate      {detail.verdict.grade}")
        lines += [
            f"          {finding.severity} {finding.kind}: {finding.message}" for finding in detail.verdict.findings
        ]
    if detail.steps:
        lines.append(f"steps     {', '.join(step.key for step in detail.steps)}")
    if detail.note:
        lines += ["", detail.note.rstrip()]
    return [*lines, "", detail.body] if detail.body else lines
