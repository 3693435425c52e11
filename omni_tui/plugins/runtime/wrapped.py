"""What every runtime that starts agents through `wrapper.sh` has in common: their records, life and end."""

from __future__ import annotations

import asyncio
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.confinement import Confinement
from omni_tui.model.footprint import TreeUse
from omni_tui.model.pulse import Pulse
from omni_tui.model.text import keep_sgr
from omni_tui.plugins import sandbox
from omni_tui.plugins.proxy import command as proxy
from omni_tui.plugins.removal import remove_tree
from omni_tui.plugins.runtime import capping, liveness, measuring, records
from omni_tui.plugins.runtime.isolation import Isolation, isolation
from omni_tui.plugins.runtime.killing import end_tree
from omni_tui.plugins.runtime.pausing import continue_tree, stop_tree
from omni_tui.plugins.runtime.protocol import Exit, Handle, KillReceipt, Launch, RuntimeSpec, Screen

_RECORD_SECONDS = 5.0
_RECORD_LOOK_SECONDS = 0.002


class WrappedRuntime(ABC):
    """The half of a `Runtime` that needs no terminal: what the wrapper's records and the kernel tell."""

    name: ClassVar[str]

    def __init__(self, spec: RuntimeSpec) -> None:
        self._spec = spec

    def started(self, name: str, run_dir: Path) -> Handle | None:
        """Return the handle of what runs, or ran, under `name` in a run's directory; None: nothing has begun to."""
        record = records.read_process(run_dir)
        return None if record is None else records.handle_of(self.name, name, run_dir, record)

    def alive(self, handle: Handle) -> bool:
        """Whether the very process of `handle` (pid, start time, boot) lives."""
        return liveness.is_alive(handle.pid, handle.process_started, handle.boot_id)

    async def wait(self, handle: Handle) -> Exit:
        """Return when the agent has ended, at once if it already has. Costs nothing while it lives (pidfd)."""
        await liveness.wait_until_dead(handle.pid, handle.process_started, handle.boot_id)
        run_dir = Path(handle.run_dir)
        return msgspec.structs.replace(records.settle_exit(run_dir), over_mb=capping.passed(run_dir))

    async def pulse(self, handle: Handle) -> Pulse:
        """Look at its tree's CPU time and terminal, for the difference to an earlier look; nothing lives: zeros."""
        if not self.alive(handle):
            return Pulse(cpu_seconds=0.0, shown=0)
        used = (await self.measure([handle])).get(handle.run_dir)
        return Pulse(cpu_seconds=used.cpu_seconds if used else 0.0, shown=await self._shown(handle))

    async def measure(self, handles: Sequence[Handle]) -> Mapping[str, TreeUse]:
        """Look what the trees of many agents take, by their run's directory; of one that has ended it may be known."""
        return await asyncio.to_thread(measuring.measure, handles)

    async def sweep(self) -> None:
        """Remove what agents have left on the machine that an earlier owner of the fleet did not see end."""
        await asyncio.to_thread(capping.sweep, self._spec.root)

    @abstractmethod
    async def _shown(self, handle: Handle) -> int:
        """Return what tells one screen from another."""

    async def suspend(self, handle: Handle) -> None:
        """Have its whole tree stand still, again where it does already; nothing where it has ended."""
        await stop_tree(handle)

    async def resume(self, handle: Handle) -> None:
        """Have its whole tree go on; nothing where it does, or has ended."""
        await continue_tree(handle)

    async def kill(self, handle: Handle, *, grace: float) -> KillReceipt:
        """End the whole tree: SIGTERM, `grace` seconds, SIGKILL, then proof that nothing is left.

        Raises `RuntimeFailedError` naming the survivors if something is.
        """
        return await end_tree(handle, grace=grace)

    def _wrapper(self, launch: Launch, tty: str = "-") -> tuple[str, ...]:
        """Return the command that starts the wrapper, on `tty` as its controlling terminal if one is named."""
        how = self._isolation(launch)
        run_dir = str(launch.run_dir)
        return (
            "/bin/sh",
            str(records.WRAPPER),
            "claim",
            run_dir,
            liveness.boot_id(),
            how.method,
            tty,
            *how.command,
        )

    def _prepare(self, launch: Launch, terminal: str) -> None:
        """Check that the program can be started and write `launch.sh`.

        Raises `RuntimeFailedError` where the directory or the program is missing.
        """
        if not launch.cwd.is_dir():
            raise RuntimeFailedError(f"the directory to start in, {launch.cwd}, is not there", where=launch.name)
        program = launch.argv[0]
        if shutil.which(launch.cwd / program if "/" in program else program, path=launch.env.get("PATH", "")) is None:
            raise RuntimeFailedError(
                f"there is no program {program!r} on the agent's PATH",
                where=launch.name,
                fix="install it, or name it by its whole path",
            )
        before: tuple[str, ...] = ()
        started = launch
        if self._is_confined(launch):
            before, started = self._confined(launch, launch.confinement or Confinement())
        marked = self._isolation(launch).method == "marker"
        held = not launch.caps.any or capping.hold(self._spec.root, launch.run_dir, launch.caps)
        records.write_launch(started, before, terminal=terminal, marked=marked, held=held)

    def _confined(self, launch: Launch, confinement: Confinement) -> tuple[tuple[str, ...], Launch]:
        """Return what the shell says before it becomes the sandbox, and the launch in it."""
        words = sandbox.command(self._spec.sandbox, confinement, launch.argv, launch.env, _scratch(launch.run_dir))
        started = msgspec.structs.replace(launch, argv=(*words, *launch.argv))
        before = sandbox.preamble(self._spec.sandbox)
        if confinement.passage is None:
            return before, started
        env = {**self._spec.proxies, **launch.env}
        return (*before, proxy.NAME_PARENT), msgspec.structs.replace(started, env=env)

    def _is_confined(self, launch: Launch) -> bool:
        return self._spec.sandbox != "off" and launch.confinement is not None

    def _isolation(self, launch: Launch) -> Isolation:
        """Return what keeps its tree together. Bubblewrap is a PID namespace already: a start need not pay twice.

        A second one around it would also take the polite signal, and the program would never hear it.
        """
        return Isolation("namespace") if self._is_confined(launch) and self._spec.sandbox == "bwrap" else isolation()

    async def _recorded(self, launch: Launch) -> Handle:
        """Return the handle as soon as the wrapper has written its record.

        Raises `RuntimeFailedError` if it does not within 5 s.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _RECORD_SECONDS
        while (handle := self.started(launch.name, launch.run_dir)) is None:
            if loop.time() > deadline:
                raise RuntimeFailedError(
                    "the wrapper did not start",
                    where=launch.name,
                    fix=f"see whether {launch.run_dir} can be written to",
                )
            await asyncio.sleep(_RECORD_LOOK_SECONDS)
        return handle

    def _require_ended(self, handle: Handle) -> None:
        if self.alive(handle):
            raise RuntimeFailedError("the agent still runs", where=handle.name, fix="kill it before it is released")

    async def _tidy(self, handle: Handle) -> None:
        """Remove what an ended agent kept for itself: its temporary home, and its environment if it ended too soon."""
        records.forget_launch(Path(handle.run_dir))
        capping.forget(Path(handle.run_dir))
        await asyncio.to_thread(remove_tree, _scratch(Path(handle.run_dir)))

    def _fit_to_show(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Return captured lines with colours, but without anything else that moves a terminal, and without secrets.

        Secrets are looked for in all lines together: a terminal breaks what is wider than itself.
        """
        harmless = [keep_sgr(line) for line in lines]
        return tuple(self._spec.redact("\n".join(harmless)).split("\n")) if harmless else ()

    def _last_screen(self, handle: Handle, history: int) -> Screen:
        """Return what is kept of an agent whose terminal is gone; nothing at all if it never was released."""
        size = (self._spec.columns, self._spec.rows)
        kept = records.logged_screen(Path(handle.run_dir), columns=size[0], rows=size[1], history=history)
        if kept is None:
            return Screen(lines=(), columns=size[0], rows=size[1])
        return msgspec.structs.replace(kept, lines=self._fit_to_show(kept.lines))


def _scratch(run_dir: Path) -> Path:
    """Return where a sandbox keeps a home and temporary files that cannot be its own memory's."""
    return run_dir / "scratch"
