"""`omni-tui lint`, `flag`, and what `add`, `show`, `why` and `doctor` say of flags and texts; nobody dispatches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from omni_tui.cli import run
from omni_tui.config import load_flags
from omni_tui.plugins.agent.claude import ClaudeAgent
from tests.support.cli import Cli
from tests.support.fleets import make_repository

GOOD = "# Round half up\n\n`total()` in `src/cart.py` must round half up. `tests/test_cart.py::test_round` passes.\n"
BAD = """\
+++
depends_on = ["0009"]
requires_flags = ["fresh"]
+++
# Work on the dates

Create a function `parse_date(text)` in `src/dates.py`.

Write more tests.
"""


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Make a fleet with one workspace, `app`."""
    monkeypatch.setattr(ClaudeAgent, "find", lambda: None)
    origin = make_repository(tmp_path / "origin", {"src/dates.py": "\ndef parse_date(text):\n    return text\n"})
    cli = Cli(tmp_path / "fleet", capsys)
    cli("init", str(cli.fleet))
    cli("workspace", "add", "app", "--repo", str(origin), "--check", "true")
    return cli


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def found(findings: list[dict[str, Any]]) -> dict[str, int]:
    return {finding["kind"]: finding["line"] for finding in findings}


BAD_LINES = {"no_tests": 5, "no_acceptance": 5, "endless": 9, "exists": 7, "flag": 3, "dependency": 2}


def test_lint_of_a_file_names_kind_line_and_cure(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path / "bad.md", BAD)
    result = cli.result("lint", file)
    assert result["read"] == 1
    assert found(result["findings"]) == BAD_LINES
    assert {finding["level"] for finding in result["findings"]} == {"warn"}
    words = cli("lint", file)
    assert f'{file}:7: warn exists: says "add" of `parse_date`, which is defined in src/dates.py:2' in words
    assert "did you mean" not in words
    assert "1 task read: 6 findings" in words


def test_lint_ends_well_where_nothing_is_found(cli: Cli, tmp_path: Path) -> None:
    assert "1 task read: nothing found" in cli("lint", "--strict", write(tmp_path / "good.md", GOOD))


def test_strict_makes_a_warning_fail(cli: Cli, tmp_path: Path) -> None:
    assert "6 findings" in cli("lint", "--strict", write(tmp_path / "bad.md", BAD), status=1)


def test_what_is_no_task_is_a_finding_with_its_line(cli: Cli, tmp_path: Path) -> None:
    files = write(tmp_path / "none.md", "+++\ntitle = \n+++\n"), write(tmp_path / "good.md", GOOD)
    result = cli.result("lint", *files, status=1)
    assert result["read"] == 2
    [finding] = result["findings"]
    assert (finding["kind"], finding["level"], finding["line"]) == ("unreadable", "refuse", 2)
    assert "cannot be read" in cli("lint", str(tmp_path / "nowhere.md"), status=2)


def test_a_file_of_the_backlog_that_is_no_task_is_told_of_before_the_night(cli: Cli) -> None:
    wrong = cli.fleet / "workspaces/app/queue/todo/0007.md"
    wrong.write_text('+++\ntitle = "x"\ntouches = "src/dates.py"\n+++\nDo it.\n')
    wrongs = "`touches`: expected a list, got a text"
    result = cli.result("lint", status=1)
    [finding] = result["findings"]
    assert (finding["task"], finding["kind"], finding["line"]) == ("app/0007", "unreadable", 3)
    assert (finding["message"], result["read"]) == (wrongs, 1)
    assert f"{wrong}:3: {wrongs}" in cli("plan").replace("\n    ", " ")
    assert f"{wrong}:3: {wrongs}" in cli("plan", "--json")
    assert wrongs in cli("list")
    why = cli.result("why", "0007")
    assert wrongs in why["message"]
    assert why["remedy"].startswith("by mending the file")


def test_two_files_of_one_id_are_told_of(cli: Cli) -> None:
    todo = cli.fleet / "workspaces/app/queue/todo"
    for name in ("a", "b"):
        (todo / f"{name}.md").write_text(f'+++\nid = "x"\n+++\n{GOOD}')
    result = cli.result("lint", status=1)
    [finding] = result["findings"]
    assert finding["message"] in ("a.md has the id x too", "b.md has the id x too")
    assert result["read"] == 2


