"""What a fresh checkout needs that git does not hold: copied files, and the set-up command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from omni_tui.errors import WorkspaceError

OUTPUT_LIMIT = 16 << 10
"""Bytes of the set-up command's output that are kept: its end."""
GRACE_SECONDS = 1.0
"""Between SIGTERM and SIGKILL for a set-up command that takes too long."""
_CHUNK = 1 << 16
"""What a pipe holds (pipe(7))."""


def copy_files(source: Path | None, names: Sequence[str], checkout: Path) -> None:
    """Copy the files `names` from `source` into `checkout`, with their modes.

    Nothing is read from outside `source` nor written outside `checkout`, whatever links lie on the way. Raises
    `WorkspaceError` naming the file that is missing or leads elsewhere.
    """
    for name in names:
        if source is None:
            raise WorkspaceError(f"no directory to copy {name} from", fix="set copy_from in workspace.toml")
        origin = _inside(source, name)
        if not origin.is_file():
            raise WorkspaceError(
                f"the file to copy is not there: {name}", where=str(source), fix=f"make {source / name}"
            )
        _copy(origin, checkout, name)


def exclude(info_exclude: Path, names: Sequence[str]) -> None:
    """Have git leave `names` alone in a checkout, so that no `git add` takes them; lines that are there stay."""
    if not names:
        return
    info_exclude.parent.mkdir(parents=True, exist_ok=True)
    there = info_exclude.read_text(encoding="utf-8").splitlines() if info_exclude.is_file() else []
    missing = [line for line in (f"/{_escaped(name)}" for name in names) if line not in there]
    if missing:
        with info_exclude.open("a", encoding="utf-8") as file:
            file.write("\n".join(["", *missing, ""]) if there else "\n".join([*missing, ""]))


async def run_setup(
    command: str, checkout: Path, environment: Mapping[str, str], seconds: float, confined: Sequence[str] = ()
) -> None:
    """Run the set-up command by a shell in `checkout`, after the words `confined`.

    It leads a process group of its own, which is ended whole when `seconds` are over or the caller gives up. Raises
    `WorkspaceError` with the end of its output on a status other than 0 and when time is over.
    """
    reading, writing = os.pipe()
    tail = _Tail(reading)
    try:
        process = await asyncio.create_subprocess_exec(
            *confined,
            "/bin/sh",
            "-c",
            command,
            cwd=checkout,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except OSError as error:
        tail.close()
        raise WorkspaceError(f"the set-up command cannot be started: {error}", where=str(checkout)) from error
    finally:
        os.close(writing)
    try:
        status = await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        status = None
    finally:
        if process.returncode is None:
            await _end(process)
        output = tail.close()
    if status is None:
        raise _failure(f"the set-up command took longer than {seconds:g} s", command, output)
    if status != 0:
        raise _failure(f"the set-up command ended with status {status}", command, output)


class _Tail:
    """The end of what is written into a pipe. Read as it comes, so that the writer never waits and memory stays small.

    The pipe is ours and not asyncio's, because a process that the command leaves behind may hold it open for ever.
    """

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._kept = bytearray()
        os.set_blocking(reading, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(reading, self._read)

    def close(self) -> str:
        """Take what is still in the pipe (it holds a chunk at most), and return the end of all that was written."""
        self._read()
        self._loop.remove_reader(self._reading)
        os.close(self._reading)
        return self._kept.decode("utf-8", "replace")

    def _read(self) -> None:
        try:
            data = os.read(self._reading, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._reading)
        self._kept += data
        del self._kept[:-OUTPUT_LIMIT]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and its group; what keeps its tree together where there is no namespace needs a moment to kill that."""
    with contextlib.suppress(ProcessLookupError):  # it ended just now
        process.terminate()
    with contextlib.suppress(TimeoutError):  # it does not listen
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):  # all of it ended
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _failure(message: str, command: str, output: str) -> WorkspaceError:
    told = f"{message}: {command}\n{output.strip()}" if output.strip() else f"{message}: {command}"
    return WorkspaceError(told, fix="run it by hand in a checkout, then mend setup in workspace.toml")


def _inside(source: Path, name: str) -> Path:
    """Return the real path of `name` in `source`; raises `WorkspaceError` where it leads out of it."""
    _require_relative(name)
    origin = (source / name).resolve()
    if not origin.is_relative_to(source.resolve()):
        raise WorkspaceError(f"the file to copy leads out of its directory: {name}", where=str(source))
    return origin


def _require_relative(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or ".git" in parts:
        raise WorkspaceError(f"not a relative path of a file: {name!r}", fix="mend copy in workspace.toml")


def _copy(origin: Path, checkout: Path, name: str) -> None:
    target = checkout / name
    if not target.parent.resolve().is_relative_to(checkout.resolve()):
        raise WorkspaceError(f"a link in the repository leads {name} out of the checkout", where=str(checkout))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # or the copy would go where a link of the repository points
    shutil.copy2(origin, target)


def _escaped(name: str) -> str:
    """Return `name` as a gitignore(5) pattern that means itself."""
    return "".join(f"\\{char}" if char in "\\*?[ !#" else char for char in name)
