"""The files of providers, what agents get of them, and the commands that show them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from omni_tui.cli import run
from omni_tui.config import check_providers, load_agent, load_providers
from omni_tui.errors import ConfigError
from omni_tui.model.attempt import AgentSpec
from omni_tui.model.event import Event
from omni_tui.model.task import Status
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.claude_transcript import Transcript
from omni_tui.plugins.agent.command import CommandAgent
from omni_tui.policy.routing import serve
from omni_tui.resources import shipped_config
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.paths import FleetPaths
from tests.support.assignments import make_assignment, with_agent
from tests.support.cli import Cli

WORK = """
model = "big"
base_url = "https://models.example.com"
key = "WORK_KEY"
slots = 3
labels = ["docs"]
[cost]
input = 3.0
[night]
usd = 20
"""


def write(directory: Path, **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text)
    return directory


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_a_provider(tmp_path: Path) -> None:
    found = load_providers(write(tmp_path, work=WORK, plain=""))
    assert list(found) == ["plain", "work"]
    work, plain = found["work"], found["plain"]
    assert (work.slots, work.labels, work.cost.input, work.night.usd, work.ledger) == (
        3,
        ("docs",),
        3.0,
        20,
        "WORK_KEY",
    )
    assert (plain.slots, plain.harness, plain.preflight, plain.ledger) == (2, "claude", True, "claude")


def test_no_files_are_no_providers(tmp_path: Path) -> None:
    assert load_providers(tmp_path / "nowhere") == {}
    (tmp_path / ".half.toml").write_text("slots = [")
    (tmp_path / "note.md").write_text("not one")
    assert load_providers(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("slots = 0", 1, "`slots` is 0; it must be a whole number, 1 to 64"),
        ("\nslot = 2", 2, "unknown key `slot`; the nearest is `slots`"),
        ("[cost]\ninputs = 2", 2, "unknown key `cost.inputs`; the nearest is `cost.input`"),
        ("[night]\nusd = -1", 2, "`night.usd` is -1"),
        ("key = 'a b'", 1, "`key` is not shown here; it must be the name of an environment variable"),
        ("slots = = 2", 1, "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_providers(write(tmp_path, work=text))
    assert words in caught.value.message
    assert caught.value.where == f"{tmp_path}/work.toml:{line}"


def test_a_key_where_its_variables_name_belongs_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_providers(write(tmp_path, work="key = 'made-up-secret'"))
    assert "made-up-secret" not in str(caught.value)
    (tmp_path / "agent.toml").write_text("secrets = ['made-up-secret']")
    with pytest.raises(ConfigError, match="must be a list of names of environment variables") as caught:
        load_agent(tmp_path)
    assert "made-up-secret" not in str(caught.value)


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "My Own.toml").write_text("")
    with pytest.raises(ConfigError, match="makes no name"):
        load_providers(tmp_path)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (AgentSpec(name="a", harness="claude", provider="wrok"), "there is no provider `wrok`"),
        (AgentSpec(name="a", harness="command", provider="work"), "serves harness `claude`, and it runs in `command`"),
    ],
)
def test_an_agent_whose_provider_cannot_serve_it_is_told(tmp_path: Path, agent: AgentSpec, words: str) -> None:
    providers = load_providers(write(tmp_path, work=""))
    with pytest.raises(ConfigError) as caught:
        check_providers([agent], providers, tmp_path / "agents")
    assert words in caught.value.message
    assert caught.value.where == f"{tmp_path}/agents/a/agent.toml"
    check_providers([AgentSpec(name="a", harness="claude", provider="work")], providers, tmp_path)


# -- what an agent gets ------------------------------------------------------------------------------------------------


def served(tmp_path: Path, harness: str, own: dict[str, Any], **environment: str) -> dict[str, str]:
    """Return the environment of an agent that a provider serves."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    providers = load_providers(write(tmp_path / "providers", work=f'harness = "{harness}"\n{WORK}'))
    (agent,) = serve([AgentSpec(name="one", harness=harness, command=("true",), **own)], providers)
    assignment = make_assignment(tmp_path, agent, {"PATH": f"{program.parent}:/usr/bin:/bin", **environment})
    plugin = ClaudeAgent() if harness == "claude" else CommandAgent()
    return plugin.prepare(with_agent(assignment)).env


def test_claude_gets_the_key_under_the_name_that_it_knows(tmp_path: Path) -> None:
    found = served(tmp_path, "claude", {"env": {"ANTHROPIC_AUTH_TOKEN": "another"}}, WORK_KEY="made-up-key")
    assert found["ANTHROPIC_API_KEY"] == "made-up-key"
    assert found["ANTHROPIC_BASE_URL"] == "https://models.example.com"
    assert "WORK_KEY" not in found
    assert "ANTHROPIC_AUTH_TOKEN" not in found, "or two logins would compete"


def test_a_program_gets_it_under_its_own(tmp_path: Path) -> None:
    found = served(tmp_path, "command", {}, WORK_KEY="made-up-key")
    assert (found["WORK_KEY"], found["OMNI_BASE_URL"]) == ("made-up-key", "https://models.example.com")


def test_a_program_reaches_the_address_of_its_provider(tmp_path: Path) -> None:
    for url, hosts in (("https://models.example.com/v1", ("models.example.com:443",)), ("", ()), ("a directory", ())):
        agent = AgentSpec(name="one", harness="command", command=("true",), base_url=url)
        assignment = make_assignment(tmp_path / (url[:1] or "none"), agent, {"PATH": "/usr/bin:/bin"})
        assert CommandAgent().prepare(assignment).hosts == hosts


