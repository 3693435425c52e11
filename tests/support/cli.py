"""Calls the program in the process of a test, on one fleet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omni_tui.cli import run


class Cli:
    """The commands, with `--fleet`; each call looks at the exit status."""

    def __init__(self, fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.fleet = fleet
        self._capsys = capsys

    def __call__(self, *words: str, status: int = 0) -> str:
        """Call it; return what it prints, on stdout if it succeeds, else all of it."""
        self._capsys.readouterr()
        assert run(["--fleet", str(self.fleet), *words]) == status
        printed = self._capsys.readouterr()
        return printed.out + printed.err if status else printed.out

    def result(self, *words: str, status: int = 0) -> Any:  # noqa: ANN401 - whatever the command answers
        """Call it with `--json`; return the result."""
        self._capsys.readouterr()
        assert run(["--fleet", str(self.fleet), *words, "--json"]) == status
        found = json.loads(self._capsys.readouterr().out)
        assert found["ok"] is (status == 0)
        return found["result"]

    def statuses(self) -> dict[str, str]:
        """Return each task's folder, by id."""
        return {task["id"]: task["status"] for task in self.result("list")}
