"""What a change takes away without being asked, and what counts as asking."""

from __future__ import annotations

import time

import pytest

from omni_tui.model.change import Change, FileChange
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.task import Task
from omni_tui.policy.destruction import destruction
from omni_tui.policy.intent import Intent


def task(title: str, body: str = "") -> Task:
    return Task(workspace="w", id="t1", title=title, body=body)


@pytest.mark.parametrize(
    ("title", "body", "asked"),
    [
        pytest.param("Add weeks", "", False, id="nothing said"),
        pytest.param("Extend `parse_date`", "", False, id="extend"),
        pytest.param("Add weeks", "Remove `parse_date`.", True, id="remove"),
        pytest.param("Add weeks", "Delete the old parse_date function.", True, id="no backticks"),
        pytest.param("Add weeks", "`parse_date` is to be deleted.", True, id="participle after"),
        pytest.param("Add weeks", "`parse_date` must not be removed.", False, id="negated participle"),
        pytest.param("Add weeks", "Do not remove `parse_date`.", False, id="negated"),
        pytest.param("Add weeks", "Don't drop `parse_date`.", False, id="short negation"),
        pytest.param("Add weeks", "Never delete or rename `parse_date`.", False, id="never"),
        pytest.param("Add weeks", "Keep `parse_date`, remove `old`.", False, id="keep is nearer"),
        pytest.param("Add weeks", "Remove `old` and keep `parse_date`.", False, id="keep comes later"),
        pytest.param("Add weeks", "Remove `old`, `other` and `parse_date`.", True, id="in a row"),
        pytest.param("Add weeks", "Rename `parse_date` to `parse`.", True, id="rename"),
        pytest.param("Add weeks", "Rename `parse` to `parse_date`.", False, id="the new name stays"),
        pytest.param("Add weeks", "Replace `parse_date` with `parse`.", True, id="replace"),
        pytest.param("Add weeks", "Remove spaces in `parse_date`.", False, id="in it, not it"),
        pytest.param("Add weeks", "Remove the default from the function `parse_date`.", False, id="from it, not it"),
        pytest.param("Add weeks", "Remove this.\nThen use `parse_date`.", False, id="another sentence"),
        pytest.param("Add weeks", "Remove these:\n- `old`\n- `parse_date`\n", True, id="a list"),
        pytest.param("Add weeks", "Remove these:\n\n* `old`\n* `parse_date`\n", True, id="a list after a blank line"),
        pytest.param("Add weeks", "- Remove `old`\n- Mend `parse_date`\n", False, id="items of their own"),
        pytest.param("Add weeks", "Extend `delete` and `parse_date`.", False, id="a verb that is a name"),
        pytest.param("Add weeks", "`parse_date` lets users remove entries.", False, id="active verb after"),
        pytest.param("Add weeks", "Get rid of `parse_date`.", True, id="get rid of"),
        pytest.param("Add weeks", "Remove the parse date function.", True, id="its words"),
        pytest.param("Add weeks", "Remove `parse_date_time`.", False, id="a longer name"),
        pytest.param("Remove dead code", "", True, id="about removing"),
        pytest.param("[dates] chore(x): delete the legacy parser", "", True, id="about removing, with prefixes"),
        pytest.param("Remove trailing spaces in slugs", "", False, id="removing something in something"),
        pytest.param("Add a remove command", "", False, id="the verb is not first"),
    ],
)
def test_asking_for_a_definition(title: str, body: str, asked: bool) -> None:
    assert Intent(task(title, body)).asks_for("parse_date") is asked


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        pytest.param("test_parse_date_week", True, id="its test"),
        pytest.param("TestParse", False, id="another test"),
        pytest.param("Dates::parse_date", True, id="qualified"),
        pytest.param("ParseDate", True, id="in humps"),
    ],
)
def test_asking_reaches_further(name: str, asked: bool) -> None:
    body = "Remove `parse_date` and the parse date class."
    assert Intent(task("Clean dates", body)).asks_for(name) is asked


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        pytest.param("Delete `src/old.py`.", True, id="by path"),
        pytest.param("Delete old.py.", True, id="by name"),
        pytest.param("Remove the directory src/.", True, id="by directory"),
        pytest.param("Remove `f` from `src/old.py`.", False, id="from it, not it"),
        pytest.param("Delete `src/old.pyc`.", False, id="a longer name"),
        pytest.param("Extend `src/old.py`.", False, id="extend"),
    ],
)
def test_asking_for_a_file(body: str, asked: bool) -> None:
    assert Intent(task("Tidy", body)).asks_for_file("src/old.py") is asked


