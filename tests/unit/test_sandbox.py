"""The words that start a program in the sandbox: what is there, and in which order."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from omni_tui.errors import PluginError
from omni_tui.fleet import Fleet
from omni_tui.model.confinement import Confinement, Passage
from omni_tui.plugins.sandbox import bubblewrap, landlock
from omni_tui.store.layout import create_fleet


def binds(words: tuple[str, ...]) -> dict[str, str]:
    """Return how each path is mounted last."""
    pairs = zip(words, words[1:], words[2:], strict=False)
    return {there: how for how, here, there in pairs if how.endswith("bind-try") and here == there}


def test_the_deeper_path_comes_later_and_counts() -> None:
    reach = Confinement(read=("/f/run", "/f/run/deep/er"), write=("/f/run/deep", "/f"))
    words = bubblewrap.command(reach, ("/bin/sh",), {})
    order = [word for word in words if word.startswith("/f")][::2]
    assert order == ["/f", "/f/run", "/f/run/deep", "/f/run/deep/er"]
    assert binds(words)["/f/run/deep"] == "--bind-try"
    assert binds(words)["/f/run/deep/er"] == "--ro-bind-try"


@pytest.mark.parametrize(("net", "walled"), [(True, False), (False, True)])
def test_network(net: bool, walled: bool) -> None:
    assert ("--unshare-net" in bubblewrap.command(Confinement(net=net), ("/bin/sh",), {})) is walled


def test_tools_beyond_the_system_can_be_read_and_a_home_cannot(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".local/bin", "bin", ".nvm/v20/bin", "project/node_modules/.bin"):
        (home / name).mkdir(parents=True)
    path = ":".join(str(home / name) for name in (".local/bin", "bin", ".nvm/v20/bin", "project/node_modules/.bin"))
    found = binds(
        bubblewrap.command(Confinement(), ("/bin/sh",), {"HOME": str(home), "PATH": f"{path}:/usr/bin:relative"})
    )
    ours = {name.removeprefix(f"{home}/") for name in found if name.startswith(str(home))}
    assert ours == {".local/bin", "bin", ".nvm/v20", "project/node_modules"}
    assert set(found.values()) == {"--ro-bind-try"}
    assert str(Path(sys.prefix)) in found


def test_keys_beside_tools_are_hidden(tmp_path: Path) -> None:
    (tmp_path / "cargo" / "bin").mkdir(parents=True)
    (tmp_path / "cargo" / "credentials.toml").write_text("a key")
    words = bubblewrap.command(Confinement(), ("/bin/sh",), {"PATH": str(tmp_path / "cargo/bin")})
    at = words.index(str(tmp_path / "cargo/credentials.toml"))
    assert words[at - 2 : at] == ("--ro-bind", "/dev/null")
    assert at > words.index(str(tmp_path / "cargo"))


def test_what_a_command_names_can_be_read(tmp_path: Path) -> None:
    program, table = tmp_path / "agent.sh", tmp_path / "table.toml"
    program.touch(mode=0o755)
    table.touch()
    found = binds(bubblewrap.command(Confinement(), (str(program), str(table), "--flag", str(tmp_path)), {}))
    assert {str(program), str(table)} <= found.keys()
    assert str(tmp_path) not in found, "a whole directory is to be named in the settings"


def test_without_a_sandbox_nothing_starts_unless_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "fault", lambda: "it is not here")
    monkeypatch.setattr(landlock, "fault", lambda: "the kernel has none")
    create_fleet(tmp_path, "")
    with pytest.raises(PluginError, match=r"it is not here.*the kernel has none") as refused:
        Fleet(tmp_path).shelter.require()
    assert 'kind = "off"' in refused.value.fix
    (tmp_path / "config.toml").write_text('[sandbox]\nkind = "off"\n')
    Fleet(tmp_path).shelter.require()


def test_nobody_is_told_that_agents_are_kept_to_a_proxy_where_they_are_not(tmp_path: Path) -> None:
    create_fleet(tmp_path, '[sandbox]\nkind = "off"\nnet = "proxy"\n')
    with pytest.raises(PluginError, match="that takes bubblewrap"):
        Fleet(tmp_path).shelter.require()


def test_a_passage_stands_around_the_sandbox_and_its_door_within(tmp_path: Path) -> None:
    words = bubblewrap.command(Confinement(net=False, passage=Passage(hosts=("127.0.0.1:8080",))), ("/bin/sh",), {})
    within = words[words.index("--") + 1 :]
    assert words[3].endswith("proxy/program.py")
    assert words[5] == "bwrap"
    assert "--unshare-net" in words
    assert within[3].endswith("proxy/door.py")
    assert within[4] == "61080,127.0.0.1:8080"
    assert within[5] == "env"
