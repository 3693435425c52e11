"""What counts as a secret: variables and lines of credential files, as a table."""

from __future__ import annotations

import pytest

from omni_tui.policy.holding import given, in_environment, in_file
from omni_tui.policy.redaction import Secret

RANDOM = "9f8e7d6c5b4a39281706"


def test_a_named_variable_counts_whatever_it_looks_like() -> None:
    variables = {"MODE": "production", "TINY": "abc", "PATH": "/bin"}
    assert list(given(variables, ("MODE", "TINY", "MISSING"))) == [Secret("MODE", "production")]


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("GITHUB_TOKEN", "ghp_abcdef123456", True),
        ("OPENAI_API_KEY", "sk-12345678", True),
        ("APIKEY", "abcdefgh", True),
        ("DB_PASSWORD", "correct horse", True),
        ("DATABASE_URL", f"postgres://u:{RANDOM}@h/db", False),
        ("AWS_SECRET_ACCESS_KEY", RANDOM, True),
        ("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.1", False),
        ("SSL_KEY", "/etc/ssl/private/key.pem", False),
        ("KEY", "12345", False),
        ("MAX_TOKENS", "100000", False),
        ("PWD", "/home/me", False),
        ("PATH", f"/bin:{RANDOM}", False),
        ("MONKEY", "banana-split", True),
        ("EDITOR", "vim", False),
    ],
)
def test_a_variable_counts_by_its_name(name: str, value: str, held: bool) -> None:
    assert [secret.value for secret in in_environment({name: value})] == ([value] if held else [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"API={RANDOM}", RANDOM),
        (f"export API='{RANDOM}' # remark", RANDOM),
        (f'  "api": "{RANDOM}",', RANDOM),
        ("PASSWORD=hunter22", "hunter22"),
        ("DATABASE_URL=postgres://me:pa%2Fss-word@db.example.org:5432/x", "pa/ss-word"),
        ("DATABASE_URL=postgres://db.example.org:5432/x", None),
        ("MODE=production-and-more", None),
        ("DEBUG=true", None),
        ("PORT=8080", None),
        ("HOST=db.internal.example.org:5432", None),
        ("MAIL=somebody@example.org", None),
        ("DATA_DIR=/var/lib/app/9f8e7d6c5b4a3928", None),
        ("# just a remark about production", None),
        ("machine example.org login me password 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
        ("", None),
        ("URL=http://[broken", None),
    ],
)
def test_a_line_of_a_file_counts_by_its_name_or_its_randomness(line: str, value: str | None) -> None:
    assert [secret.value for secret in in_file(".env", f"{line}\n")] == ([value] if value else [])
