"""Specs: what is found in tasks as people write them, and, as much, what is not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from omni_tui.model.lint import LintKind, LintLevel, LintSettings
from omni_tui.model.task import Task, TaskRef
from omni_tui.policy.redaction import Leak
from omni_tui.policy.spec import Place, Spec, SpecFinding, Surroundings
from omni_tui.policy.specs import KINDS, lint, refusing, wanted

BACKLOG = {TaskRef("app", name) for name in ("0001", "0002", "0003", "db-schema")} | {TaskRef("web", "0007")}
DEFINITIONS: Mapping[str, Sequence[str]] = {
    "parse_date": ("src/dates.py:12",),
    "run": ("src/cli.py:3", "src/worker.py:80"),
    "Worker": ("src/worker.py:9",),
    "week": ("src/dates.py:40",),
    "main": ("src/cli.py:90",),
    "InvoiceExporter": ("src/export.py:5",),
}


def find_secrets(text: str) -> list[Leak]:
    start = text.find("hunter2hunter2")
    return [Leak("DB_PASSWORD", start, start + 14, held=True)] if start >= 0 else []


AROUND = Surroundings(
    backlog=BACKLOG, flags=("snapshot_read", "search"), definitions=DEFINITIONS, find_secrets=find_secrets
)


def task(title: str, body: str = "", **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="app", id="0009", title=title, body=body, **head)


def look(written: Task) -> list[SpecFinding]:
    return lint(written, AROUND, KINDS)


def kinds(written: Task) -> list[str]:
    return sorted({finding.kind.value for finding in look(written)})


GOOD = {
    "head tells all": task(
        "Add ISO week numbers",
        "Add a function `iso_week(date)` to `src/dates.py`. It returns the ISO 8601 week.",
        touches=("src/dates.py",),
        tests=("tests/test_dates.py::test_iso_week",),
    ),
    "bug report": task(
        "`total()` rounds half cents away",
        "In `src/cart.py` `total()` gives 10.00 for two items of 5.005. It should give 10.01.\n\n"
        "Covered by `tests/test_cart.py::test_total_rounds_half_up`.",
    ),
    "done when": task(
        "Retry uploads that time out",
        "`src/upload.py`: retry a `PUT` that timed out, three times at most, with back-off.\n\n"
        "Done when `pytest tests/test_upload.py` passes, the new `test_retries_three_times` among it.",
    ),
    "checkboxes": task(
        "Sort the customers by name",
        "File: `src/customers.py`\n\n- [ ] sorted by last name, then first name\n"
        "- [ ] `tests/test_customers.py` covers it",
    ),
    "docs": task("Document the retry settings in `docs/settings.md`"),
    "typo": task("Fix typo in README.md"),
    "chore with a label": task("Bump the copyright year in `LICENSE`", labels=("chore",)),
    "adds a parameter to what exists": task(
        "Let `parse_date` take a time zone",
        "Add a `zone` parameter to `parse_date` in `src/dates.py`; without it UTC counts, as now. "
        "`tests/test_dates.py` has to cover both.",
    ),
    "adds a method of a common name to a new class": task(
        "Add a `Ticker`",
        "In `src/ticker.py` create a class `Ticker` and add a method `run()` to it that calls back every second.\n"
        "Acceptance: `tests/test_ticker.py::test_runs` passes.",
    ),
    "adds tests for what exists": task(
        "Test `parse_date` with leap days",
        "Add tests for `parse_date` to `tests/test_dates.py`: 2024-02-29 is parsed, 2023-02-29 raises `ValueError`.",
    ),
    "does not add": task(
        "Keep one parser of dates",
        "`src/feed.py` parses dates by hand. Call `parse_date` there; do not add `parse_date` again.\n"
        "`tests/test_feed.py::test_dates` must pass.",
    ),
    "coverage with an end": task(
        "Increase coverage of `src/money.py` to 90 %",
        "`pytest --cov=src.money` must report at least 90 %. Stop there.",
    ),
    "more tests, named": task(
        "More tests for rounding",
        "Add more tests to `tests/test_money.py`: `test_half_cent`, `test_negative`, `test_zero`. Nothing else.",
    ),
    "two verbs, one job": task(
        "Add `Money.round()` and test it",
        "In `src/money.py`. `tests/test_money.py::test_round` must pass.",
    ),
    "replace and remove the old": task(
        "Replace `urllib` by `httpx` and remove the old helper",
        "In `src/http.py`. `tests/test_http.py` still passes, and `fetch_legacy` is gone.",
    ),
    "find and fix": task(
        "Find and fix the leak of file handles in `src/logs.py`",
        "After `open_all()` of 2000 files `/proc/self/fd` must hold at most 20 more. "
        "`tests/test_logs.py::test_handles`.",
    ),
    "flag declared": task(
        "Read totals from the snapshot",
        "With `snapshot_read` on, `src/totals.py` reads the snapshot; `tests/test_totals.py` covers both states.",
        requires_flags=("snapshot_read=on",),
    ),
    "ships behind a flag of its own": task(
        "Add the new checkout behind a feature flag",
        "Behind the feature flag `new_checkout`, `src/checkout.py` asks for the address first. "
        "`tests/test_checkout.py::test_address_first` passes with it on.",
        provides_flags=("new_checkout",),
    ),
    "depends on what is there": task(
        "Use the new schema",
        "After 0003 has landed, `src/db.py` uses the column `zone`. `tests/test_db.py::test_zone` must pass.",
        depends_on=("0003", "web/0007"),
    ),
    "the word search is no flag": task(
        "Make search ignore case",
        "`src/find.py`: search compares case-folded. The `--verbose` flag stays. "
        "`tests/test_find.py::test_case` passes.",
    ),
    "a command and a number": task(
        "Make login faster", "Users complain. It must take less than 200 ms, `pytest -k login` shows it."
    ),
    "steps of one job with a log in it": task(
        "Crash in `export()` when a customer has no address",
        "```\n# Fix it\nTraceback: more coverage, also fix everything\nKeyError: 'address'\n```\n"
        "`src/export.py`:\n1. skip customers without an address\n2. count them in the summary\n\n"
        "`tests/test_export.py::test_without_address` shows it.",
    ),
    "go": task(
        "Close the body in `client.Get`",
        "client/get.go leaks connections: close the body on every path. `go test ./client -run TestGetCloses` passes.",
    ),
}

BAD = {
    "title alone": (task("Improve the app"), ["endless", "no_acceptance", "no_files", "no_tests"]),
    "no place, no test": (
        task("The invoices look wrong", "Customers say that the invoices look wrong. They should be right."),
        ["no_files", "no_tests"],
    ),
    "no acceptance": (
        task("Work on `src/cart.py`", "The cart needs love.", tests=()),
        ["no_acceptance", "no_tests"],
    ),
    "no tests": (
        task("Round half up in `total()`", "`src/cart.py`: `total()` should round half up."),
        ["no_tests"],
    ),
    "more coverage": (
        task("More test coverage for `src/cart.py`", "The coverage is low."),
        ["endless", "no_acceptance", "no_tests"],
    ),
    "more tests": (
        task("Add more tests", "Write more unit tests for `cart.py`. Run `make test`."),
        ["endless"],
    ),
    "as much as possible": (
        task(
            "Speed up `load()` in `src/db.py`",
            "Make it as fast as possible. `tests/test_db.py` must pass.",
        ),
        ["endless"],
    ),
    "clean up": (
        task("Clean up the code base", "Files: `src/`."),
        ["endless", "no_acceptance", "no_tests"],
    ),
    "fix everything else": (
        task(
            "Fix the total in `src/cart.py`",
            "It should be 10. Fix any other bugs you find there, too. `tests/test_cart.py` passes.",
        ),
        ["endless"],
    ),
    "adds what is there": (
        task(
            "Parse dates",
            "Add a function `parse_date(text)` to `src/dates.py`; `tests/test_dates.py::test_parse` must pass.",
        ),
        ["exists"],
    ),
    "creates a class that is there, no file named": (
        task("Export invoices", "Create a class `InvoiceExporter` that writes CSV. Done when `make check` passes."),
        ["exists"],
    ),
    "adds a short name in the very file": (
        task(
            "Week numbers",
            "Implement `week()` in src/dates.py. It returns the ISO week. Test: `tests/test_dates.py::test_week`.",
        ),
        ["exists"],
    ),
    "two jobs in the title": (
        task(
            "Add CSV export and fix the login timeout",
            "`src/export.py`, `src/login.py`. `tests/test_export.py` and `tests/test_login.py` must pass.",
        ),
        ["several"],
    ),
    "while you are at it": (
        task(
            "Round half up in `total()`",
            "`src/cart.py`, `tests/test_cart.py::test_round` must pass.\n\nWhile you're at it, modernise the imports.",
        ),
        ["several"],
    ),
    "also": (
        task(
            "Round half up in `total()`",
            "`src/cart.py`, `tests/test_cart.py::test_round` must pass. Also add a dark theme to `styles/app.css`.",
        ),
        ["several"],
    ),
    "a heading a job": (
        task(
            "Backlog of the shop",
            "## Add a wish list\n`src/wish.py`, `tests/test_wish.py`\n\n## Fix the stock count\n"
            "`src/stock.py` must not go below 0.",
        ),
        ["several"],
    ),
    "flag assumed": (
        task(
            "Show totals",
            "`src/totals.py` shows the totals of the snapshot (snapshot_read is on by then). `tests/test_totals.py`.\n"
            "It must show 3 columns.",
        ),
        ["flag"],
    ),
    "flag of a common word, named as a flag": (
        task(
            "Show hits",
            "When the flag `search` is on, `src/find.py` must show the hits. `tests/test_find.py::test_hits`.",
        ),
        ["flag"],
    ),
    "behind some flag": (
        task(
            "Ship the new checkout",
            "Behind a feature flag, `src/checkout.py` asks for the address first. `tests/test_checkout.py` must pass.",
        ),
        ["flag"],
    ),
    "unknown flag": (
        task(
            "Read totals",
            "`src/totals.py` must read the snapshot. `tests/test_totals.py`.",
            requires_flags=("snapshot_reed=on",),
        ),
        ["flag"],
    ),
    "key that is nearly one": (
        task(
            "Use the fast reader",
            "`src/db.py` must use it. `tests/test_db.py::test_fast`.",
            extra={"depend_on": ["0001"], "author": "ann", "time": 3},
        ),
        ["key"],
    ),
    "dependency that is not there": (
        task(
            "Use the schema",
            "`src/db.py` must use it. `tests/test_db.py`.",
            depends_on=("0004", "db-shema"),
        ),
        ["dependency"],
    ),
    "dependency only told": (
        task("Use the schema", "Depends on `db-schema`. `src/db.py` must use it. `tests/test_db.py`."),
        ["dependency"],
    ),
    "secret": (
        task("Log in", "`src/login.py` must log in with hunter2hunter2. `tests/test_login.py`."),
        ["secret"],
    ),
}


@pytest.mark.parametrize("written", [pytest.param(written, id=name) for name, written in GOOD.items()])
def test_good_task_is_left_alone(written: Task) -> None:
    assert [f"{finding.kind}: {finding.message}" for finding in look(written)] == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [pytest.param(written, expected, id=name) for name, (written, expected) in BAD.items()],
)
def test_bad_task_is_told_what_is_wrong(written: Task, expected: list[str]) -> None:
    assert kinds(written) == expected
    for finding in look(written):
        assert finding.message
        assert finding.fix
        assert finding.place.key or finding.place.line


def only(written: Task, around: Surroundings = AROUND) -> SpecFinding:
    found = lint(written, around, KINDS)
    assert len(found) == 1, found
    return found[0]


def test_finding_names_the_line_the_thing_and_the_cure() -> None:
    found = only(BAD["also"][0])
    assert found.place == Place(line=1)
    assert "Also add a" in found.message
    assert "make a task of each job" in found.fix
    found = only(task("T", "In `src/a.py`:\n\nit must work, and\nwhile you are at it\ntidy it. `make test` passes."))
    assert found.place == Place(line=4)
    found = only(BAD["adds what is there"][0])
    assert 'says "add" of `parse_date`, which is defined in src/dates.py:12' in found.message
    found = only(BAD["unknown flag"][0])
    assert found.place == Place("requires_flags")
    assert found.fix == "did you mean `snapshot_read`?"
    missing, misspelt = lint(BAD["dependency that is not there"][0], AROUND, KINDS)
    assert missing.message == "depends on app/0004, which is not in the backlog"
    assert misspelt.fix == "did you mean `db-schema`?"


@pytest.mark.parametrize("known", [AROUND.flags, None], ids=["flags known", "flags not known"])
def test_an_entry_that_can_name_no_flag_is_told_once_with_its_cure(known: tuple[str, ...] | None) -> None:
    good = "`src/db.py` must read from it. `tests/test_db.py::test_read` passes."
    written = task("Read from the snapshot", good, requires_flags=("snap shot==on",), stubs_flags=("search",))
    found = only(written, Surroundings(flags=known))
    assert (found.kind, found.place) == (LintKind.FLAG, Place("requires_flags"))
    assert found.message == "requires_flags has `snap shot==on`, which names no flag and its state"
    assert "`name=state`" in found.fix


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "src/../../other", "~/.ssh", " ../x"])
def test_a_path_that_leads_out_of_the_repository_is_told(path: str) -> None:
    body = "It must read from it. `tests/test_db.py::test_read` passes."
    found = only(task("Read from the snapshot", body, touches=("src/db.py", path)))
    assert (found.kind, found.place) == (LintKind.KEY, Place("touches"))
    assert f"`{path.strip()}`, which leads out of the repository" in found.message


@pytest.mark.parametrize("path", ["src/db.py", "./src", "src/../lib", "..x/y", "src/**/x..y.py", "a...b/", "**"])
def test_a_path_within_the_repository_is_left_alone(path: str) -> None:
    body = "It must read from it. `tests/test_db.py::test_read` passes."
    assert look(task("Read from the snapshot", body, touches=(path,))) == []


def test_secret_is_told_without_its_value() -> None:
    found = only(BAD["secret"][0])
    assert "DB_PASSWORD" in found.message
    assert "hunter2" not in f"{found.message}{found.fix}"


def test_nothing_is_said_of_what_nobody_knows() -> None:
    written = task(
        "Use it", "`src/db.py` must use it. `tests/test_db.py`.", depends_on=("0004",), requires_flags=("nowhere",)
    )
    assert lint(written, Surroundings(), KINDS) == []


def test_each_kind_can_be_off_or_refused_alone() -> None:
    everything = [written for written, _ in BAD.values()]
    for kind in LintKind:
        off = wanted(LintSettings(**{kind.value: LintLevel.OFF}))
        assert kind not in off
        assert all(found.kind is not kind for each in everything for found in lint(each, AROUND, off))
        alone = LintSettings(**{each.value: LintLevel.WARN for each in LintKind} | {kind.value: LintLevel.REFUSE})
        assert wanted(alone)[0] is kind
        assert refusing(alone, needs=not KINDS[kind].needs) == []
        refused = refusing(alone, needs=KINDS[kind].needs)
        assert {found.kind for each in everything for found in lint(each, AROUND, refused)} == {kind}


def test_every_kind_is_in_the_table_and_has_a_setting() -> None:
    assert set(KINDS) == set(LintKind)
    assert set(LintSettings.__struct_fields__) == {kind.value for kind in LintKind}


def test_hostile_text_takes_little_time() -> None:
    began = time.process_time()
    for piece in ("add `", "more ", "also ", "depends on ", "```\n", "a/", "- [ ] ", "improve the whole ", "<!--"):
        lint(task(piece * 10, piece * 20_000), AROUND, KINDS)
    assert time.process_time() - began < 20


def test_tests_of_head_come_before_those_of_the_text() -> None:
    text = "See `tests/test_a.py::test_one`, then test_two."
    assert Spec(task("T", text)).tests == ("tests/test_a.py::test_one", "test_two")
    assert Spec(task("T", text, tests=("tests/test_b.py",))).tests == ("tests/test_b.py",)
