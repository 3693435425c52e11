"""`flags.toml`: read with every mistake named, changed without losing a word of what a person wrote."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_tui.config import load_flags
from omni_tui.errors import ConfigError, OmniError, UsageError
from omni_tui.flags import set_flag
from omni_tui.model.flag import FLAG_NAME, Flag

AT = 1_795_000_000.7
THEN = datetime.fromtimestamp(1_795_000_000, UTC)
BY_HAND = """\
# ours
[snapshot_read]   # the new reader
  state = 'off'   # until the index is built
since = 2026-11-01T10:00:00Z # a Sunday

["check.out"]
by = "ada"
state = "10%"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flags.toml"


def test_no_file_is_no_flag(path: Path) -> None:
    assert load_flags(path) == {}


def test_what_a_person_wrote_is_read(path: Path) -> None:
    path.write_text(BY_HAND)
    assert load_flags(path) == {
        "snapshot_read": Flag(state="off", since=datetime(2026, 11, 1, 10, tzinfo=UTC)),
        "check.out": Flag(state="10%", by="ada"),
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("[a]\nstate = true\n", 2, "`a.state` is true; it must be a text", id="no text"),
        pytest.param('[a]\nstate = "very on"\n', 2, "`a.state`", id="two words"),
        pytest.param('[a]\nstate = "on"\nsice = 2026-01-01\n', 3, "the nearest is `a.since`", id="unknown key"),
        pytest.param('[a]\nstate = "on"\nsince = "today"\n', 3, "a date and time like 2026", id="no date"),
        pytest.param('[a]\nby = "x"\n', 1, "`a.state` is missing", id="no state"),
        pytest.param('\na = "on"\n', 2, "written as [a] with `state` below it", id="no table"),
        pytest.param('["a b"]\nstate = "on"\n', 1, "cannot name a flag", id="no name"),
        pytest.param("[a\n", 1, "not TOML", id="no TOML"),
        pytest.param('[a]\nstate = "on"\n[a]\n', 3, "not TOML", id="twice"),
        pytest.param('[a]\nstate = "on"\nby = "k\u202eari"\n', 3, "cannot be seen", id="hidden"),
    ],
)
def test_mistake_is_named_with_file_and_line_and_changes_nothing(path: Path, text: str, line: int, words: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_flags(path)
    assert caught.value.where == f"{path}:{line}"
    assert words in caught.value.message
    with pytest.raises(ConfigError):
        set_flag(path, "other", "on", None, AT)
    assert path.read_text() == text


def test_a_first_flag_makes_the_file(path: Path) -> None:
    assert set_flag(path, "fresh", "off", "kari", AT) == Flag(state="off", by="kari", since=THEN)
    assert load_flags(path) == {"fresh": Flag(state="off", by="kari", since=THEN)}
    assert path.read_text().startswith("# Feature flags of this project")


def test_only_the_lines_that_differ_are_changed(path: Path) -> None:
    path.write_text(BY_HAND)
    set_flag(path, "snapshot_read", "on", "kari", AT)
    assert path.read_text() == (
        BY_HAND.replace("'off'", '"on"')
        .replace("index is built\n", 'index is built\n  by = "kari"\n')
        .replace("2026-11-01T10:00:00Z", str(THEN))
    )
    assert load_flags(path)["snapshot_read"] == Flag(state="on", by="kari", since=THEN)


def test_the_same_state_again_keeps_its_time_and_the_file(path: Path) -> None:
    path.write_text(BY_HAND)
    before = path.stat().st_mtime_ns
    set_flag(path, "check.out", "10%", None, AT)
    assert (path.read_text(), path.stat().st_mtime_ns) == (BY_HAND, before)
    assert set_flag(path, "check.out", "10%", "bo", AT) == Flag(state="10%", by="bo")


def test_who_flips_it_can_be_taken_back(path: Path) -> None:
    path.write_text(BY_HAND)
    set_flag(path, "check.out", "10%", "", AT)
    assert load_flags(path)["check.out"] == Flag(state="10%")


@pytest.mark.parametrize("text", ['a = {state = "off"}\n', 'a.state = "off"\na.by = "x"\n', '[a]\n"state" = "off"\n'])
def test_what_only_a_person_can_change_is_left_and_said(path: Path, text: str) -> None:
    path.write_text(text)
    assert load_flags(path)["a"].state == "off"
    with pytest.raises(ConfigError, match="only a person can change") as caught:
        set_flag(path, "a", "on", None, AT)
    assert path.read_text() == text
    assert "[a]" in caught.value.fix


@pytest.mark.parametrize(("name", "state"), [("a b", "on"), ("", "on"), ("../x", "on"), ("a", ""), ("a", "on off")])
def test_what_can_be_no_flag_is_refused(path: Path, name: str, state: str) -> None:
    with pytest.raises(UsageError):
        set_flag(path, name, state, None, AT)
    assert not path.exists()


@pytest.mark.parametrize("by", ["a\x01", "a\nb", "\u202ea"])
def test_who_flips_it_is_a_name_that_can_be_seen(path: Path, by: str) -> None:
    with pytest.raises(UsageError, match="cannot say who flips it"):
        set_flag(path, "new", "on", by, AT)
    assert not path.exists()


def test_changes_at_once_lose_none(path: Path) -> None:
    workers = [threading.Thread(target=set_flag, args=(path, f"f{number}", "on", None, AT)) for number in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(load_flags(path)) == 12


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.from_regex(FLAG_NAME, fullmatch=True),
            st.sampled_from(["on", "off", "10%"]),
            st.one_of(st.none(), st.text(max_size=20)),
        ),
        max_size=8,
    )
)
def test_any_changes_read_back_as_made(tmp_path: Path, changes: list[tuple[str, str, str | None]]) -> None:
    path = tmp_path / "any.toml"
    path.unlink(missing_ok=True)
    expected: dict[str, Flag] = {}
    for name, state, by in changes:
        try:
            expected[name] = set_flag(path, name, state, by, AT)
        except OmniError:  # a name of somebody that holds what cannot be seen
            assert by is not None
        assert (load_flags(path) if path.exists() else {}) == expected
