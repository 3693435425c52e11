"""The files that the wrapper and the runtime share in a run's directory.

`launch.sh`  environment, directory and program, for the owner's eyes only; gone as soon as the agent has started
`process`    the wrapper's record of itself: pid, start time, boot, method and pane
`groups`     the control groups that keep it within its caps; `uncapped` is there where none could
`flood`      how much its terminal has taken, once that is more than it may, where nobody else counts
`exit`       how the agent ended, a shell's status; `-` where nobody could tell
`pane.log`   its last screen and what scrolled off it, once it is released
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.footprint import Caps
from omni_tui.model.text import keep_sgr
from omni_tui.plugins.runtime import liveness
from omni_tui.plugins.runtime.protocol import Exit, Handle, Launch, Screen

WRAPPER = Path(__file__).with_name("wrapper.sh")
MARK = "OMNI_MARK"
"""The variable by which the processes of one agent are known where there is no PID namespace."""

_RECORD = re.compile(r"(\d{1,10}) (\d{1,19}|-) (\S+) (\S+) (-|%\d{1,10})\n")
_STATUS = re.compile(r"\d{1,3}\n")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LEFT_BY_TERMINALS = "TMUX TMUX_PANE TERM_PROGRAM TERM_PROGRAM_VERSION SHELL PWD OLDPWD SHLVL"
_LOG_LIMIT = 8 * 1024 * 1024


class ProcessRecord(msgspec.Struct, frozen=True):
    """What the wrapper wrote of itself."""

    pid: int
    started: float
    boot_id: str
    method: str
    """`namespace` or `marker`: how its tree is ended."""
    pane: str


def read_process(run_dir: Path) -> ProcessRecord | None:
    """Return the wrapper's record; None: there is none, or it is not whole yet."""
    try:
        line = (run_dir / "process").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    record = _RECORD.fullmatch(line)
    if record is None:
        return None
    pid, ticks, boot, method, pane = record.groups()
    started = _started_without_proc(int(pid), run_dir) if ticks == "-" else int(ticks) / liveness.ticks_per_second()
    return ProcessRecord(int(pid), started, boot, method, "" if pane == "-" else pane)


def _started_without_proc(pid: int, run_dir: Path) -> float:
    """Return the start time of the wrapper of `run_dir`, known by its command line; 0.0 if it is gone."""
    try:
        process = psutil.Process(pid)
        return float(process.create_time()) if str(run_dir) in process.cmdline() else 0.0
    except psutil.NoSuchProcess:
        return 0.0


def handle_of(runtime: str, name: str, run_dir: Path, record: ProcessRecord) -> Handle:
    """Return the handle that `record` stands for."""
    return Handle(
        runtime=runtime,
        name=name,
        run_dir=str(run_dir),
        pid=record.pid,
        process_started=record.started,
        boot_id=record.boot_id,
        pane=record.pane,
    )


def mark_of(run_dir: Path) -> str:
    """Return the marker of the processes of `run_dir`, the same in every process that asks."""
    return hashlib.blake2b(os.fsencode(run_dir), digest_size=16).hexdigest()


def write_launch(launch: Launch, before: Sequence[str] = (), *, terminal: str, marked: bool, held: bool = True) -> None:
    """Write `launch.sh`. The environment is exactly the launch's, with `terminal` as TERM and the marker if `marked`.

    The shell says `before` and becomes the program. Caps that nobody else has `held` are its as far as it can.

    Raises `RuntimeFailedError` for what no shell or kernel can pass on.
    """
    variables = {**launch.env, "TERM": terminal}
    if marked:
        variables[MARK] = mark_of(launch.run_dir)
    for variable in variables:
        if not _VARIABLE.fullmatch(variable):
            raise RuntimeFailedError(
                f"{variable!r} cannot be the name of a variable",
                where=launch.name,
                fix="use letters, digits and underscores",
            )
    lines = (
        *_file_limit(launch.file_bytes),
        *(() if held else _data_limit(launch.caps)),
        f"cd {shlex.quote(str(launch.cwd))} || exit 126",
        f"unset {_LEFT_BY_TERMINALS}",
        *(f"export {variable}={shlex.quote(value)}" for variable, value in variables.items()),
        "exec 3<&-",
        *before,
        f"exec {shlex.join(launch.argv)}",
    )
    text = "\n".join(lines) + "\n"
    if "\0" in text:
        raise RuntimeFailedError("an argument or a variable holds a null character", where=launch.name)
    write_private(launch.run_dir / "launch.sh", os.fsencode(text))


