"""One agent's pseudo-terminal: reads it in measure, keeps its output, types into it, and shows it to visitors."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from pathlib import Path

from omni_tui.model.text import Redact
from omni_tui.plugins.runtime.emulator import Emulator
from omni_tui.plugins.runtime.protocol import RuntimeSpec

_READ = 64 * 1024
_BUDGET = 512 * 1024
_BUDGET_SECONDS = 0.05
_OUTPUT_LIMIT = 4 * 1024 * 1024
_OUTPUT_KEPT = 256 * 1024
_OVERLAP = 4096


class OutputFile:
    """The output on disk, so that it outlives us: never more than 4 MiB, always the last 256 KiB, and no secret."""

    def __init__(self, run_dir: Path, redact: Redact = str) -> None:
        self._redact = redact
        self._descriptor = os.open(run_dir / "output", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._size = 0

    def append(self, output: bytes) -> None:
        """Write `output` behind the rest, or instead of the older part of it."""
        if self._size + len(output) > _OUTPUT_LIMIT:
            output = os.pread(self._descriptor, _OUTPUT_KEPT, max(0, self._size - _OUTPUT_KEPT)) + output
            os.ftruncate(self._descriptor, 0)
            self._size = 0
        # A secret may come in two reads, so the end of what is there is looked at, and written, once more. As Latin-1
        # each byte is a character, and a mask is as long as what it hides.
        start = max(0, self._size - _OVERLAP)
        before = os.pread(self._descriptor, self._size - start, start)
        text = self._redact((before + output).decode("latin-1")).encode("latin-1")
        self._size = start + os.pwrite(self._descriptor, text, start)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @staticmethod
    def last(run_dir: Path) -> bytes:
        """Return the end of the output of `run_dir`; nothing if there is none."""
        try:
            return (run_dir / "output").read_bytes()[-_OUTPUT_KEPT:]
        except FileNotFoundError:
            return b""


class PtySession:
    """Both ends of the pty. Ours is read by the loop, at most 10 MB/s: a flood waits, in the kernel, for its turn."""

    def __init__(self, run_dir: Path, spec: RuntimeSpec) -> None:
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        self.tty = os.ttyname(self._slave)
        self.emulator = Emulator(spec.columns, spec.rows, spec.history_lines, self.write)
        self.visitors: set[Callable[[], None]] = set()
        self.printed = 0
        """Bytes that the program has written so far."""
        self._output = OutputFile(run_dir, spec.redact)
        self._unwritten = bytearray()
        self._budget = _BUDGET
        self._open = True
        self.resize(spec.columns, spec.rows)
        self._loop.add_reader(self._master, self._read)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size; the kernel tells the program."""
        if self._open:
            termios.tcsetwinsize(self._slave, (rows, columns))
        self.emulator.resize(columns, rows)

    def write(self, data: bytes) -> None:
        """Type `data`; what the program does not take yet waits here."""
        if self._open:
            self._unwritten += data
            self._flush()

    def _flush(self) -> None:
        try:
            written = os.write(self._master, self._unwritten)
        except BlockingIOError:
            written = 0
        del self._unwritten[:written]
        if self._unwritten:
            self._loop.add_writer(self._master, self._flush)
        else:
            self._loop.remove_writer(self._master)

    @property
    def unwritten(self) -> int:
        """Bytes typed that the program has not taken yet."""
        return len(self._unwritten)

    def _read(self) -> None:
        self._take(_READ)
        if self._budget <= 0:
            self._loop.remove_reader(self._master)
            self._loop.call_later(_BUDGET_SECONDS, self._resume)

    def _resume(self) -> None:
        self._budget = _BUDGET
        if self._open:
            self._loop.add_reader(self._master, self._read)

    def _take(self, most: int) -> int:
        """Take in what can be read now; return how much it was."""
        try:
            output = os.read(self._master, most)
        except BlockingIOError:
            return 0
        self._budget -= len(output)
        self.printed += len(output)
        self._output.append(output)
        self.emulator.feed(output)
        for visitor in list(self.visitors):
            visitor()
        return len(output)

    def close(self) -> None:
        """Take in what is left and close the pty; call it when the program and all its tree have ended."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        while self._take(_READ):
            pass
        os.close(self._master)
        os.close(self._slave)
        self._output.close()
