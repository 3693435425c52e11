"""Runs: what is kept of each attempt, under `runs/<task>/<attempt>/`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from omni_tui.errors import OmniError
from omni_tui.model.attempt import AttemptId, AttemptStatus
from omni_tui.model.step import StepRecord
from omni_tui.model.task import TaskRef
from omni_tui.model.text import Redact, clean, throughout
from omni_tui.model.verdict import Verdict
from omni_tui.store.files import DISK, Disk, append, make_dirs, publish
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.reading import decode, decode_shown, read_small

T = TypeVar("T")

FIRST = "first"
"""Names the file that holds the number of the first attempt that counts, where that is not 1, and behind it, where
there is any, the commit of earlier work that it is told of."""

_BEGUN = re.compile(rb"(\d{1,9})(?: ([0-9a-f]{40,64}))?")

_status = msgspec.json.Decoder(AttemptStatus)
_step = msgspec.json.Decoder(StepRecord)
_verdict = msgspec.json.Decoder(Verdict)


class Run:
    """One attempt's directory."""

    def __init__(
        self,
        dir: Path,  # noqa: A002 -- as the attribute
        attempt: AttemptId,
        disk: Disk = DISK,
        redact: Redact = str,
    ) -> None:
        self.dir = dir
        self.attempt = attempt
        self._disk = disk
        self._redact = redact

    @property
    def prompt(self) -> Path:
        """What the agent was told."""
        return self.dir / "prompt.md"

    @property
    def events(self) -> Path:
        """Lines that the agent, or its hooks, append."""
        return self.dir / "events.jsonl"

    def open_events(self) -> None:
        """Have the file of events there before the agent is: only what is there can be given to it alone."""
        self._disk.close(self._disk.open(self.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    @property
    def refusals(self) -> Path:
        """What the proxy refused to the agent."""
        return self.dir / "net.jsonl"

    @property
    def state(self) -> Path:
        """What the agent's harness keeps for itself while it works."""
        return self.dir / "state"

    @property
    def pane_log(self) -> Path:
        """The agent's last screen."""
        return self.dir / "pane.log"

    @property
    def patch(self) -> Path:
        """The change as a unified diff."""
        return self.dir / "change.patch"

    def write_prompt(self, text: str) -> None:
        """Keep what the agent will be told. Not synced: who launches again after a power loss writes it again."""
        publish(self.prompt, self._redact(text).encode(), durable=False, disk=self._disk)

    def write_patch(self, patch: str) -> None:
        """Keep the change; bytes of a file's name that were not UTF-8 come out as they were."""
        publish(self.patch, self._redact(patch).encode("utf-8", "surrogateescape"), disk=self._disk)

    def write_verdict(self, verdict: Verdict) -> None:
        """Keep what the gate said."""
        publish(self.dir / "verdict.json", msgspec.json.encode(throughout(verdict, self._fit_to_show)), disk=self._disk)

    def read_verdict(self) -> Verdict | None:
        """Return what the gate said; None: nothing yet."""
        return _read(self.dir / "verdict.json", _verdict)

    def write_status(self, status: AttemptStatus) -> None:
        """Show how the attempt is. Whole for every reader, but not synced: a view, soon written again."""
        shown = msgspec.json.encode(throughout(status, self._fit_to_show))
        publish(self.dir / "status.json", shown, durable=False, disk=self._disk)

    def read_status(self) -> AttemptStatus | None:
        """Return how the attempt was when last shown; None: it never was, or a power loss took the file's bytes."""
        return _read(self.dir / "status.json", _status)

    def _fit_to_show(self, text: str) -> str:
        return self._redact(clean(text))  # in this order: what is hidden between its letters would hide a secret

    def append_step(self, record: StepRecord, *, durable: bool = True) -> None:
        """Record a finished step; it counts once this has returned. Not `durable`: a power loss may undo the record.

        Of a failure's words secrets are taken out; a result is data of ours, which must come back as it was.
        """
        record = msgspec.structs.replace(record, failure=throughout(record.failure, self._redact))
        append(self.dir / "steps.jsonl", msgspec.json.encode(record), durable=durable, disk=self._disk)

    def steps(self) -> list[StepRecord]:
        """Return the finished steps, oldest first. A last line that a crash cut short was never acknowledged: left out.

        Raises `OmniError` where a whole line cannot be read: then nobody knows what has been done.
        """
        return list(self._read_steps(self.dir / "steps.jsonl"))

    def _read_steps(self, path: Path) -> Iterator[StepRecord]:
        try:
            *lines, _ = read_small(path).split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            fix = "look at the file, or block the task and queue it again"
            raise OmniError(f"the steps cannot be read: {error.strerror}", where=str(path), fix=fix) from error
        for number, line in enumerate(lines, 1):
            try:
                yield decode(_step, line)
            except msgspec.MsgspecError as error:
                fix = "look at the line, or block the task and queue it again"
                raise OmniError(f"not a step record: {error}", where=f"{path}:{number}", fix=fix) from error


class Runs:
    """The runs of one workspace."""

    def __init__(self, paths: WorkspacePaths, disk: Disk = DISK, redact: Redact = str) -> None:
        """Take where they are, and what takes secrets out of all that is written there."""
        self._paths = paths
        self._disk = disk
        self._redact = redact

    def tasks(self) -> frozenset[str]:
        """Return the ids of the tasks that may have had an attempt."""
        try:
            return frozenset(os.listdir(self._paths.runs))  # noqa: PTH208 (10,000 names, not paths)
        except FileNotFoundError:
            return frozenset()

    def attempts(self, task_id: str) -> list[int]:
        """Return the numbers of the attempts that count, in order: those since the task began afresh."""
        first = self._first(task_id)
        return [number for number in self._numbers(task_id) if number >= first]

    def last_number(self, task_id: str) -> int:
        """Return the number of a task's last attempt, whether it still counts or not; 0: there was none."""
        return max(self._numbers(task_id), default=0)

    def begin_afresh(self, task_id: str, work: str = "") -> None:
        """Let the attempts so far count no more; they are kept to be looked at.

        `work` is a commit of theirs that the next is told of.
        """
        directory = self._paths.runs / task_id
        make_dirs(directory, disk=self._disk)
        begun = f"{self.last_number(task_id) + 1} {work}".rstrip()
        publish(directory / FIRST, begun.encode(), disk=self._disk)

    def work_to_tell_of(self, task_id: str) -> str:
        """Return the commit of earlier work with which a task began afresh; empty: there is none."""
        return self._begun(task_id)[1]

    def _numbers(self, task_id: str) -> list[int]:
        try:
            names = [entry.name for entry in (self._paths.runs / task_id).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def _first(self, task_id: str) -> int:
        return self._begun(task_id)[0]

    def _begun(self, task_id: str) -> tuple[int, str]:
        try:
            begun = _BEGUN.fullmatch(read_small(self._paths.runs / task_id / FIRST).strip())
        except OSError:  # not there
            begun = None
        return (int(begun[1]), (begun[2] or b"").decode()) if begun else (1, "")  # spoilt: every attempt counts

    def open(self, attempt: AttemptId) -> Run:
        """Return an attempt's run. Where it is new this makes its directory, durably: that consumes the attempt."""
        directory = self._paths.run(attempt)
        make_dirs(directory, disk=self._disk)
        return Run(directory, attempt, self._disk, self._redact)

    def latest(self, task_id: str) -> Run | None:
        """Return the run of a task's last attempt; None: there was none."""
        number = self.last_number(task_id)
        if not number:
            return None
        attempt = AttemptId(TaskRef(self._paths.name, task_id), number)
        return Run(self._paths.run(attempt), attempt, self._disk)


def _read(path: Path, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Return what a file says that is soon written again; None: it is not there, or not whole, or spoilt."""
    try:
        return decode_shown(decoder, read_small(path))
    except (OSError, msgspec.MsgspecError):
        return None
