"""Whom a fleet keeps busy: every process that names its directory, by what it is."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from contextlib import suppress
from enum import StrEnum

import psutil

from omni_tui.plugins.runtime.records import WRAPPER
from tests.support.fleets import TestFleet


class Kin(StrEnum):
    """What a process of a fleet is."""

    ORCHESTRATOR = "orchestrator"
    SERVER = "tmux server"
    WRAPPER = "wrapper of an agent or a check"
    COMMAND = "process of a command agent"
    CLAUDE = "process of Claude Code"
    OTHER = "other"


def population(fleet: TestFleet) -> dict[Kin, dict[int, list[str]]]:
    """Return the command lines of the processes whose command line, environment or directory names the fleet."""
    found: dict[Kin, dict[int, list[str]]] = defaultdict(dict)
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile
            words, variables = process.cmdline(), process.environ()
            if any(str(fleet.root) in text for text in (*words, *variables.values(), process.cwd())):
                found[_kin(process.name(), words, variables)][process.pid] = words
    return found


def _kin(name: str, words: list[str], variables: dict[str, str]) -> Kin:
    if name.startswith("tmux: server"):
        return Kin.SERVER
    if str(WRAPPER) in words:
        return Kin.WRAPPER
    if "OMNI_WORKTREE" in variables:
        return Kin.CLAUDE if "CLAUDE_CONFIG_DIR" in variables else Kin.COMMAND
    return Kin.ORCHESTRATOR if "omni_tui" in words else Kin.OTHER


def end_all(fleet: TestFleet) -> None:
    """Leave no process of the fleet, where a run went wrong."""
    for processes in population(fleet).values():
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
