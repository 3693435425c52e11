"""The login that Claude Code's agents share: taken from the person, renewed by whichever agent comes to it first."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from omni_tui.plugins.agent.claude_login import borrow_login, login_tokens


class Person:
    """Somebody with a home directory, whose agents borrow the login in it."""

    def __init__(self, root: Path) -> None:
        self.file = root / "home" / ".claude" / ".credentials.json"
        self.file.parent.mkdir(parents=True)
        self.environment = {"HOME": str(root / "home")}
        self.logins = root / "logins"
        self._age = 0

    def log_in(self, token: str) -> None:
        """Log in anew, as `claude` itself does; the time of the file is another each time."""
        self._age += 1
        self.file.write_text(json.dumps(login(token) | {"mcpOAuth": {"x": {"accessToken": "of-another-server"}}}))
        os.utime(self.file, (self._age, self._age))

    def borrow(self) -> Path:
        """Prepare an attempt; return the file that it finds its login in."""
        shared = borrow_login(self.logins, self.environment)
        assert shared is not None
        return shared / ".credentials.json"

    def tokens(self) -> set[str]:
        """Return what must not be shown."""
        return set(login_tokens(self.logins, self.environment))


def login(token: str) -> dict[str, object]:
    return {"claudeAiOauth": {"accessToken": f"access-{token}", "refreshToken": f"refresh-{token}", "expiresAt": 1}}


def token_in(file: Path) -> str:
    return str(json.loads(file.read_text())["claudeAiOauth"]["refreshToken"])


@pytest.fixture
def person(tmp_path: Path) -> Person:
    made = Person(tmp_path)
    made.log_in("1")
    return made


def test_an_agent_gets_the_login_and_nothing_else_of_the_file(person: Person) -> None:
    file = person.borrow()
    assert json.loads(file.read_text()) == login("1")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not file.is_relative_to(person.file.parent)


def test_what_one_agent_renewed_the_next_one_finds(person: Person) -> None:
    """A refresh token serves once: an attempt that were given the person's again could not renew it."""
    person.borrow().write_text(json.dumps(login("renewed")))
    assert token_in(person.borrow()) == "refresh-renewed"
    assert token_in(person.file) == "refresh-1", "what agents write is not a person's login"


def test_a_new_login_of_the_person_counts_whatever_time_an_agent_gave_its_own(person: Person) -> None:
    file = person.borrow()
    os.utime(file, (4_000_000_000, 4_000_000_000))
    person.log_in("2")
    assert token_in(person.borrow()) == "refresh-2"


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"claudeAiOauth": 7}', "[" * 100_000])
def test_a_shared_login_that_an_agent_spoilt_is_taken_anew(person: Person, spoilt: str) -> None:
    person.borrow().write_text(spoilt)
    assert token_in(person.borrow()) == "refresh-1"


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_whoever_has_a_key_borrows_nothing(person: Person, name: str) -> None:
    assert borrow_login(person.logins, {**person.environment, name: "k"}) is None
    assert not person.logins.exists()


@pytest.mark.parametrize("home", [{}, {"HOME": "/nonexistent"}, {"HOME": "nul\0"}])
def test_without_a_login_there_is_nothing_to_borrow(tmp_path: Path, home: dict[str, str]) -> None:
    assert borrow_login(tmp_path / "logins", home) is None
    assert login_tokens(tmp_path / "logins", home) == ()


def test_the_tokens_of_both_logins_are_secret(person: Person) -> None:
    assert person.tokens() == {"access-1", "refresh-1"}
    person.borrow().write_text(json.dumps(login("renewed")))
    assert person.tokens() == {"access-1", "refresh-1", "access-renewed", "refresh-renewed"}
