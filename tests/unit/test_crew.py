"""A workspace's agents, looked at again and again: read once, and again as soon as a file of theirs is another one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from omni_tui.config import load_agents
from omni_tui.crew import Crew
from omni_tui.errors import ConfigError
from omni_tui.model.project_settings import WorkspaceSettings
from tests.support.fleets import make_fleet

SETTINGS = WorkspaceSettings()


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    """Make three, one without any file."""
    for name in ("ada", "ben", "cleo"):
        (tmp_path / name).mkdir()
    (tmp_path / "ada" / "agent.toml").write_text('model = "big"\n')
    (tmp_path / "ada" / "INSTRUCTIONS.md").write_text("Be brief.\n")
    (tmp_path / "ben" / "agent.toml").write_text('model = "old"\n')
    return tmp_path


def add(agents: Path) -> None:
    (agents / "abe").mkdir()


def remove(agents: Path) -> None:
    shutil.rmtree(agents / "cleo")


def edit(agents: Path) -> None:
    (agents / "ada" / "agent.toml").write_text('model = "bigger"\n')


def replace_by_one_of_the_same_size_and_time(agents: Path) -> None:
    path, other = agents / "ben" / "agent.toml", agents / "other"
    was = path.stat()
    other.write_text('model = "new"\n')
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.rename(path)


def give_settings(agents: Path) -> None:
    (agents / "cleo" / "agent.toml").write_text('model = "small"\n')


def take_settings(agents: Path) -> None:
    (agents / "ada" / "agent.toml").unlink()


def instruct(agents: Path) -> None:
    (agents / "ada" / "INSTRUCTIONS.md").write_text("Be thorough.\n")


def test_what_stands_as_it_was_is_not_read_again(agents: Path) -> None:
    crew = Crew(agents, SETTINGS)
    first = crew.now()
    assert first == load_agents(agents, SETTINGS)
    assert list(map(id, crew.now())) == list(map(id, first))
    edit(agents)
    ada, *others = crew.now()
    assert ada.model == "bigger"
    assert list(map(id, others)) == list(map(id, first[1:])), "the others were not"


@pytest.mark.parametrize(
    "change",
    [add, remove, edit, replace_by_one_of_the_same_size_and_time, give_settings, take_settings, instruct],
)
def test_a_change_counts_at_the_next_look(agents: Path, change: Callable[[Path], None]) -> None:
    crew = Crew(agents, SETTINGS)
    before = crew.now()
    change(agents)
    assert crew.now() == load_agents(agents, SETTINGS) != before


def test_a_wrong_file_is_told_at_each_look_until_it_is_mended(agents: Path) -> None:
    crew, path = Crew(agents, SETTINGS), agents / "ada" / "agent.toml"
    before = crew.now()
    path.write_text("nonsense = 1\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match="unknown key `nonsense`"):
            crew.now()
    path.write_text('model = "big"\n')
    assert crew.now() == before


def test_the_order_of_the_settings_counts(agents: Path) -> None:
    crew = Crew(agents, WorkspaceSettings(agents=("cleo", "ada", "cleo")))
    assert [agent.name for agent in crew.now()] == ["cleo", "ada", "cleo"]


def test_nobody_is_there_yet(tmp_path: Path) -> None:
    crew = Crew(tmp_path / "agents", SETTINGS)
    assert crew.now() == []
    (tmp_path / "agents" / "ada").mkdir(parents=True)
    (tmp_path / "agents" / "note.md").touch()
    assert [agent.name for agent in crew.now()] == ["ada"]


async def test_a_dispatcher_looks_so(tmp_path: Path) -> None:
    fleet = await make_fleet(tmp_path, runtime="process")
    place = await fleet.fleet.open_place("app")
    [agent] = place.agents()
    assert place.agents()[0] is agent
    (fleet.paths.agents / agent.name / "INSTRUCTIONS.md").write_text("Be brief.\n")
    assert place.agents()[0].instructions == "Be brief.\n"
