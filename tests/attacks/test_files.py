"""Attacks on files: writing outside, reading what is not its own, and links that lead there."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from omni_tui.model.task import Status
from tests.support.attacks import attack


async def test_nothing_outside_can_be_written(tmp_path: Path, kind: str) -> None:
    ours = "$OMNI_WORKTREE/../../../.."
    tried = await attack(
        tmp_path,
        f"""
        note usr touch /usr/planted
        note etc sh -c 'echo x >> /etc/passwd'
        note fleet touch "{ours}/planted"
        note todo touch "{ours}/workspaces/app/queue/todo/planted.md"
        note control touch "{ours}/control/planted"
        note prompt sh -c 'echo x >> "$OMNI_PROMPT"'
        note objects touch "{ours}/workspaces/app/repo.git/objects/planted"
        note remount mount -o remount,rw /usr
        note home sh -c 'echo x > "$HOME/.bashrc"'
        """,
        kind=kind,
    )
    notes = tried.notes()
    for name in ("usr", "etc", "todo", "control", "prompt", "objects", "remount"):
        assert not notes[name].endswith("status 0"), name
    assert notes["home"] == "status 0", "a home of its own, which goes with it"
    assert not list(tmp_path.rglob("planted*"))
    assert not Path("/usr/planted").exists()
    assert "x" not in Path("/etc/passwd").read_text().splitlines()


async def test_the_root_of_its_file_system_cannot_be_written(tmp_path: Path, kind: str) -> None:
    """With bubblewrap it is in memory, and would be filled unseen by any limit."""
    tried = await attack(tmp_path, "note root touch /planted; note tmp mktemp", kind=kind)
    notes = tried.notes()
    assert not notes["root"].endswith("status 0")
    assert notes["tmp"].endswith("status 0"), "for that there is a place"
    assert not Path("/planted").exists()


async def test_nothing_is_left_of_what_was_temporary(tmp_path: Path, kind: str) -> None:
    tried = await attack(
        tmp_path,
        'd=$(mktemp -d); mkdir -p "$d/shut/deep" ~/mine; chmod 0 "$d/shut"; note made test -d ~/mine',
        workspace=tomli_w.dumps({"setup": "mktemp > set-up.log", "check": "mktemp; touch ~/mine"}),
        kind=kind,
    )
    assert tried.fleet.landed() == ["Attack"]
    assert [*tried.fleet.root.rglob("scratch"), *tried.fleet.root.rglob("mine")] == []
    assert [path for path in tried.fleet.root.rglob(".scratch") if list(path.iterdir())] == []


async def test_nothing_of_others_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    keys = tmp_path / "home" / ".ssh"
    keys.mkdir(parents=True)
    (keys / "id_ed25519").write_text("a key")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "private.txt").write_text("a private thing")
    tried = await attack(
        tmp_path,
        f"""
        note private cat "{tmp_path}/private.txt"
        note others ls "$OMNI_WORKTREE/.."
        note agents find "$OMNI_WORKTREE/../../agents"
        note queue ls "$OMNI_WORKTREE/../../queue"
        note shadow cat /etc/shadow
        note older cat /etc/shadow-
        note home ls -A "$HOME"
        note sockets find / -xdev -type s
        note own cat "$OMNI_PROMPT"
        """,
        kind=kind,
    )
    notes = tried.notes()
    assert "Attack" in notes["own"]
    assert notes["home"] == "status 0"
    if kind == "bwrap":
        assert notes["others"].splitlines()[:-1] == ["0001-1"]
        assert notes["sockets"] == "status 0"
    else:
        assert notes["others"].endswith("Permission denied\nstatus 2")
        assert all(line.endswith(("Permission denied", "status 1")) for line in notes["sockets"].splitlines())
    assert "agent.toml" not in notes["agents"]
    for name in ("private", "queue", "shadow", "older"):
        assert not notes[name].endswith("status 0"), name


async def test_environment_holds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent.sock")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_made_up_0123456789")
    tried = await attack(tmp_path, "note environment env", kind=kind)
    environment = tried.notes()["environment"]
    assert "OMNI_TASK=0001" in environment
    assert "SSH_AUTH_SOCK" not in environment
    assert "GITHUB_TOKEN" not in environment


async def test_link_that_leads_out_waits_for_a_person(tmp_path: Path, kind: str) -> None:
    tried = await attack(tmp_path, 'ln -s /etc/passwd notes/link; ln -s "$OMNI_WORKTREE/../../.." notes/up', kind=kind)
    assert [event.data["kind"] for event in tried.events("attempt.failed")][:1] == ["gate:protected_path"]
    assert tried.fleet.landed() == []
    found = tried.fleet.queue.find("0001")
    assert found is not None
    assert found[0] is Status.BLOCKED
