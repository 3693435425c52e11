"""Ending an agent's whole tree, and proving it: by its PID namespace, else by the marker in its environment.

A namespace ends with its first process: the kernel kills the others, whatever session they are in and whatever they did
to their environment, and the first one is not gone before they are, see pid_namespaces(7). The marker finds all that
kept its environment, and all below the handle's process, which is a reaper: orphans become its children, so that none
gets away while it lives. So it goes last; it is looked for until nothing is found.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from omni_tui.errors import RuntimeFailedError
from omni_tui.plugins.runtime import liveness, records
from omni_tui.plugins.runtime.pausing import continue_tree
from omni_tui.plugins.runtime.protocol import Handle, KillReceipt
from omni_tui.plugins.runtime.tree import below, marked
from omni_tui.plugins.runtime.within import within

_PROOF_SECONDS = 5.0
_LOOK_SECONDS = 0.02


async def end_tree(handle: Handle, *, grace: float) -> KillReceipt:
    """End every process of `handle`; `grace` seconds lie between SIGTERM and SIGKILL.

    Raises `RuntimeFailedError` naming what is left after 5 s of SIGKILL.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    record = records.read_process(Path(handle.run_dir))
    if record is not None and record.method == "marker":
        method = await _end_marked(handle, grace)
    else:
        method = await _end_namespace(handle, grace)
    return KillReceipt(method=method, seconds=loop.time() - began)


async def _end_namespace(handle: Handle, grace: float) -> str:
    if not _lives(handle):
        return "gone"
    first = await _first_process(handle)
    namespace = None if first is None else _pid_namespace(first)
    around = {} if first is None else _around(first, handle.pid)
    if first is not None:
        _signal(signal.SIGTERM, _children(first))
        await continue_tree(handle)
        if not await _ended(handle, grace):
            _signal(signal.SIGKILL, [first, *around])
    if first is None:
        _signal(signal.SIGKILL, [handle.pid])
    ended = await _ended(handle, _PROOF_SECONDS)
    survivors = await _left(namespace, around)
    if survivors or not ended:
        raise _not_dead(handle, survivors or [handle.pid])
    return "namespace"


async def _left(namespace: Path | None, around: Mapping[int, float]) -> list[int]:
    """Return what still lives after a while of a PID namespace that is ending, and of what was around it.

    bwrap does not wait for its process 1 as `unshare` does, and a killed wrapper not for those that die with it. Who is
    dead and waits for the machine's process 1 to take note runs no more.
    """

    def look() -> list[int]:
        inside = [pid for pid in _all_pids() if _pid_namespace(pid) == namespace] if namespace else []
        alive = [pid for pid in inside if liveness.start_time(pid) is not None]
        return alive + [pid for pid, started in around.items() if liveness.start_time(pid) == started]

    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PROOF_SECONDS
    while left := look():
        if loop.time() > deadline:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return left


def _around(first: int, top: int) -> dict[int, float]:
    """Return the processes between `top` and a namespace's process 1, with their start times: bwrap, and our proxy.

    Nothing where `top` is not above it (any more): whoever is then is none of ours.
    """
    found: dict[int, float] = {}
    pid = first
    while (fields := liveness.stat_fields(pid)) is not None and (pid := int(fields[1])) > 1:
        if pid == top:
            return found
        if (started := liveness.start_time(pid)) is not None:
            found[pid] = started
    return {}


async def _first_process(handle: Handle) -> int | None:
    """Return the namespace's process 1, as seen from here; None: the wrapper died before there was one.

    A kill may come so early that nothing has entered it yet; that takes milliseconds.
    """
    outside = _pid_namespace(handle.pid)
    for _ in range(50):
        first = _entered(handle.pid, outside)
        if first is not None or not _lives(handle):
            return first
        await asyncio.sleep(_LOOK_SECONDS)
    return None


def _entered(parent: int, outside: Path | None) -> int | None:
    """Return the first process below `parent` in another PID namespace than `outside`; `unshare` or bwrap made it."""
    for child in _children(parent):
        namespace = _pid_namespace(child)
        found = _entered(child, outside) if namespace in (None, outside) else child
        if found is not None:
            return found
    return None


async def _end_marked(handle: Handle, grace: float) -> str:
    """Signal politely, then by force, until two looks in a row find nothing."""

    def look() -> set[int]:
        return marked(records.mark_of(Path(handle.run_dir))) | below(handle)

    found = await asyncio.to_thread(look)
    if not found:
        return "gone"
    _signal(signal.SIGTERM, found - {handle.pid})
    await continue_tree(handle)
    if not await _none_left(look, grace) and not await _none_left(look, _PROOF_SECONDS, keeper=handle.pid):
        raise _not_dead(handle, sorted(look()))
    return "marker"


async def _none_left(look: Callable[[], set[int]], seconds: float, *, keeper: int | None = None) -> bool:
    """Look again and again for at most `seconds`; whether two looks in a row found nothing.

    With a `keeper` what is found is killed, the keeper itself only when it is all that is left.
    """
    loop = asyncio.get_running_loop()
    deadline, empty = loop.time() + seconds, 0
    while empty < 2:
        found = await asyncio.to_thread(look)
        empty = 0 if found else empty + 1
        if found and loop.time() > deadline:
            return False
        if keeper is not None:
            _signal(signal.SIGKILL, found - {keeper} or found)
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _lives(handle: Handle) -> bool:
    return liveness.is_alive(handle.pid, handle.process_started, handle.boot_id)


async def _ended(handle: Handle, seconds: float) -> bool:
    """Whether the wrapper ends within `seconds`."""
    try:
        await within(seconds, liveness.wait_until_dead(handle.pid, handle.process_started, handle.boot_id))
    except TimeoutError:
        return False
    return True


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _children(parent: int) -> list[int]:
    """Return the live children of `parent` (Linux), oldest first."""
    found = []
    for pid in _all_pids():
        fields = liveness.stat_fields(pid)
        if fields is not None and int(fields[1]) == parent and fields[0] not in "ZX":
            found.append(pid)
    return sorted(found)


def _pid_namespace(pid: int) -> Path | None:
    """Return the PID namespace that `pid` lives in; None: it is gone, a zombie, or not ours to see."""
    try:
        return Path(f"/proc/{pid}/ns/pid").readlink()
    except OSError:
        return None


def _signal(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself, which is what was wanted
            os.kill(pid, number)


def _not_dead(handle: Handle, survivors: list[int]) -> RuntimeFailedError:
    named = ", ".join(str(pid) for pid in survivors)
    return RuntimeFailedError(
        f"processes of the agent outlived their kill: {named}",
        where=handle.name,
        fix=f"look at them with `ps -fp {named.replace(', ', ',')}`; one in state D waits for a disk or a mount",
    )
