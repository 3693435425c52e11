"""A secret that agents get is nowhere else: not in what is kept of their runs, not on the branch, not at the origin."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from omni_tui.model.task import Status
from omni_tui.narration import narrate
from omni_tui.plugins.agent.command import CommandAgent
from omni_tui.plugins.registry import load
from omni_tui.plugins.runtime.protocol import RuntimeSpec
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import Record, until_idle

VARIABLE = "tok/" + "0a1B2c3D4e5F" * 2
IN_FILE = "9f8e7d6c5b4a39281706"
SAYS = (
    AGENT
    + """
say accepted
. ./.env
for secret in "$API_KEY" "$FROM_FILE"; do
    echo "plain $secret"
    printf '%s' "x$secret" | base64
    printf '{"event": "working", "detail": "got %s"}\\n' "$secret" >> "$OMNI_EVENTS"
done
"""
)
LEAKS = SAYS + 'echo "key = $API_KEY" > conf.txt\ncommit "use $API_KEY"\nsay finished\n'
CLEAN = SAYS + 'echo "done" > conf.txt\ncommit "read the key from the environment"\nsay finished\n'


async def fleet_with(directory: Path, script: str, runtime: str = "process", workspace: str = "") -> TestFleet:
    settings = QUICK.replace("0.05", "1") + '[lint]\nsecret = "warn"\n'  # or no agent would get a task that tells one
    fleet = await make_fleet(directory, settings=settings, runtime=runtime, workspace=f'copy = [".env"]\n{workspace}')
    (fleet.origin / ".git/info/exclude").write_text(".env\n")
    (fleet.origin / ".env").write_text(f"FROM_FILE={IN_FILE}\n")
    fleet.agent(script)
    settings_file = fleet.paths.agents / "scripted/agent.toml"
    settings_file.write_text(settings_file.read_text() + 'secrets = ["API_KEY"]\n')
    return fleet


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", VARIABLE)


def forms() -> Iterator[bytes]:
    """Give the secrets as a search would meet them: plain, in URLs, and the inner part of any base64."""
    for secret in (VARIABLE, IN_FILE):
        yield secret.encode()
        yield quote(secret, safe="").encode()
        for before in range(3):
            yield base64.b64encode(b"x" * before + secret.encode())[4:-8]


def kept(fleet: TestFleet) -> Iterator[Path]:
    """Give every file that the fleet wrote, but for checkouts, git's objects and what an agent itself writes."""
    for path in fleet.root.rglob("*"):
        ours = not {"worktrees", "repo.git", "files"} & set(path.relative_to(fleet.root).parts)
        if ours and path.is_file() and path.name != "events.jsonl":
            yield path


def found(fleet: TestFleet, record: Record) -> list[str]:
    """Return where a secret is, of all that was kept, told or pushed."""
    told = "\n".join(f"{narrate(event)}\n{event.data}" for event in record.events).encode()
    pushed = git(fleet.origin, "log", "-p", "--all", "--format=%B").encode()
    landed = git(fleet.paths.repo, "log", "-p", "release/omni", "--format=%B").encode()
    places = {"told": told, "pushed": pushed, "landed": landed}
    places |= {str(path.relative_to(fleet.root)): path.read_bytes() for path in kept(fleet)}
    return [place for place, content in places.items() if any(form in content for form in forms())]


@pytest.mark.parametrize("runtime", ["process", "tmux"])
async def test_a_commit_with_a_secret_is_blocked_and_the_secret_told_nowhere(tmp_path: Path, runtime: str) -> None:
    fleet = await fleet_with(tmp_path, LEAKS, runtime)
    task = fleet.add(f"Use the key {VARIABLE}", body=f"It is {IN_FILE}.")
    fleet.queue.find(task.id)[1].rename(fleet.paths.queue(Status.TODO) / f"{task.id}-plain.md")  # type: ignore[index]
    record = await until_idle(fleet)
    place = fleet.queue.find(task.id)
    assert place is not None
    assert place[0] is Status.BLOCKED
    note = fleet.queue.note(task.id)
    assert "`conf.txt` holds a secret of the fleet's: line 1 (API_KEY)" in note
    place[1].unlink()  # a person's own file, who wrote the secret into it
    assert found(fleet, record) == []
    prompt = (fleet.paths.runs / task.id / "2/prompt.md").read_text()
    assert "`conf.txt` holds a secret" in prompt, "the next attempt is told what to mend"
    assert any("plain ***" in path.read_text() for path in kept(fleet) if path.name == "pane.log")


