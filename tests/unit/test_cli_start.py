"""The program's own start: what it imports, how it finds the fleet, and that its help tells the truth."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from omni_tui import __version__
from omni_tui.cli import COMMANDS, omni_tui
from omni_tui.commands.session import find_fleet
from omni_tui.errors import FleetNotFoundError

HEAVY = {"textual", "git", "github", "psutil", "libtmux", "rich"}
QUICK_SECONDS = 2.0
"""For a start on a machine that is busy with other tests; alone it takes a tenth of that."""


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["list", "--help"], ["nonsense", "--json"]])
def test_a_light_call_imports_nothing_heavy_and_is_quick(words: list[str]) -> None:
    script = (
        f"import sys; from omni_tui.cli import run; run({words!r}); "
        "print('MODULES', *{name.partition('.')[0] for name in sys.modules})"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    seconds = time.monotonic() - began
    modules = set(done.stdout.rpartition("MODULES")[2].split())
    assert "click" in modules, "the list of modules is not what it should be"
    assert not modules & HEAVY
    assert seconds < QUICK_SECONDS


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "omni_tui", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"omni-tui {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_takes_the_common_options(name: str) -> None:
    command = omni_tui.get_command(click.Context(omni_tui), name)
    assert command is not None
    assert command.name == name
    assert command.help, "its help says nothing"
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    for each in commands:
        assert {"json", "fleet"} <= {parameter.name for parameter in each.params}


def make_fleet(root: Path) -> Path:
    (root / "workspaces").mkdir(parents=True)
    (root / "config.toml").touch()
    return root.resolve()


def test_the_fleet_is_the_named_one_then_the_variables_then_the_nearest_above(tmp_path: Path) -> None:
    named, variable, above = (make_fleet(tmp_path / name) for name in ("named", "variable", "above"))
    deep = above / "workspaces" / "app"
    deep.mkdir()
    assert find_fleet(named, {"OMNI_FLEET": str(variable)}, deep) == named
    assert find_fleet(None, {"OMNI_FLEET": str(variable)}, deep) == variable
    assert find_fleet(None, {"OMNI_FLEET": ""}, deep) == above


def test_a_named_directory_that_is_no_fleet_is_not_searched_upwards(tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path / "fleet")
    with pytest.raises(FleetNotFoundError, match="is no fleet") as caught:
        find_fleet(fleet / "workspaces", {}, fleet)
    assert caught.value.where == "--fleet"
    with pytest.raises(FleetNotFoundError, match="here or above"):
        find_fleet(None, {}, tmp_path)
