"""Configuration: every mistake is named with its line and what would be right; the shipped file tells the truth."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from omni_tui.config import keys_of, line_of, load_agent, load_settings, load_workspace
from omni_tui.config_text import render_agent, render_defaults, render_workspace
from omni_tui.errors import ConfigError
from omni_tui.model.project_settings import AgentSettings, WorkspaceSettings
from omni_tui.model.settings import Settings
from omni_tui.model.verdict import Severity
from omni_tui.resources import shipped_config


def write(directory: Path, text: str, name: str = "config.toml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_every_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "config.toml") == Settings()


def test_values_are_taken_with_their_types(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[scheduler]\nslots = 4\n[limits]\nstall_minutes = 3\n[gate]\ntoo_large = "flag"\nprotected_paths = ["a"]\n',
    )
    settings = load_settings(path)
    assert settings.scheduler.slots == 4
    assert settings.limits.stall_minutes == 3.0
    assert settings.gate.too_large is Severity.FLAG
    assert settings.gate.protected_paths == ("a",)
    assert settings.check == Settings().check


MISTAKES = [
    ("[scheduler]\n\nslotz = 2\n", 3, "unknown key `scheduler.slotz`; the nearest is `scheduler.slots`"),
    ("[schedulr]\nslots = 2\n", 1, "unknown key `schedulr`; the nearest is `scheduler`"),
    ("[scheduler]\nslots = 0\n", 2, "`scheduler.slots` is 0; it must be a whole number, 1 to 64"),
    ("[scheduler]\nslots = 65\n", 2, "1 to 64"),
    ('[scheduler]\nslots = "two"\n', 2, '`scheduler.slots` is "two"; it must be a whole number, 1 to 64'),
    ("[scheduler]\nslots = true\n", 2, "it must be a whole number"),
    ("[scheduler]\nspares = 1\n", 2, "it must be true or false"),
    ("scheduler = 3\n", 1, "`scheduler` is 3; it must be a table"),
    ("scheduler = { slots = 99 }\n", 1, "1 to 64"),
    ("scheduler.slots = 99\n", 1, "1 to 64"),
    ("[limits]\nstall_minutes = 0\n", 2, "a number, above 0, at most 1,440"),
    ('[gate]\nno_commit = "maybe"\n', 2, 'one of "block", "flag", "off"'),
    ('[gate]\nprotected_paths = "x"\n', 2, "a list of texts"),
    ('[cockpit]\ntheme = "pink"\n', 2, 'one of "dark", "light"'),
    ('[merge]\nauthor = "me"\n', 2, "a text, like"),
    ("[limits]\nwall_minutes = 1979-05-27\n", 2, "it must be a number"),
    ("[scheduler\n", 1, "not TOML"),
    ("[limits]\nattempts = 2\n\n[scheduler]\nattempts = 2\n", 5, "unknown key `scheduler.attempts`"),
]


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert caught.value.where == f"{path}:{line}"
    assert message in caught.value.message
    assert caught.value.fix


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "[scheduler]\nslots = 0\nslotz = 1\n[limits]\nattempts = 0\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert caught.value.where == f"{path}:2"
    first, *others = caught.value.message.splitlines()
    assert "scheduler.slots" in first
    assert [line.split(":")[0] for line in others] == ["line 3", "line 5"]


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"[scheduler]\n# \xff\n")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 14"):
        load_settings(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path)


def test_the_line_of_a_key_is_not_taken_from_another_table() -> None:
    text = "a = 1\n[one]\na = 2\n[two]\n'a' = 3\n[ two . deep ]\na = 4\n"
    assert [line_of(text, path) for path in (("a",), ("one", "a"), ("two", "a"), ("two", "deep", "a"))] == [1, 3, 5, 7]
    assert line_of(text, ("nowhere",)) == 0


def uncommented(text: str) -> str:
    """Take the `#` away from every key, as a person would; prose comments have a space after it."""
    return re.sub(r"(?m)^#(?! )|^#(?=    \S)", "", text)


def test_the_shipped_file_is_generated_from_the_settings() -> None:
    assert shipped_config().read_text(encoding="utf-8") == render_defaults(), "run `make config`"


def test_the_shipped_file_sets_nothing_and_uncommented_gives_the_defaults(tmp_path: Path) -> None:
    text = shipped_config().read_text(encoding="utf-8")
    assert all(value == {} for value in tomllib.loads(text).values())
    path = write(tmp_path, uncommented(text))
    assert load_settings(path) == Settings()
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert {table: list(keys) for table, keys in written.items()} == {
        table: [*keys_of(key.table or Settings)] for table, key in keys_of(Settings).items()
    }


def test_every_key_has_a_meaning_and_every_number_a_range() -> None:
    tables: list[type[Struct]] = [key.table for key in keys_of(Settings).values() if key.table is not None]
    tables += [WorkspaceSettings, AgentSettings]
    for settings in tables:
        for key in keys_of(settings).values():
            assert key.meta.description, f"{settings.__name__}.{key.name} has no description"
            if key.kind in (int, float):
                bounds = (key.meta.ge, key.meta.gt), (key.meta.le, key.meta.lt)
                assert all(any(bound is not None for bound in side) for side in bounds), f"{key.name} has no range"


def test_a_first_workspace_file_reads_back_as_given(tmp_path: Path) -> None:
    given = {"repo": 'C:\\odd "path"', "base": "main", "check": "make test && echo 'ok'", "copy": (".env", "a b")}
    path = write(tmp_path, render_workspace(given), "workspace.toml")
    assert load_workspace(path) == WorkspaceSettings(**given)  # type: ignore[arg-type]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives_a_workspace_file(check: str) -> None:
    data = tomllib.loads(render_workspace({"check": check}))
    assert msgspec.convert(data, WorkspaceSettings).check == check


def test_a_workspace_mistake_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'repo = "x"\nchek = "make"\n', "workspace.toml")
    with pytest.raises(ConfigError, match="the nearest is `check`") as caught:
        load_workspace(path)
    assert caught.value.where == f"{path}:2"


def test_an_agent_is_its_directory(tmp_path: Path) -> None:
    directory = tmp_path / "worker"
    directory.mkdir()
    assert load_agent(directory).harness == "claude"
    given = {"harness": "command", "command": ("prog", "--x"), "env": {"A": "1"}, "secrets": ("KEY",)}
    write(directory, render_agent(given), "agent.toml")
    write(directory, "Read the README first.\n", "INSTRUCTIONS.md")
    agent = load_agent(directory)
    assert (agent.name, agent.harness, agent.command) == ("worker", "command", ("prog", "--x"))
    assert (agent.env, agent.secrets) == ({"A": "1"}, ("KEY",))
    assert agent.instructions == "Read the README first.\n"


def test_a_command_agent_without_a_command_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 'harness = "command"\n', "agent.toml")
    with pytest.raises(ConfigError, match="needs a program"):
        load_agent(tmp_path)


def test_an_agent_gets_every_setting_that_it_can_have(tmp_path: Path) -> None:
    """A key that `agent.toml` takes and `AgentSpec` lacks would be parsed and never acted on."""
    spec = load_agent(tmp_path)
    assert set(keys_of(AgentSettings)) <= set(spec.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("[scheduler]\n[sandbox]\n[scheduler]\nslots = 3\n", "put these keys under the heading that is there already"),
        ("[scheduler]\nslots = \n", "mend the line"),
    ],
)
def test_a_file_that_is_no_toml_says_what_to_do(tmp_path: Path, text: str, fix: str) -> None:
    """Every heading stands in the file that `init` writes: to append one is the first mistake that a person makes."""
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_settings(tmp_path / "config.toml")
    assert refused.value.fix == fix
