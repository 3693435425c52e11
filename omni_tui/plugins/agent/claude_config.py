"""Claude Code's own configuration directory, made ready so that no first-run dialog ever waits for a person.

What the dialogs ask for is in `.claude.json` (facts: agents, "interactive in tmux"). Each attempt has its own: what is
in a transcript is nothing to another attempt. What Claude Code itself keeps there survives a second start.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omni_tui.plugins.agent.claude_login import replace_file

KEY_END = 20
"""Characters of an API key's end by which Claude Code remembers that it may use it; the key itself is not written."""


def prepare_config(directory: Path, worktrees: Path, environment: Mapping[str, str]) -> None:
    """Make `directory` fit for starts below `worktrees` without a dialog; a second call changes nothing."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _merge(directory / ".claude.json", worktrees, environment.get("ANTHROPIC_API_KEY", ""))


def _merge(path: Path, worktrees: Path, key: str) -> None:
    before = _read(path)
    after = copy.deepcopy(before)
    after.update(hasCompletedOnboarding=True, bypassPermissionsModeAccepted=True)
    after.setdefault("theme", "dark")
    trusted = _table(_table(after, "projects"), str(worktrees.resolve()))
    trusted["hasTrustDialogAccepted"] = True
    if key:
        _approve(_table(after, "customApiKeyResponses"), key[-KEY_END:])
    if after != before:
        replace_file(path, json.dumps(after, indent=2))


def _approve(responses: dict[str, Any], key_end: str) -> None:
    approved = responses.setdefault("approved", [])
    rejected = responses.setdefault("rejected", [])
    if key_end not in approved:
        approved.append(key_end)
    if key_end in rejected:
        rejected.remove(key_end)


def _read(path: Path) -> dict[str, Any]:
    """Return what is there; a file that is no JSON object counts as none: Claude Code would ask what to do with it.

    So does a link, which an agent may have left there to be shown what we can read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    table: dict[str, Any] = parent[name]
    return table
