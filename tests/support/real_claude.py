"""The real Claude Code for tests, and a network for it that holds nothing but the scripted model API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]


def find_claude() -> Path | None:
    """Return Claude Code: `OMNI_TEST_CLAUDE`, else what `.ci/run` installed, else the one in PATH."""
    installed = ROOT / ".ci" / "tools" / "node_modules" / ".bin" / "claude"
    named = os.environ.get("OMNI_TEST_CLAUDE") or (str(installed) if installed.exists() else "claude")
    found = shutil.which(named)
    return Path(found) if found else None


class ModelNetwork:
    """The model API in its own process, and how to run programs that can reach nothing else.

    Where this user may make network namespaces, a program run by `enter` sees a network with a loopback device only.
    Everywhere the proxy variables lead to a trap, so that whatever tried to leave is on record.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self._wall = _wall()
        command = [*self._wall, sys.executable, "-m", "tests.support.model_api", str(directory)]
        self._server = subprocess.Popen(
            [*command, "--isolated"] if self._wall else command, cwd=ROOT, stdin=subprocess.PIPE
        )
        wait_for((directory / "ports.json").exists, "the model API listens")
        self._ports = json.loads((directory / "ports.json").read_text(encoding="utf-8"))

    @property
    def isolated(self) -> bool:
        """Whether programs are walled in, not only watched."""
        return bool(self._wall)

    def url(self, script: str) -> str:
        """Return the value of `ANTHROPIC_BASE_URL` that plays `script`."""
        return f"http://127.0.0.1:{self._ports['api']}/{script}"

    def tell(self, script: str) -> None:
        """Have the script `told` play another one from now on."""
        waiting = self.directory / "told.tmp"
        waiting.write_text(script, encoding="utf-8")
        waiting.rename(self.directory / "told")

    def proxies(self) -> dict[str, str]:
        """Return the variables that lead everything but 127.0.0.1 into the trap."""
        trap = f"http://127.0.0.1:{self._ports['trap']}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return dict.fromkeys([*names, *map(str.lower, names)], trap) | {
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def enter(self) -> list[str]:
        """Return the words before a command that run it inside."""
        if not self._wall:
            return []
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._server.pid}", *user, "--net", "--"]

    def requests(self) -> list[dict[str, Any]]:
        """Return every request that came to the API."""
        return _lines(self.directory / "requests.jsonl")

    def strays(self) -> list[dict[str, Any]]:
        """Return what tried to go anywhere else."""
        return _lines(self.directory / "strays.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=10)


def _wall() -> list[str]:
    """Return the words that start a program in a network of its own; none where this user may not make one."""
    words = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return []
    return words if subprocess.run([*words, "true"], capture_output=True).returncode == 0 else []


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
