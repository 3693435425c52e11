"""What a runtime must do. Contract: `tests/contract/test_runtime.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from omni_tui.model.confinement import Confinement
from omni_tui.model.footprint import Caps, TreeUse
from omni_tui.model.pulse import Pulse
from omni_tui.model.text import Redact


class RuntimeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the plugin is made with."""

    root: Path
    """The fleet's directory, after which the fleet's private socket is named."""
    columns: int = 120
    rows: int = 36
    history_lines: int = 5000
    sandbox: str = "off"
    """The sandbox of programs with a confinement: `bwrap`, `landlock` or `off`."""
    proxies: dict[str, str] = msgspec.field(default_factory=dict)
    """Variables that name the proxy which this machine has to use; ours goes through it, where a program has one."""
    redact: Redact = str
    """Takes secrets out of what is shown and kept, and leaves its lines and colours as they are."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """What to start. `env` is the whole environment: nothing is inherited."""

    name: str
    """Shown as the window's name; an attempt's id, never a title."""
    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]
    run_dir: Path
    """Where the wrapper records pid, start time and exit status; also what makes `start` idempotent."""
    confinement: Confinement | None = None
    """What it may see and change, where the runtime was made with `sandbox`; None: it runs as we do."""
    file_bytes: int = 0
    """Size that no file written by it may pass (the kernel ends who tries: SIGXFSZ); 0: no limit."""
    output_bytes: int = 0
    """What its terminal may take; where a runtime counts nothing else it counts up to there. 0: no limit."""
    caps: Caps = Caps()
    """What its whole tree may take of the machine, as far as that can be held here."""


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """A started agent; plain data, so that it survives in `steps.jsonl` and a later process can adopt it."""

    runtime: str
    name: str
    run_dir: str
    pid: int
    """The wrapper's process, as seen from outside every namespace."""
    process_started: float
    boot_id: str
    pane: str = ""
    """tmux: the pane's id, as in `%3`."""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent ended. `status` is a shell's (128 + signal); None: nobody could record it, as after a kill -9."""

    status: int | None
    at: float
    over_mb: float = 0.0
    """Its cap of memory, where the kernel ended processes of it because its tree was at that; 0: it did not."""


class KillReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of a kill: how it was done, how long it took, and what is left: nothing, or the kill has failed."""

    method: str
    """`namespace`, `marker`, or `gone` where nothing lived any more."""
    seconds: float
    survivors: tuple[int, ...] = ()


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent shows: lines with SGR escapes only, everything else already taken out, and no secret in them."""

    lines: tuple[str, ...]
    columns: int
    rows: int


class Runtime(Protocol):
    """Starts agents, sees whether they live, shows them, ends them.

    Every method may be called again after a restart of the orchestrator, with a `Handle` read from disk.
    """

    name: ClassVar[str]
    survives: ClassVar[bool]
    """Whether agents outlive the orchestrator."""

    @classmethod
    def find(cls) -> str | None:
        """Return why it can be used here, such as its program's path; None: it cannot."""
        ...

    async def start(self, launch: Launch) -> Handle:
        """Start `launch`. If its `run_dir` shows that it was started already, return that one's handle instead.

        Raises `RuntimeFailedError` when the program cannot be started.
        """
        ...

    def started(self, name: str, run_dir: Path) -> Handle | None:
        """Return the handle of what runs, or ran, under `name` in a run's directory; None: nothing has begun to."""
        ...

    def alive(self, handle: Handle) -> bool:
        """Whether the very process of `handle` (pid, start time, boot) lives."""
        ...

    async def wait(self, handle: Handle) -> Exit:
        """Return when the agent has ended, at once if it already has. Costs nothing while it lives (pidfd)."""
        ...

    async def pulse(self, handle: Handle) -> Pulse:
        """Look at its tree's CPU time and terminal, for the difference to an earlier look; nothing lives: zeros."""
        ...

    async def measure(self, handles: Sequence[Handle]) -> Mapping[str, TreeUse]:
        """Look what the trees of many agents take, by their run's directory; of one that has ended it may be known."""
        ...

    def printed(self, handle: Handle) -> int:
        """Return the bytes that its terminal has taken; a runtime may say 0 up to `Launch.output_bytes`."""
        ...

    async def screen(self, handle: Handle, *, history: int = 0) -> Screen:
        """Return what it shows, with up to `history` lines above; the last known screen once it has ended."""
        ...

    async def resize(self, handle: Handle, columns: int, rows: int) -> None:
        """Give its terminal another size."""
        ...

    async def send(self, handle: Handle, text: str, *, enter: bool = True) -> None:
        """Type `text` as if pasted, then Enter as a key of its own."""
        ...

    def attach_command(self, handle: Handle) -> tuple[str, ...]:
        """Return the program and arguments by which a person gets at its terminal, and back, from a shell."""
        ...

    async def suspend(self, handle: Handle) -> None:
        """Have its whole tree stand still, again where it does already; nothing where it has ended."""
        ...

    async def resume(self, handle: Handle) -> None:
        """Have its whole tree go on; nothing where it does, or has ended."""
        ...

    async def kill(self, handle: Handle, *, grace: float) -> KillReceipt:
        """End the whole tree: a polite signal, `grace` seconds, then by force, then proof that nothing is left.

        Raises `RuntimeFailedError` naming the survivors if something is.
        """
        ...

    async def release(self, handle: Handle) -> None:
        """Forget an ended agent: keep its last screen in `pane.log`, close its window."""
        ...

    async def sweep(self) -> None:
        """Remove what agents have left on the machine that an earlier owner of the fleet did not see end."""
        ...

    async def close(self) -> None:
        """Let go of connections; agents go on where the runtime `survives`."""
        ...
