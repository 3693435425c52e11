"""`omni-tui simulate`: what it shows, what it returns, whose settings it takes, and how it tells what was violated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omni_tui.cli import run
from omni_tui.engine.landing import Landing
from omni_tui.store.layout import create_fleet


@pytest.fixture(autouse=True)
def outside_a_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OMNI_FLEET", raising=False)


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert run(["simulate", *words]) == status
    return capsys.readouterr().out


def nights(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, object]]:
    answer = json.loads(told(capsys, "--json", *words, status=status))
    assert answer["ok"] is (status == 0)
    found: list[dict[str, object]] = answer["result"]["nights"]
    return found


def test_the_first_night_on_a_screen_of_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "--scenario", "first-night").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == [f"{hour}h" for hour in range(8)]
    dispatcher, *agents = lines[1:5]
    assert dispatcher.startswith("dispatcher ")
    assert dispatcher.count("x") == 1
    assert [line[:7] for line in agents] == ["agent 1", "agent 2", "agent 3"]
    assert all("█" in line for line in agents)
    assert any("░" in line for line in agents)
    text = "\n".join(lines)
    assert "54 of 54 landed, 0 blocked" in text
    assert "Double dispatches  0" in text
    assert "Stalls healed      9 of 9" in text
    assert "idle (0.0%)" in text


def test_the_same_words_show_the_same_night(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--seed", "7", "--hours", "3", "--tasks", "8", "--agents", "2")
    assert told(capsys, *words) == told(capsys, *words)


def test_many_nights_are_a_line_each_and_their_sums(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--seed", "5", "--nights", "3", "--hours", "2", "--tasks", "6", "--agents", "2")
    lines = told(capsys, *words).splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["seed", "5"], ["seed", "6"], ["seed", "7"]]
    assert "After 6 h:" in lines[4]
    assert " of 18 landed" in lines[4]
    found = nights(capsys, *words)
    assert [night["seed"] for night in found] == [5, 6, 7]
    assert all(night["slots"] == 2 for night in found)


def test_only_the_faults_that_are_named_happen(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--nights", "4", "--hours", "4", "--tasks", "12", "--agents", "2")
    some = {kind for night in nights(capsys, *words, "--faults", "crash,stall") for kind in _faults(night)}
    assert some == {"crash", "stall"}
    assert not any(_faults(night) for night in nights(capsys, *words, "--faults", "none"))


def _faults(night: dict[str, object]) -> set[str]:
    faults = night["faults"]
    assert isinstance(faults, dict)
    return set(faults)


def test_attempts_that_a_limit_ended_are_no_silence_about_limits(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--seed", "3", "--hours", "4", "--agents", "8", "--tasks", "40", "--faults", "limit")
    [played] = nights(capsys, *words)
    outcomes = played["outcomes"]
    assert isinstance(outcomes, dict)
    ended = sum(count for kind, count in outcomes.items() if kind.startswith("limited"))
    assert ended > 0
    assert f"{ended} attempt" in next(line for line in told(capsys, *words).splitlines() if "Limits met" in line)


def test_a_fault_that_there_is_not_is_named_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--faults", "crash,fire"]) == 2
    said = capsys.readouterr().err
    assert "no such fault: fire" in said
    assert "usurper" in said


def test_what_goes_wrong_in_the_first_night_is_fixed_but_not_how_many_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--scenario", "first-night", "--faults", "none"]) == 2
    assert "fixed" in capsys.readouterr().err
    (night,) = nights(capsys, "--scenario", "first-night", "--agents", "6")
    assert (night["slots"], night["tasks"], night["doubled"]) == (6, 54, 0)


def test_the_settings_are_those_of_the_fleet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = "[scheduler]\nslots = 3\n[limits]\nwall_minutes = 2\nattempts = 1\n"
    create_fleet(tmp_path / "fleet", config)
    words = ("--fleet", str(tmp_path / "fleet"), "--tasks", "3", "--hours", "1", "--faults", "none")
    (night,) = nights(capsys, *words)
    assert (night["slots"], night["outcomes"]) == (3, {"overtime": 3})
    assert not list((tmp_path / "fleet" / "journal").iterdir())


def test_what_is_violated_is_told_with_the_command_that_shows_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Landing, "has_check", False)
    words = ("--seed", "3", "--hours", "1", "--tasks", "2", "--faults", "none")
    assert run(["simulate", *words]) == 4
    out, err = capsys.readouterr()
    replay = "omni-tui simulate --seed 3 --hours 1 --tasks 2 --faults none"
    assert "landed untested" in out
    assert f"Play it again: {replay}" in out
    assert "seed 3" in err
    assert replay in err
    assert run(replay.split()[1:]) == 4
    capsys.readouterr()
    (night,) = nights(capsys, *words, status=4)
    assert night["violations"]


def test_limits_that_nobody_can_keep_to_stop_the_night_and_break_no_promise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = "[limits]\nhandover_seconds = 5\nstall_minutes = 0.2\ntool_minutes = 0.2\n"
    create_fleet(tmp_path / "fleet", config)
    words = ("--fleet", str(tmp_path / "fleet"), "--hours", "1", "--tasks", "24", "--agents", "8", "--faults", "none")
    (night,) = nights(capsys, *words)
    assert "failed in a row" in str(night["stopped"])
    assert night["violations"] == []
