"""The columns fit any width exactly, and the reason is never hidden."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from omni_tui.cockpit.look import ASKING, BLOCKED, LANDED, LIMITED, RUNNING, WAITING, evidence
from omni_tui.cockpit.text import age, fit, steady
from omni_tui.cockpit.widgets.columns import GAP, Extent, cell, measure, plan
from omni_tui.model.attempt import AttemptStatus, Phase
from omni_tui.model.signal import Health
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.view import TaskRow

REASON = "2 of 311 tests fail on the merged tree"


def a_row(title: str = "Do it", reason: str = "", status: Status = Status.BLOCKED, name: str = "t-1") -> TaskRow:
    return TaskRow(ref=TaskRef("shop", name), title=title, status=status, path="", reason=reason, agent="ada")


@given(st.integers(60, 300), st.text(max_size=200), st.text(max_size=200), st.sampled_from(Status))
@settings(deadline=None)
def test_every_cell_is_as_wide_as_its_column_whatever_it_holds(
    width: int, title: str, reason: str, status: Status
) -> None:
    row = a_row(title, reason, status)
    columns = plan(width, measure([row]))

    for column in columns:
        assert sum(cell_len(text) for text, _ in cell(column, row, 0.0)) == column.width
    assert columns[-1].x + columns[-1].width <= width


@pytest.mark.parametrize("width", [60, 79, 80, 99, 100, 130, 160, 200])
def test_a_long_title_leaves_room_for_the_reason(width: int) -> None:
    row = a_row(title="word " * 60, reason=REASON)
    columns = plan(width, Extent(id=8, workspace=6, agent=5))

    line = " ".join("".join(text for text, _ in cell(column, row, 0.0)) for column in columns)

    assert REASON[:6] in line


def test_columns_do_not_overlap() -> None:
    for width in range(60, 260):
        columns = plan(width, Extent(id=40, workspace=20, agent=30))
        assert all(left.x + left.width + GAP == right.x for left, right in pairwise(columns))


def test_glyphs_are_one_cell_wide_also_in_east_asian_locales() -> None:
    looks = (ASKING, BLOCKED, LANDED, LIMITED, RUNNING, WAITING)
    for look in looks:
        assert unicodedata.east_asian_width(look.glyph) in {"N", "Na"}, look
    assert len({look.glyph for look in looks}) == len({look.word for look in looks}) == len(looks)


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert fit("検索結果", 5) == "検索…"
    assert fit("検索結果", 4) == "検… "
    assert fit("検索", 4) == "検索"
    assert fit("abc", 0) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 x", "\U0001f468\U0001f469\U0001f467 x"),
        ("\u2764\ufe0f x", "\u2764 x"),
        ("\U0001f44d\U0001f3fd x", "\U0001f44d x"),
        ("検索\n x", "検索 x"),
    ],
    ids=["joined", "variation", "skin", "wide"],
)
def test_signs_that_terminals_count_differently_are_taken_apart(text: str, shown: str) -> None:
    assert steady(text) == shown
    assert cell_len(shown) == sum(map(cell_len, shown))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_400, "1d"), (1e9, "999d")],
)
def test_ages_take_four_letters(seconds: float, said: str) -> None:
    assert age(seconds) == said
    assert len(said) <= 4


def test_the_state_of_a_running_task_tells_whether_its_agent_asks() -> None:
    run = AttemptStatus(task="t-1", workspace="shop", attempt=1, phase=Phase.WATCH, health=Health.WAITING, detail="rm?")
    row = TaskRow(ref=TaskRef("shop", "t-1"), title="x", status=Status.DOING, path="", run=run)

    pieces = [text for column in plan(120, measure([row])) for text, _ in cell(column, row, 0.0)]

    assert any(text.startswith("? asking") for text in pieces)
    assert any("rm?" in text for text in pieces)


@pytest.mark.parametrize(
    ("phase", "source", "seconds", "said"),
    [
        (Phase.WATCH, "hook", 3, "hook 3s ago · sure"),
        (Phase.WATCH, "transcript", 90, "transcript 1m ago · likely"),
        (Phase.WATCH, "processes", 5, "processes 5s ago · guess"),
        (Phase.CONFIRM, "start", 5, "start 5s ago · guess"),
        (Phase.WATCH, "hook", 400, "hook 6m ago · likely"),
        (Phase.CHECK, "hook", 3, ""),
        (Phase.WATCH, "", 3, ""),
    ],
)
def test_what_a_state_is_known_by(phase: Phase, source: str, seconds: float, said: str) -> None:
    run = AttemptStatus(
        task="t-1", workspace="w", attempt=1, phase=phase, health=Health.TOOL, source=source, signal_at=1000.0 - seconds
    )
    row = msgspec.structs.replace(a_row(status=Status.DOING), run=run)
    assert evidence(row, 1000.0) == said
    assert evidence(msgspec.structs.replace(row, status=Status.BLOCKED), 1000.0) == ""
