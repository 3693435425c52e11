"""The report: a night's events and folders in words, most important first."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.commands.report import lines_of
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.course import Parked
from omni_tui.model.event import Event
from omni_tui.model.task import Status, TaskRef
from omni_tui.model.text import plural
from omni_tui.model.view import FleetView, TaskRow
from omni_tui.policy.night import look_back, needs_thaw
from omni_tui.words import lasting, parked_for

COMMIT = "0123456789abcdef"


def event(time: float, name: str, task: str = "", attempt: int = 0, **data: object) -> Event:
    return Event(time=time, event=name, workspace="app", task=task, attempt=attempt, data=data)


def row(task: str, status: Status, reason: str = "") -> TaskRow:
    return TaskRow(
        ref=TaskRef("app", task), title=f"Title {task}", status=status, path=f"/{task}.md", reason=reason, attempt=2
    )


def view(at: float, *rows: TaskRow, **state: object) -> FleetView:
    return msgspec.structs.replace(FleetView(root="/night", taken_at=at, rows=rows), **state)


EVENTS = [
    event(10.0, "task.claimed", "one"),
    event(11.0, "attempt.started", "one", 1, agent="ada"),
    event(20.0, "attempt.failed", "one", 1, kind="stalled", message="silent"),
    event(21.0, "attempt.started", "one", 2, agent="lin"),
    event(22.0, "attempt.started", "two", 1, agent="ada"),
    event(25.0, "attempt.failed", "two", 1, kind="gate:destruction", message="deleted"),
    event(30.0, "attempt.judged", "one", 2, grade="B", findings=["target_missing"]),
    event(75.0, "task.landed", "one", commit=COMMIT, release="release/omni"),
    event(76.0, "release.not_pushed", reason="it is checked out there"),
    event(77.0, "release.not_pushed", reason="it is checked out there"),
]
ROWS = [
    row("one", Status.DONE),
    row("two", Status.BLOCKED, "Removes `total`.\nAsked for nothing of the kind."),
    row("three", Status.TODO),
    row("four", Status.DOING),
]


def test_a_night_is_put_together_from_events_and_folders() -> None:
    night = look_back(EVENTS, view(100.0, *ROWS), since=0.0)
    [landed] = night.landed
    assert (landed.task, landed.title, landed.commit, landed.release) == (
        "app/one",
        "Title one",
        COMMIT,
        "release/omni",
    )
    assert (landed.agent, landed.attempt, landed.seconds, landed.flags) == ("lin", 2, 65.0, ("target_missing",))
    [blocked] = night.blocked
    assert (blocked.task, blocked.attempts) == ("app/two", 2)
    assert (night.running, night.waiting, night.attempts) == (1, 1, 3)
    assert night.failures == {"stalled": 1, "gate:destruction": 1}
    assert night.troubles == ("the release branch of app was not pushed: it is checked out there",)


def test_a_landing_whose_beginning_is_out_of_sight_has_no_duration() -> None:
    [landed] = look_back(EVENTS[7:8], view(100.0, *ROWS), since=70.0).landed
    assert (landed.seconds, landed.agent, landed.attempt) == (0.0, "", 2)


def test_the_words_name_what_landed_what_is_blocked_and_what_to_do() -> None:
    text = "\n".join(lines_of(look_back(EVENTS, view(100.0, *ROWS), since=0.0)))
    assert "1 landed, 1 blocked, 1 running, 1 waiting, 3 attempts" in text
    assert f"{COMMIT[:12]} on release/omni by lin, attempt 2, in 1m 05s" in text
    assert "Asked for nothing of the kind." in text
    assert "omni-tui redispatch app/two" in text
    assert text.index("LANDED") < text.index("BLOCKED") < text.index("failed on the way") < text.index("Worth knowing")


def test_a_trouble_is_told_in_a_line_until_it_is_over() -> None:
    events = [
        event(1.0, "config.refused", file="config.toml", error="line 1: wrong\nline 2: wrong, too"),
        event(2.0, "release.not_pushed", reason="no network"),
        event(3.0, "release.pushed"),
    ]
    assert look_back(events, view(9.0), since=0.0).troubles == (
        "config.toml was not taken over: line 1: wrong line 2: wrong, too",
    )
    mended = [*events, event(4.0, "config.taken", file="config.toml")]
    assert look_back(mended, view(9.0), since=0.0).troubles == ()


def test_a_short_disk_holds_the_fleet_until_there_is_room_or_another_core_finds_some() -> None:
    low = event(1.0, "disk.low", reason="the disk has 0.10 GB free")
    assert "HELD     the disk has 0.10 GB free" in lines_of(look_back([low], view(9.0), since=0.0))
    for over in ("disk.enough", "core.started"):
        assert look_back([low, event(2.0, over)], view(9.0), since=0.0).short == ""


def test_whether_a_blocked_task_left_work_is_known_where_all_its_attempts_are() -> None:
    def blocked(*works: dict[str, object]) -> bool:
        row = TaskRow(ref=TaskRef("app", "1"), title="t", status=Status.BLOCKED, path="/1.md", attempt=2)
        failed = [event(1.0, "attempt.failed", "1", number, **work) for number, work in enumerate(works, 1)]
        return look_back(failed, view(9.0, row), since=0.0).blocked[0].left_nothing

    assert blocked({"work": ""}, {"work": ""})
    assert not blocked({"work": ""}, {"work": "0123"})
    assert not blocked({"work": ""}), "the other is out of sight"
    assert not blocked({}, {}), "told by an older version"


def test_a_file_that_never_was_a_task_has_no_change_to_look_at() -> None:
    refused = TaskRow(
        ref=TaskRef("app", "bad"), title="bad.md", status=Status.BLOCKED, path="/bad.md", reason="no TOML"
    )
    text = "\n".join(lines_of(look_back([], view(9.0, refused), since=0.0)))
    assert "look: omni-tui show app/bad\n" in text
    assert "omni-tui diff" not in text


def test_a_quiet_night_is_one_line() -> None:
    assert len(lines_of(look_back([], view(100.0), since=0.0))) == 1


def test_durations_and_counts_in_words() -> None:
    assert [lasting(seconds) for seconds in (-1, 12.4, 60, 3599, 3900, 90000)] == [
        "0s",
        "12s",
        "1m 00s",
        "59m 59s",
        "1h 05m",
        "1d 01h",
    ]
    assert (plural(1, "task"), plural(2, "task")) == ("1 task", "2 tasks")


def test_what_holds_the_fleet_is_told_first_with_what_ends_it() -> None:
    parked = {"claude": Parked(reason="its usage limit is reached", at=0.0, until=100.0 + 4321)}
    held = view(100.0, *ROWS, stopped="8 attempts failed", parked=parked, pauses=("app: test_total failed in 1, 2",))
    lines = lines_of(look_back(EVENTS, held, since=0.0))
    assert lines[2:6] == [
        "STOPPED  8 attempts failed",
        "HELD     claude parked 1h 13m: its usage limit is reached",
        "HELD     app: test_total failed in 1, 2",
        "         then: omni-tui thaw",
    ]


def test_what_held_it_on_the_way_is_told_once_and_not_again_where_it_still_holds() -> None:
    events = [
        event(1.0, "provider.parked", provider="claude", reason="its usage limit is reached", until=9.0),
        event(2.0, "provider.parked", provider="claude", reason="its usage limit is reached", until=9.0, row=2),
        event(3.0, "cause.found", sign="test_total", tasks=["1", "2"]),
        event(4.0, "workspace.broken", reason="its check fails"),
        event(5.0, "base.moved", reason="main has moved"),
        event(6.0, "fleet.stopped", reason="8 attempts failed"),
    ]
    told = (
        "claude was parked: its usage limit is reached",
        "app: test_total failed in 1, 2",
        "app: its check fails",
        "main has moved",
        "the run was stopped: 8 attempts failed",
    )
    assert look_back(events, view(9.0), since=0.0).troubles == told
    paused = view(9.0, pauses=("app: test_total, missing total failed in 1, 2",), stopped="main has moved")
    assert look_back(events, paused, since=0.0).troubles == (told[0], told[2], told[4])
    held = view(
        9.0,
        stopped="8 attempts failed",
        parked={"claude": Parked(reason="its usage limit is reached", at=0.0)},
        pauses=(told[1], told[2]),
    )
    assert look_back(events, held, since=0.0).troubles == ("main has moved",)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, False),
        ({"stopped": "so"}, True),
        ({"brakes": Brakes(freezes=(Freeze(),))}, True),
        ({"pauses": ("so",)}, True),
        ({"parked": {"claude": Parked(reason="no login", at=0.0)}}, True),
        ({"parked": {"claude": Parked(reason="its limit", at=0.0, until=5.0)}}, False),
    ],
)
def test_what_only_a_person_ends_needs_a_thaw(state: dict[str, object], expected: bool) -> None:
    assert needs_thaw(view(1.0, **state)) is expected


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, "claude parked: so"),
        (99.0, "claude parked: so; one attempt tries whether it serves again"),
        (101.0, "claude parked 1m: so"),
        (100.0 + 3600, "claude parked 1h 00m: so"),
    ],
)
def test_a_parked_provider_is_told_with_the_time_that_is_left(until: float | None, expected: str) -> None:
    assert parked_for("claude", Parked(reason="so", at=0.0, until=until), 100.0) == expected