def _file_limit(size: int) -> tuple[str, ...]:
    """Return the line that limits files to `size` bytes; the shell counts in blocks of 512 (POSIX, ulimit).

    It fails where a lower limit is in force already, which is as good.
    """
    return (f"ulimit -f {-(-size // 512)} 2>/dev/null",) if size else ()


def _data_limit(caps: Caps) -> tuple[str, ...]:
    """Return the line that limits the data of each process: the tree as a whole no `ulimit` knows.

    Not its address space (-v), of which Node.js and its like reserve many gigabytes that they never use; nor its number
    of processes (-u), which counts all that the user has.
    """
    return (f"ulimit -d {caps.memory_mb * 1e6 / 1024:.0f} 2>/dev/null",) if caps.memory_mb else ()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)


def start_was_interrupted(run_dir: Path) -> bool:
    """Whether somebody prepared a start here whose wrapper has not written its record (yet)."""
    return (run_dir / "launch.sh").exists()


def forget_launch(run_dir: Path) -> None:
    """Remove `launch.sh`, which may hold secrets: an agent that is ended at once takes whoever removes it along."""
    (run_dir / "launch.sh").unlink(missing_ok=True)


def flood_counter(run_dir: Path, limit: int) -> str:
    """Return the shell command that reads a terminal's output, and notes when more than `limit` bytes have come."""
    file = shlex.quote(str(run_dir / "flood"))
    return f'head -c {limit} >/dev/null; [ "$(head -c 1 | wc -c)" -eq 1 ] && echo {limit + 1} >{file}'


def read_flood(run_dir: Path) -> int:
    """Return what a flood counter has noted; 0: nothing yet."""
    try:
        return int((run_dir / "flood").read_bytes())
    except (OSError, ValueError):  # not there, or not whole yet
        return 0


def read_exit(run_dir: Path) -> Exit | None:
    """Return how the agent ended, by the wrapper's record; None: there is none."""
    path = run_dir / "exit"
    try:
        line, at = path.read_text("ascii"), path.stat().st_mtime
    except (OSError, UnicodeDecodeError):
        return None
    if line != "-\n" and not _STATUS.fullmatch(line):  # not whole yet, or not the wrapper's
        return None
    return Exit(status=None if line == "-\n" else int(line), at=at)


def settle_exit(run_dir: Path) -> Exit:
    """Return how the agent ended; if nobody recorded it, record that, so that every later reader sees the same.

    Call it only when the wrapper is known to be dead.
    """
    recorded = read_exit(run_dir)
    if recorded is not None:
        return recorded
    path = run_dir / "exit"
    path.write_text("-\n", "ascii")
    return Exit(status=None, at=path.stat().st_mtime)


def write_log(run_dir: Path, lines: tuple[str, ...]) -> None:
    """Keep the end of what an agent showed as `pane.log`, 8 MiB at most; where the directory is gone, nothing."""
    if not run_dir.is_dir():
        return
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    (run_dir / "pane.log").write_bytes(text[-_LOG_LIMIT:])


def logged_screen(run_dir: Path, *, columns: int, rows: int, history: int) -> Screen | None:
    """Return the last screen out of `pane.log`; None: it was not released yet."""
    try:
        text = (run_dir / "pane.log").read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    lines = [keep_sgr(line) for line in text.split("\n")[:-1]]
    return Screen(lines=tuple(lines[-(rows + history) :]), columns=columns, rows=rows)
