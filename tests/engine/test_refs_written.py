"""Every git command of a whole delivery: which refs it writes, and with whose configuration it runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_tui.model.refs import OURS, refusal
from omni_tui.plugins import gitcmd
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.running import until_idle

STRAYS = (
    AGENT
    + """
say accepted
git checkout -q -b mine
echo x > "$OMNI_TASK.txt"
commit "do it elsewhere"
git branch -f main
git tag v1
echo unfinished > left.txt
say finished
"""
)
WRITES_REFS = {"update-ref", "push"}
RELEASE = "refs/heads/release/omni"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the words of every git process that is started."""
    seen: list[list[str]] = []
    start = gitcmd._start

    def recorded(command: list[str], environment: dict[str, str], *, feed: bool) -> subprocess.Popen[bytes]:
        seen.append(command[command.index("git") :])
        talks_to_origin = {"push", "ls-files", "ls-remote", "fetch"} & set(command)
        assert environment.get("GIT_CONFIG_GLOBAL") == "/dev/null" or talks_to_origin
        assert "core.hooksPath=/dev/null" in command
        return start(command, environment, feed=feed)

    monkeypatch.setattr(gitcmd, "_start", recorded)
    return seen


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Record every line that a git process is fed."""
    seen: list[bytes] = []
    converse = gitcmd._converse

    def recorded(process: subprocess.Popen[bytes], stdin: bytes | None, limit: int | None) -> tuple[bytes, bytes, bool]:
        seen.extend((stdin or b"").splitlines())
        return converse(process, stdin, limit)

    monkeypatch.setattr(gitcmd, "_converse", recorded)
    return seen


def arguments(command: list[str]) -> list[str]:
    """Return a git command's own words, without the settings before it."""
    words = command[1:]
    while words[0] == "-c":
        words = words[2:]
    return words


def written(commands: list[list[str]], fed: list[bytes]) -> Iterator[str]:
    """Give the full name of each ref that the commands write; `update-ref` is fed them, a line each."""
    yield from (line.decode().split()[1] for line in fed if line.startswith(b"update "))
    for words in map(arguments, commands):
        if words[0] == "push":
            yield words[-1].partition(":")[2]


def refs(where: Path) -> dict[str, str]:
    lines = git(where, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
async def test_only_refs_of_ours_are_written(
    tmp_path: Path, commands: list[list[str]], fed: list[bytes], workspace: str
) -> None:
    fleet: TestFleet = await make_fleet(
        tmp_path, settings=QUICK.replace("0.05", "1"), workspace=f'workspace = "{workspace}"\n'
    )
    fleet.agent(STRAYS if workspace == "clone" else GOOD)
    fleet.add("One")
    fleet.add("Two")
    made, theirs = refs(fleet.paths.repo), refs(fleet.origin)
    del commands[:], fed[:]
    await until_idle(fleet)
    names = set(written(commands, fed))
    assert {RELEASE, gitcmd.FENCE} <= names
    assert sum(arguments(command)[:3] == ["update-ref", "--no-deref", "--stdin"] for command in commands) >= 5
    assert [name for name in names if refusal(name, release="release/omni", protected=frozenset({"main"}))] == []
    others = {arguments(command)[0] for command in commands} - WRITES_REFS
    assert {"merge-tree", "commit-tree"} <= others
    for command in commands:  # what is not a write passes the list of commands that leave refs alone
        words = arguments(command)
        assert words[0] in WRITES_REFS or gitcmd._leaves_refs_alone(tuple(words)), words
    if workspace == "clone":  # in linked worktrees an agent's own hands reach the repository's refs
        now = refs(fleet.paths.repo)
        assert now.items() >= made.items()
        assert {name for name in now.keys() - made.keys() if not name.startswith(OURS)} == {RELEASE}
    assert refs(fleet.origin).items() - theirs.items() == {(RELEASE, refs(fleet.paths.repo)[RELEASE])}
