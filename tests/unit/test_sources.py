"""The sources of a workspace's settings: made as they are written; every mistake is named with its key and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.config import load_workspace
from omni_tui.config_text import render_workspace
from omni_tui.errors import ConfigError
from omni_tui.model.project_settings import RefillSettings
from omni_tui.model.sourced import SourceNote
from omni_tui.plugins import registry
from omni_tui.plugins.source.folder import FolderSource
from omni_tui.plugins.source.protocol import Source
from omni_tui.sources import make_sources
from omni_tui.words import moment, source_said

KINDS = ", ".join(f'"{name}"' for name in registry.names("source"))


def made(directory: Path, text: str) -> list[Source]:
    path = directory / "app" / "workspace.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return make_sources(path, load_workspace(path).sources, {}, lambda: 0.0)


def test_each_table_is_a_source_and_a_relative_path_counts_from_the_workspace(tmp_path: Path) -> None:
    text = (
        'check = "x"\n[[sources]]\nkind = "folder"\npath = "specs"\n[[sources]]\nkind = "folder"\npath = "/srv/more"\n'
    )
    sources = made(tmp_path, text)
    assert [source.identity for source in sources] == [f"folder {tmp_path}/app/specs", "folder /srv/more"]
    assert all(isinstance(source, FolderSource) for source in sources)


def test_without_any_there_is_none_and_the_refill_has_defaults(tmp_path: Path) -> None:
    assert made(tmp_path, "") == []
    assert load_workspace(tmp_path / "app/workspace.toml").refill == RefillSettings()


def test_they_can_be_written_in_one_line(tmp_path: Path) -> None:
    [source] = made(tmp_path, 'sources = [{ kind = "folder", path = "/srv/specs" }]\n')
    assert source.identity == "folder /srv/specs"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param(
            '[[sources]]\npath = "a"\n', 1, f"`sources.kind` is missing; it must be one of {KINDS}", id="no kind"
        ),
        pytest.param(
            '\n[[sources]]\n\nkind = "foldr"\n',
            4,
            f'`sources.kind` is "foldr"; it must be one of {KINDS}',
            id="unknown",
        ),
        pytest.param("[[sources]]\nkind = 3\n", 2, "`sources.kind` is 3; it must be one of", id="no text"),
        pytest.param('[[sources]]\nkind = "folder"\n', 1, "`sources.path` is missing", id="a key is missing"),
        pytest.param(
            '[[sources]]\nkind = "folder"\npath = "a"\n[[sources]]\nkind = "folder"\npath = 7\n',
            6,
            "`sources.path` is 7; it must be a text",
            id="the line of the second",
        ),
        pytest.param(
            '[[sources]]\nkind = "folder"\npath = "a"\npaht = "b"\n',
            4,
            "unknown key `sources.paht`; the nearest is `sources.path`",
            id="a slip",
        ),
        pytest.param('[[sources]]\nkind = "folder"\npath = ""\n', 3, "`sources.path` is", id="empty"),
        pytest.param('[[sources]]\nkind = "folder"\npath = "a\\u202e"\n', 3, "cannot be seen", id="hidden"),
        pytest.param('sources = "specs"\n', 1, "a list of tables, each under [[sources]]", id="no tables"),
        pytest.param('sources = ["specs"]\n', 1, "a list of tables, each under [[sources]]", id="a text"),
        pytest.param("[refill]\nto = 0\n", 2, "`refill.to` is 0; it must be a whole number, 1 to 10,000", id="refill"),
        pytest.param(
            "[refill]\nup_to = 3\n", 2, "unknown key `refill.up_to`; the nearest is `refill.to`", id="refill key"
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, text)
    assert words in caught.value.message
    assert caught.value.where == f"{tmp_path}/app/workspace.toml:{line}"


def test_a_new_workspaces_file_explains_the_refill_and_takes_keys_at_its_end(tmp_path: Path) -> None:
    text = render_workspace({"check": "make test"})
    assert "#[refill]\n" in text
    path = tmp_path / "workspace.toml"
    path.write_text(text + 'setup = "make"\n[refill]\nto = 9\n')
    settings = load_workspace(path)
    assert (settings.check, settings.setup, settings.refill.to) == ("make test", "make", 9)
    path.write_text(render_workspace({"refill": {"to": 4}}))
    assert load_workspace(path).refill == RefillSettings(to=4)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (SourceNote(source="github acme/shop", workspaces=("a", "b")), "a, b from github acme/shop: not asked yet"),
        (
            SourceNote(source="folder /s", workspaces=("a",), said="it offers nothing", at=60.0, waits="it changes"),
            f"a from folder /s: it offers nothing, {moment(60.0)}; asked again once it changes",
        ),
        (
            SourceNote(source="github x", workspaces=("a",), said="1 offer, none to take", at=60.0, next_at=1860.0),
            f"a from github x: 1 offer, none to take, {moment(60.0)}; asked again at {moment(1860.0)}",
        ),
    ],
)
def test_what_a_source_says_in_words(note: SourceNote, words: str) -> None:
    assert source_said(note) == words
