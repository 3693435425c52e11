"""Attacks through links that an agent leaves where we look later, and through where the fleet itself lies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from omni_tui.model.attempt import AgentSpec
from omni_tui.model.confinement import Confinement
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.sandbox import bubblewrap
from tests.support.assignments import make_assignment
from tests.support.attacks import attack

KEY = {"key": "s3cret", "claudeAiOauth": {"accessToken": "borrowed"}}
"""What the person's login holds, and their key as well, which must not be taken for one."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make a home directory with a login, and with a key that no agent may get at."""
    made = tmp_path / "person"
    for name in (".claude/.credentials.json", ".ssh/id_ed25519"):
        (made / name).parent.mkdir(parents=True)
        (made / name).write_text(json.dumps(KEY))
    return made


def test_bent_links_in_its_configuration_show_it_nothing(tmp_path: Path, home: Path) -> None:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    environment = {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    assignment = make_assignment(tmp_path, AgentSpec(name="c", harness="claude"), environment)
    agent, config = ClaudeAgent(), assignment.state_dir / ".claude.json"
    first = agent.prepare(assignment)
    login = first.write[-1] / ".credentials.json"
    key = home / ".ssh/id_ed25519"
    for file in (login, config):
        file.unlink()
        file.symlink_to(key)
    assert "s3cret" not in agent.tokens(assignment.login_dir, environment), "we are not led to it either"
    second = agent.prepare(assignment)
    assert (second.read, second.write) == (first.read, first.write), "what it sees does not follow its links"
    assert key not in {path.resolve() for path in (*second.read, *second.write)}
    assert json.loads(login.read_text())["claudeAiOauth"] == {"accessToken": "borrowed"}, "what it spoilt is mended"
    assert "s3cret" not in config.read_text() + login.read_text()
    assert json.loads(key.read_text()) == KEY


def test_neither_its_settings_nor_where_they_lie_can_be_changed(tmp_path: Path, home: Path) -> None:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    environment = {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    assignment = make_assignment(tmp_path, AgentSpec(name="c", harness="claude"), environment)
    invocation = ClaudeAgent().prepare(assignment)
    harness = assignment.run_dir / "harness"
    assert harness in invocation.read
    assert {*invocation.write} == {harness / "out", assignment.state_dir, assignment.login_dir / "shared"}


@pytest.mark.parametrize("where", ["home", "path"])
def test_tools_around_the_fleet_do_not_show_it(tmp_path: Path, where: str) -> None:
    (tmp_path / "bin").mkdir()
    inside = tmp_path / "inside"
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin", **({"HOME": str(inside)} if where == "home" else {})}
    hide = () if where == "home" else (str(inside),)
    words = list(bubblewrap.command(Confinement(hide=hide), ("/bin/sh",), environment))
    shown = len(words) - 1 - words[::-1].index(str(tmp_path))
    assert words[words.index(str(inside)) - 1] == "--tmpfs"
    assert words.index(str(inside)) > shown, "it is covered after what lies around it is there"


async def test_a_fleet_among_tools_stays_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    tried = await attack(
        tmp_path,
        f"""
        note tool test -x "{tmp_path}/bin/tool"
        note config cat "{tmp_path}/fleet/config.toml"
        note queue ls "{tmp_path}/fleet/workspaces/app/queue"
        note bare cat "{tmp_path}/fleet/workspaces/app/repo.git/config"
        note events sh -c 'ln -s /etc/passwd x && mv -f x "$OMNI_EVENTS"'
        note exit sh -c 'echo 0 > "${{OMNI_EVENTS%/*}}/exit"'
        rm -f x
        """,
        kind=kind,
    )
    notes = tried.notes()
    assert notes.pop("tool") == "status 0", "what lies around the fleet is there"
    assert len(notes) == 5
    assert not [name for name, text in notes.items() if text.endswith("status 0") and name != "exit"]
    assert tried.fleet.landed() == ["Attack"]
