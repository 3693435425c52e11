"""Claude Code's own configuration directory, made ready so that no first-run dialog ever waits for a person.

What the dialogs ask for is in `.claude.json` (facts: agents, "interactive in tmux"); what Claude Code itself keeps
there survives.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
"""Variables that log Claude Code in."""

LOGIN_FILE = ".credentials.json"

KEY_END = 20
"""Characters of an API key's end by which Claude Code remembers that it may use it; the key itself is not written."""


def prepare_config(directory: Path, worktrees: Path, environment: Mapping[str, str]) -> None:
    """Make `directory` fit for starts below `worktrees` without a dialog; a second call changes nothing."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _merge(directory / ".claude.json", worktrees, environment.get("ANTHROPIC_API_KEY", ""))
    _borrow_login(directory, environment)


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
        _replace(path, json.dumps(after, indent=2))


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


def _replace(path: Path, text: str) -> None:
    """Write the whole file at once: another agent's Claude Code may be reading it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def _borrow_login(directory: Path, environment: Mapping[str, str]) -> None:
    """Let Claude Code use the login of the person who runs us, where there is one and no key was given.

    A link, so that it is always the newest. When Claude Code renews the login it puts a file of its own in the link's
    place, and the person may have to log in again: `claude setup-token` and `CLAUDE_CODE_OAUTH_TOKEN` among the agent's
    `secrets` avoid that.
    """
    link = directory / LOGIN_FILE
    for login in borrowed_login(environment):
        if not os.path.lexists(link):
            link.symlink_to(login)


def borrowed_login(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the file with the login of the person who runs us; nothing where there is none or a key was given.

    It is not looked up by the link to it, which an agent can bend.
    """
    login = Path(environment.get("HOME", "/nonexistent"), ".claude", LOGIN_FILE)
    given = any(environment.get(name) for name in CREDENTIALS)
    return (login,) if login.is_file() and not given else ()
