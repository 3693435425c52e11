"""Brakes on a part by name: a name that means nothing is refused, and what has gone can still be released."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from omni_tui.fleet import Fleet
from omni_tui.model.brakes import Brakes, Scope
from omni_tui.model.event import Event
from omni_tui.outlook import read_providers
from omni_tui.store.brakes import read_brakes
from omni_tui.store.journal import Journal
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.state import read_state
from tests.support.cli import Cli

MAX = "harness = 'claude'\n"
BRAKES = (("freeze",), ("freeze", "--hard"), ("throttle", "2"))
LIFTS = (("thaw",), ("throttle", "off"))


class BrakesCli(Cli):
    """A fleet of two workspaces, that nobody dispatches: Claude served by `max`, a program that serves itself."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(root, capsys)
        paths = create_fleet(root, "")
        for workspace, agent, text in (("shop", "ada", ""), ("docs", "pen", 'harness = "command"\ncommand = ["x"]\n')):
            create_workspace(paths.workspace(workspace))
            (paths.workspace(workspace).agents / agent).mkdir(parents=True)
            (paths.workspace(workspace).agents / agent / "agent.toml").write_text(text)
        (root / "providers").mkdir(exist_ok=True)
        self.provider = root / "providers" / "max.toml"
        self.provider.write_text(MAX)

    @property
    def brakes(self) -> Brakes:
        return read_state(self.fleet).brakes

    def happened(self, event: str, **data: object) -> None:
        """Write to the journal as a dispatcher does that has ended since."""
        entry = Event(time=time.time(), event=event, workspace="shop", task="a", attempt=1, data=data)
        Journal(self.fleet / "journal", time.time).write(entry)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> BrakesCli:
    return BrakesCli(tmp_path / "fleet", capsys)


@pytest.mark.parametrize("command", [*BRAKES, *LIFTS], ids=" ".join)
@pytest.mark.parametrize(
    ("option", "name", "status", "told"),
    [
        pytest.param("--provider", "maxx", 1, "there is no provider `maxx` did you mean `max`?", id="near"),
        pytest.param("--provider", "zzz", 1, "there is no provider `zzz` there is: max, pen", id="far"),
        pytest.param("--provider", "claude", 1, "there is no provider `claude`", id="a harness that a file serves"),
        pytest.param("--provider", "", 1, "there is no provider ``", id="an empty variable"),
        pytest.param("--workspace", "shpo", 2, "there is no workspace `shpo` did you mean `shop`?", id="workspace"),
        pytest.param("--workspace", "", 2, "there is no workspace ``", id="an empty variable for a workspace"),
    ],
)
def test_a_name_that_means_nothing_is_refused(
    cli: BrakesCli, command: tuple[str, ...], option: str, name: str, status: int, told: str
) -> None:
    cli("freeze")
    before = cli.brakes
    said = cli(*command, option, name, status=status)
    assert told in " ".join(said.split())
    assert cli.brakes == before


@pytest.mark.parametrize("name", ["max", "pen"])
def test_who_serves_an_agent_or_has_a_file_can_be_braked(cli: BrakesCli, name: str) -> None:
    part = Scope(provider=name)
    cli("freeze", "--provider", name)
    cli("throttle", "--provider", name)
    assert cli.brakes.scopes == {part}
    cli("thaw", "--provider", name)
    cli("throttle", "off", "--provider", name)
    assert cli.brakes == Brakes()
    cli("thaw", "--provider", name)  # as for the fleet, one that is not frozen is no mistake


def test_wrong_files_hide_nobody_whom_a_dispatcher_may_have_at_work(cli: BrakesCli) -> None:
    assert read_providers(Fleet(cli.fleet)) == {"max", "pen"}
    cli.happened("attempt.started", provider="former")
    cli.provider.write_text("slot = 1")
    (cli.fleet / "config.toml").write_text("[limits]\nnonsense = 1\n")
    assert read_providers(Fleet(cli.fleet)) == {"max", "pen", "claude", "former"}, "the file may not have been read yet"
    (cli.fleet / "workspaces/docs/agents/pen/agent.toml").write_text("nonsense = 1")
    assert read_providers(Fleet(cli.fleet)) == {"max", "claude", "former"}


@pytest.mark.parametrize(
    ("event", "data"),
    [
        pytest.param("attempt.started", {"provider": "former"}, id="serves"),
        pytest.param(
            "provider.parked", {"provider": "former", "reason": "its limit", "until": None, "row": 1}, id="parked"
        ),
    ],
)
def test_who_is_known_from_the_journal_alone_can_be_braked(cli: BrakesCli, event: str, data: dict[str, object]) -> None:
    cli("freeze", "--provider", "former", status=1)
    cli.happened(event, **data)
    cli("freeze", "--provider", "former")
    assert cli.brakes.scopes == {Scope(provider="former")}


def test_a_brake_on_what_has_gone_can_be_lifted_and_not_put_on_again(cli: BrakesCli) -> None:
    parts = (("--provider", "max"), ("--workspace", "docs"))
    for part in parts:
        cli("freeze", *part)
        cli("throttle", *part)
    cli.provider.unlink()
    shutil.rmtree(cli.fleet / "workspaces" / "docs")
    assert "did you mean `max`?" in cli("thaw", "--provider", "mx", status=1)
    for command, (option, name) in ((command, part) for command in BRAKES for part in parts):
        cli(*command, option, name, status=1 if option == "--provider" else 2)
    for part in parts:
        cli("thaw", *part)
        cli("throttle", "off", *part)
    assert cli.brakes == Brakes()
    cli("thaw", "--provider", "max", status=1)


def test_a_file_that_brakes_what_is_not_there_can_be_lifted(cli: BrakesCli) -> None:
    (cli.fleet / "control").mkdir(exist_ok=True)
    (cli.fleet / "control" / "freeze.provider.gone").write_text("by hand\n")
    assert read_brakes(cli.fleet / "control").scopes == {Scope(provider="gone")}
    cli("thaw", "--provider", "gone")
    assert read_brakes(cli.fleet / "control") == Brakes()


def test_who_throttles_is_said_and_what_is_no_number(cli: BrakesCli) -> None:
    """Also of a file that no dispatcher has taken over yet."""
    (cli.fleet / "control" / "throttle").write_text("zwei\n")
    words = (
        "the fleet is throttled: one at a time, by the file control/throttle, where `zwei` is no number from 1 to 64"
    )
    assert f"brake     {words}; `omni-tui throttle off` ends that" in cli("status").splitlines()
    (check,) = [each for each in cli.result("doctor", status=1) if each["name"] == "throttle"]
    assert (check["grade"], check["detail"]) == ("warn", words)
    cli("throttle", "3")
    told = "brake     the fleet is throttled: 3 at a time, by a command; `omni-tui throttle off` ends that"
    assert told in cli("status").splitlines()