async def test_a_task_that_tells_no_secret_on_lands_without_one(tmp_path: Path) -> None:
    fleet = await fleet_with(tmp_path, CLEAN)
    task = fleet.add("Read the key")
    record = await until_idle(fleet)
    assert fleet.queue.find(task.id)[0] is Status.DONE  # type: ignore[index]
    assert found(fleet, record) == []


async def test_a_failing_check_tells_no_secret(tmp_path: Path) -> None:
    check = 'check = ". ./.env; echo $FROM_FILE; test ! -e conf.txt"\n'
    fleet = await fleet_with(tmp_path, CLEAN, workspace=check)
    task = fleet.add("Read the key")
    record = await until_idle(fleet)
    assert fleet.queue.find(task.id)[0] is Status.BLOCKED  # type: ignore[index]
    assert "****" in fleet.queue.note(task.id)
    assert found(fleet, record) == []


async def test_a_secret_that_changes_while_we_run_is_known_at_the_next_start(tmp_path: Path) -> None:
    fleet = await fleet_with(tmp_path, SAYS + 'echo "FROM $FROM_FILE"\nsay finished\n')
    fleet.fleet.held  # noqa: B018 -- read before the file changes
    later = "a1s2d3f4g5h6j7k8l9"
    (fleet.origin / ".env").write_text(f"FROM_FILE={later}\n")
    fleet.add("Say it")
    await until_idle(fleet)
    assert not [path for path in kept(fleet) if later.encode() in path.read_bytes()]


async def test_a_login_that_an_agent_has_renewed_is_a_secret_as_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, renewed = "q1w2e3r4t5y6u7i8o9", "z9x8c7v6b5n4m3a2s1"

    def tokens(login_dir: Path, _environment: Mapping[str, str]) -> tuple[str, ...]:
        return tuple((login_dir / "login").read_text().split())

    monkeypatch.setattr(CommandAgent, "tokens", tokens)
    fleet = await make_fleet(tmp_path, settings=QUICK.replace("0.05", "1"))
    login = fleet.root / "logins" / "command" / "login"
    login.parent.mkdir(parents=True)
    login.write_text(before)
    says = f'echo {renewed} > "{login}"\necho "{before} {renewed}" | tee conf.txt\n'
    fleet.agent(AGENT + f"say accepted\n{says}commit login\nsay finished\n")
    task = fleet.add("Log in anew")
    await until_idle(fleet)
    assert "`conf.txt` holds a secret of the fleet's: line 1 (the login of command)" in fleet.queue.note(task.id)
    runs = [path for path in kept(fleet) if path.is_relative_to(fleet.paths.runs) or "journal" in path.parts]
    assert not [path for path in runs if path.read_text().count(before) + path.read_text().count(renewed)]


async def test_what_a_terminal_wrote_is_masked_on_disk_though_it_came_in_two_reads(tmp_path: Path) -> None:
    from omni_tui.plugins.runtime.pty_session import OutputFile

    output = OutputFile(tmp_path, lambda text: text.replace("hunter22", "********"))
    for part in (b"one hun", b"ter22 two", b" three"):
        output.append(part)
    output.close()
    assert (tmp_path / "output").read_bytes() == b"one ******** two three"


def test_every_runtime_takes_what_masks_its_screens(tmp_path: Path) -> None:
    spec = RuntimeSpec(root=tmp_path, redact=lambda text: text.replace("hunter2", "*******"))
    for name in ("tmux", "process"):
        assert load("runtime", name)(spec)._fit_to_show(["a hunter2", "\x1b[31mb\x1b]0;x\x07"]) == (
            "a *******",
            "\x1b[31mb",
        )
