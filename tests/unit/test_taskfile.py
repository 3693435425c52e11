"""The task file: what is read, what is refused and where, and that nothing is lost on the way."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_tui.errors import TaskFileError
from omni_tui.model.task import MAX_TASK_BYTES, Task, is_valid_id
from omni_tui.model.taskfile import file_name, is_task_name, is_temporary, note_name, parse, render, slugify


def read(text: str | bytes, stem: str = "a-task") -> Task:
    data = text.encode() if isinstance(text, str) else text
    return parse(data, workspace="shop", stem=stem, created_at=5.0)


# -- reading -----------------------------------------------------------------------------------------------------------


def test_full_head() -> None:
    task = read(
        "+++\n"
        'id = "ab-1"\n'
        'title = "Add a basket"\n'
        "priority = 3\n"
        'labels = ["ui"]\n'
        'depends_on = ["ab-0", "other/X1"]\n'
        'touches = ["src/*.py"]\n'
        'tests = ["tests/test_basket.py"]\n'
        'locks = ["db-schema", "journal"]\n'
        'requires_flags = ["new"]\n'
        'provides_flags = ["basket"]\n'
        'agent = "ada"\nharness = "claude"\nprovider = "p"\nbudget = 2\nsource = "https://example.org/1"\n'
        'estimate = "2d"\n'
        "+++\n\nMake it so.\n\n    indented\n"
    )
    assert task == Task(
        workspace="shop",
        id="ab-1",
        title="Add a basket",
        body="Make it so.\n\n    indented",
        priority=3,
        labels=("ui",),
        depends_on=("ab-0", "other/x1"),
        touches=("src/*.py",),
        tests=("tests/test_basket.py",),
        locks=("db-schema", "journal"),
        requires_flags=("new",),
        provides_flags=("basket",),
        agent="ada",
        harness="claude",
        provider="p",
        budget=2.0,
        source="https://example.org/1",
        created_at=5.0,
        extra={"estimate": "2d"},
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Mend it\n\nNow.", "Mend it"),
        ("Some words first\n\n## The *real* title ##\n", "The *real* title"),
        ("\n\n  Just a line\nand more", "Just a line"),
        ("+++\npriority = 1\n+++\n# From the text\n", "From the text"),
        ('+++\ntitle = "Of the head"\n+++\n# Of the text\n', "Of the head"),
        ("\ufeff# After a byte order mark", "After a byte order mark"),
        ("# Windows\r\n\r\nlines\r\n", "Windows"),
    ],
)
def test_title(text: str, title: str) -> None:
    assert read(text).title == title


def test_windows_line_ends_in_a_head() -> None:
    task = read('+++\r\ntitle = "T"\r\n+++\r\none\r\ntwo\r\n')
    assert (task.title, task.body) == ("T", "one\ntwo")


def test_a_very_long_first_line_is_cut_in_the_title_only() -> None:
    task = read("word " * 1000)
    assert len(task.title) <= 200
    assert len(task.body) > 4000


@pytest.mark.parametrize(
    ("stem", "task_id"),
    [("0007-fix", "0007-fix"), ("ABC-12", "abc-12"), ("", "")],
)
def test_id_from_the_file_name(stem: str, task_id: str) -> None:
    assert read("x", stem).id == task_id


@given(st.text(min_size=1, max_size=80))
def test_any_file_name_gives_a_valid_and_stable_id(stem: str) -> None:
    task_id = read("x", stem).id
    assert is_valid_id(task_id)
    assert read("y", stem).id == task_id


def test_different_odd_names_give_different_ids() -> None:
    assert read("x", "Fix it!").id != read("x", "Fix it?").id


def test_what_could_steer_a_terminal_is_taken_out() -> None:
    task = read('+++\ntitle = "a\\u001b]52;c;aGk=\\u0007b\\u202ec"\nnote = "\\u009b31m"\n+++\nx\x1b[2Jy\x00\tz\u2066\n')
    assert task.title == "abc"
    assert task.body == "xy\tz"
    assert task.extra == {"note": "31m"}


# -- refusing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("", "line 1", "no title"),
        ("\n \n", "line 1", "no title"),
        ("+++\ntitle = 'x'\n", "line 1", "no end"),
        ("+++\ntitle = 'x'\nx =\n+++\n", "line 3", "TOML"),
        ("+++\ntitle = 'x'\n\nx = [\n+++\n", "line 4", "TOML"),
        ("+++\ntitle = 'x'\ntitle = 'y'\n+++\n", "line 3", "TOML"),
        ("+++\ntitle = 7\n+++\n", "line 2", "`title`"),
        ("+++\ntitle = 'x'\npriority = 'high'\n+++\n", "line 3", "`priority`"),
        ("+++\ntitle = 'x'\npriority = true\n+++\n", "line 3", "`priority`"),
        ("+++\ntitle = 'x'\nlabels = 'ui'\n+++\n", "line 3", "`labels`"),
        ("+++\ntitle = 'x'\nlabels = ['ui', 3]\n+++\n", "line 3", "`labels`"),
        ("+++\ntitle = 'x'\nbudget = -1\n+++\n", "line 3", "`budget`"),
        ("+++\ntitle = 'x'\nbudget = nan\n+++\n", "line 3", "`budget`"),
        ("+++\ntitle = 'x'\nid = '../../etc'\n+++\n", "line 3", "`id`"),
        ("+++\ntitle = 'x'\nid = 'x.lock'\n+++\n", "line 3", "`id`"),
        ("+++\ntitle = 'x'\ndepends_on = ['a/b/c']\n+++\n", "line 3", "`depends_on`"),
        ("+++\ntitle = 'x'\n[touches]\na = 1\n+++\n", "line 3", "`touches`"),
        ("+++\nx = " + "[" * 5000 + "\n+++\n", "line 1", "deep"),
        ("+++\n" + "a." * 3000 + "a = 1\n+++\n", "line 1", "deep"),
        ("+++\npriority = " + "9" * 5000 + "\n+++\n", "line 2", "TOML"),
        (b"# fine\n\nna\xefve", "line 3", "UTF-8"),
    ],
)
def test_refused_with_line_and_reason(text: str | bytes, where: str, said: str) -> None:
    with pytest.raises(TaskFileError) as caught:
        read(text)
    assert caught.value.where == where
    assert said in caught.value.message
    assert caught.value.fix


def test_too_large() -> None:
    assert read(b"x" * MAX_TASK_BYTES).title
    with pytest.raises(TaskFileError, match="too large"):
        read(b"x" * (MAX_TASK_BYTES + 1))


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: f"+++\n{text}\n+++\nbody".encode()))
def test_anything_is_a_task_or_a_task_file_error(data: bytes) -> None:
    try:
        task = read(data)
    except TaskFileError:
        return
    assert task.title
    assert read(render(task)) == task


# -- writing -----------------------------------------------------------------------------------------------------------

words = st.text(string.ascii_letters + string.digits + " äß漢'\"\\+=#[]", min_size=1, max_size=30).map(
    lambda text: " ".join(text.split())
)
full_words = words.filter(bool)
ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
texts = st.lists(full_words, max_size=3).map(tuple)
scalars = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | words
    | st.sampled_from([date(2026, 1, 2), time(3, 4), datetime(2026, 1, 2, 3, 4, tzinfo=UTC)])
)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ids, inner, max_size=3), max_leaves=6
)
bodies = st.lists(words | st.just("+++") | st.just("    code"), max_size=6).map(
    lambda lines: "\n".join(lines).strip("\n")
)
tasks = st.builds(
    Task,
    workspace=st.just("shop"),
    id=ids,
    title=full_words,
    body=bodies,
    priority=st.integers(-1000, 1000),
    labels=texts,
    depends_on=st.lists(ids, max_size=2).map(tuple),
    locks=texts,
    touches=texts,
    tests=texts,
    requires_flags=texts,
    provides_flags=texts,
    agent=st.none() | full_words,
    harness=st.none() | full_words,
    provider=st.none() | full_words,
    budget=st.none() | st.floats(0, 1e6),
    source=st.none() | full_words,
    created_at=st.just(5.0),
    extra=st.dictionaries(ids.map("x-{}".format), nested, max_size=3),
)


@given(tasks)
def test_round_trip(task: Task) -> None:
    assert read(render(task)) == task


def test_only_what_says_something_is_written() -> None:
    assert render(Task(workspace="w", id="1", title="T")) == '+++\nid = "1"\ntitle = "T"\n+++\n'


# -- names -------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=200))
def test_a_slug_is_harmless(text: str) -> None:
    slug = slugify(text)
    assert len(slug) <= 40
    assert set(slug) <= set(string.ascii_lowercase + string.digits + "-")
    assert not slug.startswith("-")
    assert not slug.endswith("-")


def test_file_names() -> None:
    assert file_name(Task(workspace="w", id="0001", title="Add ../../ Ünïcode!")) == "0001-add-unicode.md"
    assert file_name(Task(workspace="w", id="0001", title="漢字")) == "0001.md"
    assert note_name("0001-a.md") == "0001-a.note.md"


@pytest.mark.parametrize(
    "name", [".x.md", "x.md~", ".x.md.swp", "x.tmp", "x.md.part", "#x.md#", "x.note.md", "x.MD.BAK"]
)
def test_temporary_names(name: str) -> None:
    assert is_temporary(name)
    assert not is_task_name(name)


@pytest.mark.parametrize(("name", "task"), [("x.md", True), ("x.txt", False), ("README", False)])
def test_other_names(name: str, task: bool) -> None:
    assert not is_temporary(name)
    assert is_task_name(name) is task