def test_files_that_depend_on_each_other_are_read_together(cli: Cli, tmp_path: Path) -> None:
    first = write(tmp_path / "first.md", f'+++\nprovides_flags = ["fresh"]\n+++\n{GOOD}')
    then = write(tmp_path / "then.md", f'+++\ndepends_on = ["first"]\nstubs_flags = ["fresh"]\n+++\n{GOOD}')
    assert cli.result("lint", first, then)["findings"] == []
    assert found(cli.result("lint", then)["findings"]) == {"dependency": 2, "flag": 3}


def test_without_a_fleet_a_file_is_read_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OMNI_FLEET", raising=False)
    assert run(["lint", write(tmp_path / "bad.md", BAD), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert found(result["findings"]) == {"no_tests": 5, "no_acceptance": 5, "endless": 9}
    assert run(["lint", write(tmp_path / "secret.md", f"{GOOD}\nThe key is AKIAIOSFODNN7EXAMPLE.\n")]) == 1
    assert "secret.md:5: refuse secret: holds a secret (AWS Access Key)" in capsys.readouterr().out


def test_a_slip_of_the_pen_in_a_head_is_found_and_said_once(cli: Cli, tmp_path: Path) -> None:
    slip = write(tmp_path / "slip.md", f'+++\nauthor = "ann"\ndepends-on = ["x"]\ntouchs = ["a"]\n+++\n{GOOD}')
    keys = [each for each in cli.result("lint", slip)["findings"] if each["kind"] == "key"]
    assert [(each["line"], each["fix"]) for each in keys] == [
        (3, "did you mean `depends_on`?"),
        (4, "did you mean `touches`?"),
    ]
    more = cli.result("lint", write(tmp_path / "more.md", "# More tests for `src/dates.py`\n"))["findings"]
    assert [each["kind"] for each in more].count("endless") == 1


def test_lint_of_the_backlog_follows_the_settings(cli: Cli, tmp_path: Path) -> None:
    cli("add", "app", write(tmp_path / "bad.md", BAD), write(tmp_path / "good.md", GOOD))
    result = cli.result("lint")
    assert result["read"] == 2
    assert {finding["task"] for finding in result["findings"]} == {"app/0001"}
    assert set(found(result["findings"])) == set(BAD_LINES)
    config = cli.fleet / "config.toml"
    config.write_text(config.read_text().replace("[lint]\n", '[lint]\nendless = "refuse"\nno_tests = "off"\n'))
    result = cli.result("lint", status=1)
    assert [finding["kind"] for finding in result["findings"] if finding["level"] == "refuse"] == ["endless"]
    assert result["findings"][0]["kind"] == "endless"
    assert "no_tests" not in found(result["findings"])
    assert "refused as it is written: line" in cli("why", "0001")


def test_add_and_show_tell_what_is_found(cli: Cli, tmp_path: Path) -> None:
    [added] = cli.result("add", "app", write(tmp_path / "bad.md", BAD))
    assert found(added["remarks"]) == BAD_LINES
    assert added["remarks"][0]["task"] == "app/0001"
    assert "warn exists: line " in cli("show", "0001").replace("warn      ", "warn ")
    assert set(found(cli.result("show", "0001")["remarks"])) == set(BAD_LINES)
    words = cli("add", "app", "--title", "Login", "--touches", "src/login.py")
    assert "    warn no_acceptance: line 1: does not say when it is done" in words


def test_add_works_where_a_file_of_the_fleet_is_wrong(cli: Cli) -> None:
    (cli.fleet / "workspaces/app/flags.toml").write_text("[a\n")
    assert "1 task in app" in cli("add", "app", "--title", "Login")
    assert "app/0001" in cli("show", "0001")
    assert "not TOML" in cli("lint")


def test_flags_are_set_and_listed_with_what_waits_for_them(cli: Cli) -> None:
    assert "no flags" in cli("flag", "list")
    assert cli("flag", "set", "snapshot_read", "off", "--by", "kari") == "app: snapshot_read is off; kari flips it\n"
    cli("add", "app", "--title", "Ship it")
    (first,) = (cli.fleet / "workspaces/app/queue/todo").glob("0001*")
    first.write_text(first.read_text().replace("title", 'provides_flags = ["snapshot_read"]\ntitle'))
    waits = write(cli.fleet / "waits.md", f'+++\nrequires_flags = ["snapshot_read=on", "fresh"]\n+++\n{GOOD}')
    words = cli("add", "app", waits)
    assert (
        "flag_off: line 2: assumes the flag `snapshot_read` to be on; app/0001 ships behind it, and it is off" in words
    )
    rows = cli.result("flag", "list")
    assert [(row["name"], row["state"], row["by"]) for row in rows] == [
        ("snapshot_read", "off", "kari"),
        ("fresh", "", ""),
    ]
    assert (rows[0]["ships"], rows[0]["holds"]) == (
        [{"workspace": "app", "id": "0001"}],
        [{"workspace": "app", "id": "0002"}],
    )
    shown = cli("flag", "list")
    assert "kari" in shown
    assert "not there" in shown
    told = cli("why", "0002")
    assert "kari flips it" in told
    assert "lifted   by `omni-tui flag set snapshot_read on --workspace app`" in told
    assert "ships behind it" in cli("doctor", status=1)
    assert "flag_off" in found(cli.result("lint")["findings"])
    assert cli.result("flag", "set", "snapshot_read", "on")["by"] == "kari"
    cli("flag", "set", "fresh", "on")
    assert "the only slot is taken" in cli("why", "0002")


def test_a_task_that_no_agent_would_take_is_told_of_before_the_night(cli: Cli) -> None:
    agent = cli.fleet / "workspaces/app/agents/worker/agent.toml"
    todo = cli.fleet / "workspaces/app/queue/todo"
    (todo / "0001.md").write_text('+++\nagent = "wrker"\n+++\n# One\n')
    (todo / "0002.md").write_text('+++\nprovider = "worker"\n+++\n# Two\n')
    assert "0001" not in cli("doctor", status=1), "that there is no agent at all is said once"
    agent.parent.mkdir()
    agent.write_text('harness = "command"\ncommand = ["true"]\n')
    checks = {each["name"]: each for each in cli.result("doctor")}
    assert checks["task app/0001"]["detail"] == "there is no agent `wrker`; did you mean `worker`?"
    assert checks["task app/0001"]["grade"] == "warn"
    assert "task app/0002" not in checks


def test_a_wrong_file_of_flags_is_named_and_never_written_over(cli: Cli) -> None:
    file = cli.fleet / "workspaces/app/flags.toml"
    file.write_text('[a]\nstate = "on"\nwho = "x"\n')
    for words, status in ((("flag", "list"), 2), (("flag", "set", "b", "on"), 2), (("doctor",), 1)):
        assert "flags.toml:3" in cli(*words, status=status)
    assert file.read_text() == '[a]\nstate = "on"\nwho = "x"\n'
    (cli.fleet / "workspaces/app/queue/todo/a.md").write_text(f'+++\nrequires_flags = ["a"]\n+++\n{GOOD}')
    listed = cli("flag", "list", status=2)
    assert "unknown" in listed
    assert "not there" not in listed


def test_whose_flag_it_is_has_to_be_clear(cli: Cli, tmp_path: Path) -> None:
    cli("workspace", "add", "web", "--repo", str(tmp_path / "origin"))
    assert "add --workspace; there is: app, web" in cli("flag", "set", "a", "on", status=2)
    cli("flag", "set", "a", "on", "--workspace", "web")
    assert cli("flag", "set", "a", "off") == "web: a is off\n"
    assert load_flags(cli.fleet / "workspaces/web/flags.toml")["a"].state == "off"
    assert [row["workspace"] for row in cli.result("flag", "list", "--workspace", "app")] == []
    assert "cannot be a flag's state" in cli("flag", "set", "a", "on off", status=2)
