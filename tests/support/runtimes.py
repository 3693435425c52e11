"""Every runtime made ready for a test, with a few small agents that each of them can start by the same words."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import libtmux

from omni_tui.model.confinement import Confinement, Passage
from omni_tui.plugins import sandbox
from omni_tui.plugins.runtime.process import ProcessRuntime
from omni_tui.plugins.runtime.protocol import Handle, Launch, Runtime, RuntimeSpec
from omni_tui.plugins.runtime.sockets import socket_path
from omni_tui.plugins.runtime.tmux import TmuxRuntime
from omni_tui.simulation.runtime import FakeAgent, FakeMachine, FakeRuntime
from tests.support.waiting import wait_for_async

T = TypeVar("T")

SCRIPTS = {
    "exit-with": 'exit "$1"',
    "say": 'printf "%s\\n" "$@"; exec sleep 1000',
    "parrot": 'while read -r line; do echo "heard: $line"; done',
    "stubborn": 'trap "" TERM; echo ready; while :; do sleep 1; done',
    "spin": "while :; do :; done",
    "die-by": 'kill -"$1" $$',
    "eat": "exec python3 -c \"import time; held = bytes([1]) * ($1 << 20); print('ate'); time.sleep(1000)\"",
    "breed": 'n=0; while [ $n -lt "$1" ]; do sleep 1000 & n=$((n+1)); done; echo bred; wait',
}
"""Shell for the real runtimes; `FAKES` are the same for the fake one."""


async def _exit_with(agent: FakeAgent) -> int:
    return int(agent.launch.argv[1])


async def _say(agent: FakeAgent) -> int:
    agent.show("\n".join(agent.launch.argv[1:]))
    await asyncio.Event().wait()
    return 0


async def _parrot(agent: FakeAgent) -> int:
    while True:
        agent.show(f"heard: {(await agent.typed.get()).removesuffix(chr(10))}")


async def _stubborn(agent: FakeAgent) -> int:
    agent.stubborn = True
    agent.show("ready")
    await asyncio.Event().wait()
    return 0


async def _die_by(agent: FakeAgent) -> int:
    return 128 + {"KILL": 9, "TERM": 15}[agent.launch.argv[1]]


async def _spin(agent: FakeAgent) -> int:
    while True:
        agent.cpu_seconds += 0.01
        await asyncio.sleep(0.01)


async def _eat(agent: FakeAgent) -> int:
    agent.take(memory_mb=float(agent.launch.argv[1]))
    agent.show("ate")
    await asyncio.Event().wait()
    return 0


async def _breed(agent: FakeAgent) -> int:
    agent.take(memory_mb=5.0, children=int(agent.launch.argv[1]))
    agent.show("bred")
    await asyncio.Event().wait()
    return 0


FAKES = {
    "eat": _eat,
    "breed": _breed,
    "exit-with": _exit_with,
    "say": _say,
    "parrot": _parrot,
    "stubborn": _stubborn,
    "spin": _spin,
    "die-by": _die_by,
}


@dataclass
class Bench:
    """One kind of runtime in a directory of its own; what it started is ended by `clean_up`.

    `tmux/bwrap` is tmux with agents in that sandbox, where they may write to `root` and what lies beside it; in
    `tmux/proxy` it is bubblewrap, and they have no network but the way to `hosts`.
    """

    kind: str
    root: Path
    sandbox: str = "off"
    proxied: bool = False
    hosts: tuple[str, ...] = ()
    started: list[Handle] = field(default_factory=list)
    runtimes: list[Runtime] = field(default_factory=list)
    machine: FakeMachine = field(default_factory=lambda: FakeMachine(FAKES, time.time))

    def __post_init__(self) -> None:
        self.kind, _, confined = self.kind.partition("/")
        self.proxied = confined == "proxy"
        self.sandbox = "bwrap" if self.proxied else confined or "off"
        (self.root / "bin").mkdir(parents=True)
        for name, script in SCRIPTS.items():
            path = self.root / "bin" / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    def runtime(self, **settings: Any) -> Runtime:  # noqa: ANN401 -- whatever a `RuntimeSpec` takes
        """Return a new runtime, as a start of the orchestrator makes one."""
        spec = RuntimeSpec(root=self.root, sandbox=self.sandbox, **settings)
        make: dict[str, Callable[[], Runtime]] = {
            "tmux": lambda: TmuxRuntime(spec),
            "process": lambda: ProcessRuntime(spec),
            "fake": lambda: FakeRuntime(spec, self.machine),
        }
        made = make[self.kind]()
        self.runtimes.append(made)
        return made

    def launch(self, *argv: str, run: str = "1", name: str = "acme/T1#1", **env: str) -> Launch:
        """Return a launch of `argv` in the run directory `run`."""
        run_dir = self.root / "runs" / run
        run_dir.mkdir(parents=True, exist_ok=True)
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        through = Passage(hosts=self.hosts) if self.proxied else None
        reach = Confinement(write=(str(self.root), str(self.root.parent)), net=through is None, passage=through)
        variables = {"PATH": path, **env}
        return Launch(name=name, argv=argv, cwd=self.root, env=variables, run_dir=run_dir, confinement=reach)

    async def start(self, runtime: Runtime, *argv: str, run: str = "1", name: str = "acme/T1#1", **env: str) -> Handle:
        """Start `argv`, to be ended when the test is over."""
        handle = await runtime.start(self.launch(*argv, run=run, name=name, **env))
        self.started.append(handle)
        return handle

    async def clean_up(self) -> None:
        """End all that was started, and see that no server is left."""
        last = self.runtime()
        for handle in self.started:
            owner = next((made for made in self.runtimes if made.alive(handle)), last)
            await owner.kill(handle, grace=0)
            await owner.release(handle)
        for made in self.runtimes:
            await made.close()
        if self.kind == "tmux":
            server = libtmux.Server(socket_path=socket_path(self.root / "tmux.sock"))
            await wait_for_async(lambda: not server.is_alive(), "the last one to leave ends the server", 5)


def with_landlock(*cases: T) -> tuple[T, ...]:
    """Return `cases` where this kernel has Landlock; what becomes of them without is tested in `test_landlock`."""
    return () if sandbox.fault("landlock") else cases


def shown(lines: tuple[str, ...]) -> Iterator[str]:
    """Give the lines of a screen that are not blank."""
    return (line.rstrip() for line in lines if line.strip())


async def wait_for_screen(runtime: Runtime, handle: Handle, text: str, seconds: float = 10.0) -> tuple[str, ...]:
    """Return the screen's lines once `text` stands in them."""
    deadline = time.monotonic() + seconds
    while True:
        lines = tuple(shown((await runtime.screen(handle, history=200)).lines))
        if any(text in line for line in lines):
            return lines
        assert time.monotonic() < deadline, f"{text!r} never showed on {lines}"
        await asyncio.sleep(0.02)
