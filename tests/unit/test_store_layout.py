"""The tree of a fleet: made whole, and never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.attempt import AttemptId
from omni_tui.model.task import Status, TaskRef
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.paths import FleetPaths
from tests.support.fleets import git


def test_a_fleet(tmp_path: Path) -> None:
    paths = create_fleet(tmp_path / "new" / "fleet", "# policy\n")
    assert {path.name for path in paths.root.iterdir()} == {
        ".gitignore",
        "config.toml",
        "control",
        "journal",
        "providers",
        "vault",
        "workspaces",
    }
    assert paths.config.read_text() == "# policy\n"
    assert paths.workspace_names() == []
    assert FleetPaths(tmp_path / "nothing").workspace_names() == []


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        ("logins/claude/shared/.credentials.json", False),
        ("workspaces/shop/agents/ada/state/.claude.json", False),
        ("workspaces/shop/runs/1/1/prompt.md", False),
        ("sources/taken.jsonl", False),
        ("logs/notices.log", False),
        ("HANDOFF.md", False),
        ("lease", False),
        ("config.toml", True),
        ("providers/max.toml", True),
        ("workspaces/shop/agents/ada/agent.toml", True),
        ("workspaces/shop/queue/todo/1.md", True),
    ],
)
def test_version_control_gets_what_a_person_wrote_and_no_login(file: str, kept: bool, tmp_path: Path) -> None:
    create_fleet(tmp_path, "")
    git(tmp_path, "init", "-q")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("x")
    assert (file in git(tmp_path, "ls-files", "--others", "--exclude-standard").splitlines()) is kept


def test_making_it_again_leaves_what_is_there(tmp_path: Path) -> None:
    paths = create_fleet(tmp_path, "mine")
    (tmp_path / ".gitignore").write_text("own")
    create_workspace(paths.workspace("shop"), "check = 'a'\n")
    create_fleet(tmp_path, "other")
    create_workspace(paths.workspace("shop"), "check = 'b'\n")
    assert paths.config.read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == "own"
    assert paths.workspace("shop").toml.read_text() == "check = 'a'\n"


def test_a_workspace(tmp_path: Path) -> None:
    fleet = create_fleet(tmp_path, "")
    shop = fleet.workspace("shop")
    create_workspace(shop)
    assert {path.name for path in shop.root.iterdir()} == {"agents", "queue", "runs", "worktrees"}
    assert {path.name for path in (shop.root / "queue").iterdir()} == {status.value for status in Status}
    (fleet.workspaces / "zoo").mkdir()
    (fleet.workspaces / "Not a name").mkdir()
    (fleet.workspaces / "file").touch()
    assert fleet.workspace_names() == ["shop", "zoo"]
    assert shop.run(AttemptId(TaskRef("shop", "0001"), 2)) == shop.root / "runs" / "0001" / "2"
