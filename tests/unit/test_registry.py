"""Plugins: found by entry point, loaded when used; a broken one is named with why and with what is there instead."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.errors import PluginError
from omni_tui.plugins import registry
from omni_tui.plugins.notifier.log import LogNotifier

ENTRY_POINTS = """\
[omni_tui.notifier]
good = strange_plugins:Good
missing_module = strange_nowhere:Good
missing_name = strange_plugins:Nobody
no_class = strange_plugins:number
misnamed = strange_plugins:Good
unfit = strange_plugins:Unfit
raising = strange_raising:Good
own_error = strange_own_error:Good
exiting = strange_exiting:Good
log = strange_plugins:Good
"""
MODULE = """\
class Good:
    name = "good"
    async def notify(self, notice): ...
class Unfit:
    name = "unfit"
number = 3
"""


def look_anew() -> None:
    """Forget which plugins there are: they change while this process lives."""
    registry._entries.cache_clear()
    registry._load.cache_clear()


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a distribution of good and broken plugins, for one test."""
    info = tmp_path / "strange_plugins-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-plugins\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "strange_plugins.py").write_text(MODULE)
    (tmp_path / "strange_raising.py").write_text("raise RuntimeError('no licence')\n")
    (tmp_path / "strange_own_error.py").write_text("class Odd(Exception): ...\nraise Odd('mine')\n")
    (tmp_path / "strange_exiting.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    look_anew()
    yield
    look_anew()
    for name in ("strange_plugins", "strange_raising"):
        sys.modules.pop(name, None)


def test_every_built_in_can_be_loaded_and_fits_its_slot() -> None:
    listings = registry.survey()
    assert {listing.slot for listing in listings} == set(registry.SLOTS)
    assert [listing for listing in listings if listing.fault] == []
    assert all(listing.source.startswith("omni-tui ") for listing in listings)


@pytest.mark.usefixtures("strange")
def test_a_plugin_of_anybody_is_loaded_by_name() -> None:
    assert registry.load("notifier", "good").__module__ == "strange_plugins"
    assert set(registry.names("notifier")) > {"good", "log"}


@pytest.mark.usefixtures("strange")
def test_nobody_can_take_a_built_ins_name() -> None:
    assert registry.load("notifier", "log") is LogNotifier


@pytest.mark.usefixtures("strange")
def test_looking_for_names_loads_nothing() -> None:
    registry.names("notifier")
    assert "strange_plugins" not in sys.modules


BROKEN = [
    ("missing_module", "No module named 'strange_nowhere'"),
    ("missing_name", "has no attribute 'Nobody'"),
    ("no_class", "it is not a class"),
    ("misnamed", "it calls itself `good`"),
    ("unfit", "it lacks notify"),
    ("raising", "RuntimeError: no licence"),
    ("own_error", "Odd: mine"),
    ("exiting", "SystemExit: 3"),
]


@pytest.mark.usefixtures("strange")
@pytest.mark.parametrize(("name", "why"), BROKEN)
def test_a_broken_plugin_is_named_with_why_and_what_is_there_instead(name: str, why: str) -> None:
    with pytest.raises(PluginError) as caught:
        registry.load("notifier", name)
    assert f"the notifier plugin `{name}` is broken" in caught.value.message
    assert why in caught.value.message
    assert "strange-plugins 2.0" in caught.value.where
    assert "log" in caught.value.fix


def test_a_missing_plugin_names_the_nearest() -> None:
    with pytest.raises(PluginError, match="no notifier plugin `lgo`") as caught:
        registry.load("notifier", "lgo")
    assert "did you mean `log`?" in caught.value.fix


def test_a_slot_that_is_not_one_is_refused() -> None:
    with pytest.raises(PluginError, match="no slot `engine`"):
        registry.names("engine")


@pytest.mark.usefixtures("strange")
def test_the_command_lists_the_broken_beside_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["init", str(tmp_path / "fleet")])
    (tmp_path / "fleet" / "config.toml").write_text('[plugins]\nnotifiers = ["log", "raising", "nowhere"]\n')
    capsys.readouterr()
    assert run(["plugins", "--fleet", str(tmp_path / "fleet")]) == 0
    lines = {tuple(line.split()[:2]): line for line in capsys.readouterr().out.splitlines()}
    assert "broken: RuntimeError: no licence" in lines["notifier", "raising"]
    assert " yes " in lines["notifier", "raising"]
    assert " yes " not in lines["notifier", "good"]
    assert "chosen, but not installed" in lines["notifier", "nowhere"]
