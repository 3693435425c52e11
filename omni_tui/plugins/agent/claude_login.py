"""The login that Claude Code's agents borrow from the person who runs us, where they are given no key.

It lies in one directory that all of them share, apart from each one's own configuration
(`CLAUDE_SECURESTORAGE_CONFIG_DIR`, 2.1.197): to renew a login is to replace the token that renews it, so of a copy each
all but one would be worth nothing after the first renewal. Claude Code takes a lock there while it renews, and uses
what another has renewed meanwhile. The person's own file is never written: what agents can change must not become a
person's login. So after a renewal the person may have to log in again; a newer login of theirs is taken at each start.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
"""Variables that log Claude Code in."""

LOGIN_FILE = ".credentials.json"

LOGIN_PART = "claudeAiOauth"
"""The part of the file that is the login; others are of a person's MCP servers, and nothing to an agent."""

TOKENS = ("accessToken", "refreshToken")

MOST_BYTES = 1 << 20


def borrow_login(directory: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the directory below ours where the borrowed login lies; None: there is none, or a key was given.

    The person's is taken once, and again whenever it has changed or the shared one is gone.
    """
    person = _person_file(environment)
    login = {} if any(environment.get(name) for name in CREDENTIALS) else _login(person)
    if not login:
        return None
    shared, taken = directory / "shared", directory / "taken"
    shared.mkdir(parents=True, exist_ok=True, mode=0o700)
    version = str(person.stat().st_mtime_ns)
    if _text(taken) != version or not _login(shared / LOGIN_FILE, os.O_NOFOLLOW):
        replace_file(shared / LOGIN_FILE, json.dumps({LOGIN_PART: login}))
        replace_file(taken, version)
    return shared


def login_tokens(directory: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tokens of the person's login and of the one that is shared: nobody else may see them."""
    logins = (_login(_person_file(environment)), _login(directory / "shared" / LOGIN_FILE, os.O_NOFOLLOW))
    return tuple(login[name] for login in logins for name in TOKENS if isinstance(login.get(name), str))


def replace_file(path: Path, text: str) -> None:
    """Write a whole file at once, for our user's eyes alone: a Claude Code may be reading it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def _person_file(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME", "/nonexistent"), ".claude", LOGIN_FILE)


def _login(path: Path, flags: int = 0) -> dict[str, Any]:
    """Return what a file of logins says of Claude's; nothing where there is none that can be read."""
    try:
        found = json.loads(_text(path, flags))
    except (ValueError, RecursionError):
        return {}
    part = found.get(LOGIN_PART) if isinstance(found, dict) else None
    return part if isinstance(part, dict) else {}


def _text(path: Path, flags: int = 0) -> str:
    """Return a file's text; `flags` keep us from a link, by which an agent could be shown what we can read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags), "rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):  # not there, no plain file, or a home with a null character
        return ""
