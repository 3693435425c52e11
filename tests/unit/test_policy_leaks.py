"""A change that adds a secret does not land, and what is said of it never tells the secret."""

from __future__ import annotations

import pytest

from omni_tui.model.change import Change, FileChange
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.task import Task
from omni_tui.model.verdict import FindingKind, Severity, Verdict
from omni_tui.plugins.detection import known_shapes
from omni_tui.policy.gate import Evidence, inspect
from omni_tui.policy.redaction import Redactor, Secret

HELD = "s3cr3t/value+0123456789"
TOKEN = "ghp_" + "a1B2" * 9
FIND = Redactor([Secret("API_KEY", HELD)], known_shapes).find


def diff(added: str, path: str = "app/conf.py", first: int = 3) -> str:
    lines = added.split("\n")
    body = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -{first} +{first},{len(lines)} @@\n-old\n{body}"
    )


def judge(additions: str | None, title: str = "Do it", **settings: object) -> Verdict:
    path = "app/conf.py"
    change = Change(base="b", head="h", commits=1, files=(FileChange(path=path, status="M", added=1, removed=1),))
    task = Task(workspace="w", id="t", title="Do it")
    chosen = GateSettings(**settings)  # type: ignore[arg-type]
    return inspect(
        Evidence(
            task=task,
            settings=chosen,
            change=change,
            additions=additions,
            title=title,
            find_secrets=FIND,
            tree_paths={path},
        )
    )


@pytest.mark.parametrize("added", [HELD, f'key = "{HELD}"', "x\n" + HELD[:9] + "\n" + HELD[9:], HELD.encode().hex()])
def test_a_held_secret_blocks_whatever_the_configuration_says(added: str) -> None:
    verdict = judge(diff(added), secret=Severity.OFF, allow_secrets=("**",))
    [finding] = verdict.findings
    assert (finding.kind, finding.severity) == (FindingKind.SECRET, Severity.BLOCK)
    assert "`app/conf.py`" in finding.message
    assert "API_KEY" in finding.message
    assert HELD[:9] not in finding.message


def test_the_line_is_told() -> None:
    assert "line 5 (API_KEY)" in judge(diff(f"a\nb\n{HELD}")).findings[0].message


def test_a_well_known_token_blocks_unless_its_path_is_allowed() -> None:
    [finding] = judge(diff(f'token = "{TOKEN}"')).findings
    assert finding.severity is Severity.BLOCK
    assert "line 3 (GitHub Token)" in finding.message
    assert TOKEN not in finding.message
    assert judge(diff(TOKEN), allow_secrets=("app/**",)).grade == "A"
    assert judge(diff(TOKEN), secret=Severity.FLAG).grade == "B"


def test_a_remark_of_the_agents_own_allows_nothing() -> None:
    assert judge(diff(f"{TOKEN}  # pragma: allowlist secret")).blocked


def test_a_secret_that_goes_is_no_leak() -> None:
    assert judge(diff("new").replace("-old", f"-{HELD}")).grade == "A"


def test_a_secret_in_a_files_name_or_the_title_blocks() -> None:
    name = "v4lue-0123456789abcdef"
    find = Redactor([Secret("API_KEY", name)]).find
    task = Task(workspace="w", id="t", title="Do it")
    change = Change(base="b", head="h", commits=1, files=(FileChange(path=name, status="A", added=1, removed=0),))
    for additions, title in ((diff("x", path=name), "Do it"), (diff("x"), f"Use {name}")):
        evidence = Evidence(
            task=task, settings=GateSettings(), change=change, additions=additions, title=title, find_secrets=find
        )
        assert any(
            finding.kind is FindingKind.SECRET and finding.severity is Severity.BLOCK
            for finding in inspect(evidence).findings
        )


def test_what_is_too_large_to_be_searched_is_told() -> None:
    [finding] = judge(None).findings
    assert (finding.kind, finding.severity) == (FindingKind.SECRET, Severity.BLOCK)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "sk_live_" + "a" * 24,
        "SG." + "a" * 22 + "." + "b" * 43,
        "-----BEGIN RSA PRIVATE KEY-----",
        "npm install //registry.example.org/:_authToken=npm_abcdef",
        "glpat-" + "a" * 20,
    ],
)
def test_the_library_knows_what_it_should(text: str) -> None:
    assert FIND(text)


@pytest.mark.parametrize(
    "text",
    [
        "APACHELICENSE and README",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "1700000000:9f86d081884c7d659a2feaa0c55ad015a3b",
        "password = input('password: ')",
        "https://user:password@example.org/",
        "token = os.environ['GITHUB_TOKEN']",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7",
    ],
)
def test_ordinary_text_is_no_secret(text: str) -> None:
    assert not FIND(text)
