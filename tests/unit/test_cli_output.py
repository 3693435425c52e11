"""What every command prints: one JSON object whatever happens, plain words elsewhere, nothing that moves a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from omni_tui.cli import run
from omni_tui.commands import output
from omni_tui.commands.output import Answer, print_answer
from omni_tui.errors import OmniError


def only_object(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one JSON object that stdout holds."""
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0])
    assert isinstance(found, dict)
    return found


FAULTY = [
    (["lits", "--json"], "", "no command `lits`; did you mean `list`?", 2),
    (["list", "--json", "--nonsense"], "list", "nonsense", 2),
    (["list", "--json", "--status", "odd"], "list", "odd", 2),
    (["show", "--json"], "show", "TASK", 2),
    (["--json", "--until", "25:00", "--headless"], "", "25:00", 2),
    (["--json", "--for", "8", "--headless"], "", "8h", 2),
    (["--json", "--for", "0m", "--headless"], "", "0m", 2),
    (["--json", "--slots", "0"], "", "0", 2),
    (["workspace", "add", "--json"], "workspace add", "NAME", 2),
    (["--json", "workspace"], "workspace", "workspace is not a whole command", 2),
    (["completion", "tcsh", "--json"], "completion", "tcsh", 2),
    (["list", "--json", "--fleet", "/nonexistent"], "list", "is no fleet", 2),
    (["--headless", "--json", "--fleet", "/nonexistent"], "headless", "is no fleet", 2),
]


@pytest.mark.parametrize(("words", "command", "message", "status"), FAULTY)
def test_every_error_is_one_object(
    words: list[str], command: str, message: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == status
    found = only_object(capsys)
    assert found["ok"] is False
    assert found["command"] == command
    assert message in found["error"]["message"]
    assert found["error"]["code"] in {"usage", "no_fleet"}
    assert found["error"]["fix"]
    assert set(found) == {"ok", "command", "error"}


def test_an_error_for_a_person_goes_to_stderr_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "--fleet", "/nonexistent"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "omni-tui: --fleet: /nonexistent is no fleet\n  make one: omni-tui init /nonexistent\n"


def test_the_word_json_after_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "--fleet", "/nonexistent", "--", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_an_answer_with_a_fault_tells_both(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer({"path": Path("/x")}, "shown", OmniError("broken", fix="mend it"))
    assert print_answer(answer, "doctor", as_json=True) == 1
    found = only_object(capsys)
    assert found["ok"] is False
    assert found["result"] == {"path": "/x"}
    assert found["error"] == {"code": "error", "message": "broken", "fix": "mend it"}
    assert print_answer(answer, "doctor", as_json=False) == 1
    assert capsys.readouterr().out == "shown\n"


def test_what_others_wrote_cannot_move_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(Answer(shown="title \x1b]52;c;aGk=\x07\x1b[2J\u202e[bold]end[/]"), "list", as_json=False)
    assert capsys.readouterr().out == "title [bold]end[/]\n"


def test_a_table_in_a_pipe_is_plain_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("task", "title", box=None, pad_edge=False)
    table.add_row("app/0001", "x" * 150)
    print_answer(Answer(shown=table), "list", as_json=False)
    printed = capsys.readouterr().out
    assert "x" * 150 in printed
    assert "\x1b" not in printed
    assert all(line == line.rstrip() for line in printed.splitlines())


def test_options_of_the_cockpit_do_not_stand_with_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--headless", "plugins"]) == 2
    assert "stand with a command" in capsys.readouterr().err


def test_conditions_of_the_headless_core_need_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "fleet")]) == 0
    assert run(["--fleet", str(tmp_path / "fleet"), "--until-idle"]) == 2
    assert "add --headless" in capsys.readouterr().err


def test_progress_on_a_terminal_shows_what_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "pack").write_bytes(b"x" * 1500)
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80)
    monkeypatch.setattr(output, "_console", lambda *, stderr: console)
    with output.progress("copying", growing=tmp_path):
        pass
    assert "copying: 1.5 kB" in shown.getvalue()


def test_progress_elsewhere_is_one_plain_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("copying", growing=tmp_path):
        pass
    assert capsys.readouterr().err == "copying ...\n"


def test_the_help_of_a_completion_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "\n  fish: omni-tui completion fish >" in printed
    assert "\\b" not in printed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_names_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert "omni-tui" in printed
    assert "_OMNI_TUI_COMPLETE" in printed