def test_tokens_are_told_apart(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 7}
    transcript = Transcript()
    for number in (1, 2, 2):
        line = json.dumps({"type": "assistant", "message": {"id": f"m{number}", "usage": usage}}).encode()
        signal = transcript.read(line, 1.0)
    assert signal is not None
    assert (signal.turns, signal.tokens, signal.output, signal.cached) == (2, 244, 14, 200)
    said = CommandAgent().read(b'{"event": "activity", "tokens": 9, "output": 2, "cached": 3}', 1.0)
    assert said is not None
    assert (said.tokens, said.output, said.cached) == (9, 2, 3)


# -- commands ----------------------------------------------------------------------------------------------------------


class ProviderCli(Cli):
    """Calls the program on a fleet with a claude agent and two providers of one account."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(root, capsys)
        paths = create_fleet(root, shipped_config().read_text())
        create_workspace(paths.workspace("app"))
        write(paths.workspace("app").agents / "one", agent="")
        write(paths.providers, work=WORK, other='key = "WORK_KEY"\nslots = 1\n')
        (paths.workspace("app").queue(Status.TODO) / "a.md").write_text("# A\n")

    def doctor(self) -> dict[str, dict[str, str]]:
        """Return what `doctor` finds, by name; there may be other things to mend here."""
        self._capsys.readouterr()
        run(["--fleet", str(self.fleet), "doctor", "--json"])
        return {check["name"]: check for check in json.loads(self._capsys.readouterr().out)["result"]}

    def happened(self, event: str, task: str = "", **data: object) -> None:
        """Write to the journal as a dispatcher does that has ended since."""
        entry = Event(
            time=time.time(),
            event=event,
            workspace="app" if task else "",
            task=task,
            attempt=int(bool(task)),
            data=data,
        )
        Journal(self.fleet / "journal", time.time).write(entry)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ProviderCli:
    return ProviderCli(tmp_path / "fleet", capsys)


def test_the_list_tells_how_each_stands(cli: ProviderCli) -> None:
    cli.happened("attempt.started", "a", provider="work")
    cli.happened("attempt.usage", "a", tokens=1234, usd=0.5, minutes=2.0)
    cli.happened(
        "provider.parked", provider="work", reason="its usage limit is reached", until=time.time() + 900, row=1
    )
    other, work = cli.result("provider", "list")
    assert (work["name"], work["state"], work["of"], work["usd"], work["tokens"]) == ("work", "open", 3, 0.5, 1234)
    assert (other["state"], other["reason"]) == ("open", "its usage limit is reached"), "one account, one ledger"
    assert "0.50 USD, 1,234 tokens" in cli("provider", "list")


def test_one_is_shown_with_its_file_and_the_nearest_name_is_told(cli: ProviderCli) -> None:
    shown = cli("provider", "show", "work")
    assert "breaker   closed" in shown
    assert "night.usd = 20" in shown
    assert 'harness = "claude"' in shown, "as its file would say it"
    assert "preflight = true" in shown
    assert "name =" not in shown
    assert cli.result("provider", "show", "work")["settings"]["slots"] == 3
    assert "did you mean `work`?" in cli("provider", "show", "wrok", status=1)


def test_one_that_serves_since_before_a_restart_is_not_called_untried(cli: ProviderCli) -> None:
    assert "before the first task" in cli("provider", "show", "work")
    cli.happened("attempt.started", "a", provider="work")
    app = FleetPaths(cli.fleet).workspace("app")
    (app.queue(Status.TODO) / "a.md").rename(app.queue(Status.DOING) / "a.md")
    assert "before the next task" in cli("provider", "show", "work")


def test_a_check_of_none_names_the_nearest(cli: ProviderCli) -> None:
    assert "there is no provider `wrok` did you mean `work`?" in " ".join(
        cli("provider", "check", "wrok", status=1).split()
    )


def test_without_files_it_says_how_one_is_made(cli: ProviderCli) -> None:
    for path in (cli.fleet / "providers").iterdir():
        path.unlink()
    assert "providers/NAME.toml makes one" in cli("provider", "list")
    assert cli.result("provider", "list") == []


def test_why_tells_of_a_preflight_and_of_a_breaker(cli: ProviderCli) -> None:
    assert cli.result("why", "a")["hold"] == "preflight"
    for name in ("work", "other"):
        cli.happened("provider.checked", provider=name, passed=True)
    assert cli.result("why", "a")["hold"] == "lease"
    cli.happened(
        "provider.parked", provider="work", reason="its usage limit is reached", until=time.time() + 900, row=1
    )
    told = cli.result("why", "a")
    assert told["hold"] == "parked"
    assert told["until"] == pytest.approx(time.time() + 900, abs=60)


def test_doctor_names_a_key_that_is_not_set_and_a_wrong_file(cli: ProviderCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORK_KEY", raising=False)
    assert cli.doctor()["provider work"]["detail"] == "its key WORK_KEY is not set"
    monkeypatch.setenv("WORK_KEY", "made-up-key")
    assert cli.doctor()["provider work"]["grade"] == "ok"
    write(cli.fleet / "providers", work='harness = "cloude"')
    assert cli.doctor()["provider work"]["detail"] == "there is no harness cloude"
    write(cli.fleet / "providers", work="slot = 1")
    assert "unknown key `slot`" in cli.doctor()["providers"]["detail"]