def change(path: str, removed: list[str], added: list[str], *, status: str = "M") -> Change:
    lines = [*(f"-{line}" for line in removed), *(f"+{line}" for line in added)]
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1,{len(removed)} +1,{len(added)} @@\n" + "\n".join(lines) + "\n"
    counted = FileChange(path=path, status=status, added=len(added), removed=len(removed))
    return Change(base="b", head="h", commits=1, files=(counted,), patch=patch)


FORTY = [f"line {number}" for number in range(40)]


@pytest.mark.parametrize(
    ("made", "body", "message"),
    [
        pytest.param(
            change("src/dates.py", ["def parse_date():"], ["def week():"]),
            "",
            "`parse_date` was removed from `src/dates.py`; the task does not ask for it. Put it back and only add.",
            id="a definition",
        ),
        pytest.param(
            change("a.py", ["def f():", "def g():"], ["x"]),
            "",
            "`f` and `g` were removed from `a.py`; the task does not ask for it. Put them back and only add.",
            id="two",
        ),
        pytest.param(change("a.py", ["def f():"], ["x"]), "Remove `f`.", None, id="asked for"),
        pytest.param(
            change("a.py", ["def f():"], ["x"], status="D"), "Delete `a.py`.", None, id="its file is asked for"
        ),
        pytest.param(
            change("a.md", ["words"], [], status="D"),
            "",
            "`a.md` was deleted; the task does not ask for it. Put it back.",
            id="a file without definitions",
        ),
        pytest.param(
            change("a.py", ["def f():"], [], status="D"),
            "",
            "`f` was removed from `a.py`; the task does not ask for it. Put it back and only add.",
            id="a file with definitions is said once",
        ),
        pytest.param(
            change("a.md", FORTY, ["x"] * 9),
            "",
            "40 lines were deleted and 9 added; the task does not ask to take that much away. "
            "Put back what it does not name.",
            id="far more deleted",
        ),
        pytest.param(change("a.md", FORTY, ["x"] * 10), "", None, id="not above the ratio"),
        pytest.param(change("a.md", FORTY[:39], []), "", None, id="below the floor"),
        pytest.param(change("a.md", FORTY, []), "Rewrite a.md.", None, id="much deleted, as asked"),
    ],
)
def test_destruction(made: Change, body: str, message: str | None) -> None:
    found = [finding.message for finding in destruction(task("Add weeks", body), made, GateSettings())]
    assert found == ([message] if message else [])


def test_a_file_whose_definitions_moved_is_not_destroyed() -> None:
    gone, come = change("a.py", ["def f():"], [], status="D"), change("b.py", [], ["def f():"], status="A")
    both = Change(base="b", head="h", commits=1, files=gone.files + come.files, patch=gone.patch + come.patch)
    assert list(destruction(task("Split a.py"), both, GateSettings())) == []


def test_twenty_thousand_removed_definitions_are_judged_at_once() -> None:
    """The gate runs on the core's loop. Measured: 0.3 s; a look through the whole text for each name took 40 s."""
    made = change("a.py", [f"def f{number}():" for number in range(20_000)], [])
    began = time.process_time()
    found = list(destruction(task("Mend it", "Extend the `a` and remove `b`. " * 500), made, GateSettings()))
    assert time.process_time() - began < 5
    assert "19995 more" in found[0].message
