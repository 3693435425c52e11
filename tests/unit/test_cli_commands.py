"""The commands on a fleet that they have made themselves, with nobody dispatching it."""

from __future__ import annotations

import errno
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from click.shell_completion import ShellComplete

from omni_tui import setup
from omni_tui.cli import omni_tui, run
from omni_tui.commands.workspace import origin_of
from omni_tui.config import load_agent, load_workspace
from omni_tui.model.attempt import AttemptId, AttemptStatus, Phase
from omni_tui.model.course import Parked
from omni_tui.model.event import Event
from omni_tui.model.signal import Health
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, TaskRef
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.runtime.tmux import TmuxRuntime
from omni_tui.resources import shipped_config
from omni_tui.store import layout
from omni_tui.store.files import move
from omni_tui.store.journal import Journal
from omni_tui.store.paths import FleetPaths
from omni_tui.store.state import write_state
from tests.support.cli import Cli
from tests.support.fleets import git, make_repository


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "origin", {"README.md": "# App\n"})


@pytest.fixture
def cli(tmp_path: Path, origin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Make a fleet with one workspace, `app`, where Claude Code is not installed."""
    monkeypatch.setattr(ClaudeAgent, "find", lambda: None)
    cli = Cli(tmp_path / "fleet", capsys)
    cli("init", str(cli.fleet))
    cli("workspace", "add", "app", "--repo", str(origin), "--check", "true")
    return cli


def test_init_makes_a_fleet_with_every_key_explained_and_twice_changes_nothing(cli: Cli) -> None:
    config = cli.fleet / "config.toml"
    assert config.read_bytes() == shipped_config().read_bytes()
    config.write_text("[scheduler]\nslots = 3\n")
    assert "already" in cli("init", str(cli.fleet))
    assert config.read_text() == "[scheduler]\nslots = 3\n"


def test_no_fleet_is_made_inside_another(cli: Cli) -> None:
    assert "inside the fleet" in cli("init", str(cli.fleet / "workspaces" / "inner"), status=2)
    assert not (cli.fleet / "workspaces" / "inner").exists()


def test_init_leaves_other_directories_alone(cli: Cli, origin: Path) -> None:
    assert "is not empty" in cli("init", str(origin), status=2)
    assert sorted(path.name for path in origin.iterdir()) == [".git", "README.md"]


def test_a_workspace_is_a_bare_copy_with_a_release_branch_and_the_settings_given(cli: Cli, origin: Path) -> None:
    paths = cli.fleet / "workspaces" / "app"
    assert git(paths / "repo.git", "rev-parse", "release/omni") == git(origin, "rev-parse", "main")
    settings = load_workspace(paths / "workspace.toml")
    assert (settings.repo, settings.check, settings.base) == (str(origin), "true", "")
    [row] = cli.result("workspace", "list")
    assert (row["name"], row["base"], row["release"], row["fault"]) == ("app", "main", "release/omni", "")


def test_a_workspace_may_name_its_branches(cli: Cli, origin: Path) -> None:
    git(origin, "branch", "develop")
    cli("workspace", "add", "two", "--repo", str(origin), "--base", "develop", "--release", "release/two")
    assert git(cli.fleet / "workspaces/two/repo.git", "branch", "--list", "release/*", "--format=%(refname:short)") == (
        "release/two"
    )


@pytest.mark.parametrize("words", [("--repo", "/nonexistent"), ("--repo", "{origin}", "--base", "nowhere")])
def test_a_workspace_that_cannot_be_made_leaves_nothing_behind(cli: Cli, origin: Path, words: tuple[str, ...]) -> None:
    filled = [word.format(origin=origin) for word in words]
    said = cli("workspace", "add", "two", *filled, status=1)
    assert "omni-tui: workspace two: " in said
    assert said.splitlines()[-1].startswith("  "), "what to do is said"
    assert [path.name for path in (cli.fleet / "workspaces").iterdir()] == ["app"]


def test_a_workspace_appears_whole_in_one_rename(cli: Cli, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    def watched(source: Path, target: Path) -> None:
        names = FleetPaths(cli.fleet).workspace_names()
        seen.append((names, sorted(path.name for path in source.iterdir())))
        move(source, target)

    monkeypatch.setattr(setup, "move", watched)
    cli("workspace", "add", "two", "--repo", str(origin), "--check", "true")
    assert seen == [(["app"], ["agents", "queue", "repo.git", "runs", "workspace.toml", "worktrees"])]
    assert FleetPaths(cli.fleet).workspace_names() == ["app", "two"]


def test_what_an_ended_import_left_is_no_hindrance(cli: Cli, origin: Path) -> None:
    (cli.fleet / "workspaces" / ".two.part" / "repo.git").mkdir(parents=True)
    cli("workspace", "add", "two", "--repo", str(origin))
    assert sorted(path.name for path in (cli.fleet / "workspaces").iterdir()) == ["app", "two"]


@pytest.mark.parametrize(
    ("repo", "said"),
    [
        ("", "no repository is named"),
        ("https://me:secret@example.invalid/x.git", "holds a user or a password"),
        ("https://token@example.invalid/x.git", "holds a user or a password"),
        ("ssh://me:secret@example.invalid/x.git", "holds a user or a password"),
    ],
)
def test_no_secret_is_written_and_no_repository_is_guessed(cli: Cli, repo: str, said: str) -> None:
    assert said in cli("workspace", "add", "two", "--repo", repo, status=2)
    assert not (cli.fleet / "workspaces" / "two").exists()


@pytest.mark.parametrize("repo", ["git@example.invalid:x.git", "ssh://git@example.invalid/x.git"])
def test_a_users_name_in_an_ssh_address_is_no_secret(repo: str) -> None:
    assert origin_of(repo) == repo


def test_where_git_is_missing_it_is_said(cli: Cli, origin: Path) -> None:
    words = [sys.executable, "-m", "omni_tui", "--fleet", str(cli.fleet), "--json"]
    done = subprocess.run(
        [*words, "workspace", "add", "two", "--repo", str(origin)],
        env={"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "plugin")
    assert not (cli.fleet / "workspaces" / "two").exists()


def test_a_workspaces_name_is_taken_once(cli: Cli, origin: Path) -> None:
    assert "there is a workspace app already" in cli("workspace", "add", "app", "--repo", str(origin), status=2)


@pytest.mark.parametrize("name", ["../up", "Upper", "a b", ".lock"])
def test_a_workspaces_name_is_a_plain_word(cli: Cli, origin: Path, name: str) -> None:
    assert "makes no name" in cli("workspace", "add", name, "--repo", str(origin), status=2)


def test_where_no_agent_is_found_none_is_made_and_it_says_how(cli: Cli, origin: Path) -> None:
    assert 'harness = "command"' in cli("workspace", "add", "two", "--repo", str(origin))
    assert list((cli.fleet / "workspaces/two/agents").iterdir()) == []


def test_the_first_agent_is_for_the_harness_that_is_found(
    cli: Cli, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClaudeAgent, "find", lambda: "/usr/bin/claude")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-made-up")
    assert "agent claude: /usr/bin/claude" in cli("workspace", "add", "two", "--repo", str(origin))
    agent = load_agent(cli.fleet / "workspaces/two/agents/claude")
    assert agent.harness == "claude"
    assert agent.secrets == ("ANTHROPIC_API_KEY",), "by its name"
    assert "sk-made-up" not in (cli.fleet / "workspaces/two/agents/claude/agent.toml").read_text()
    assert "Commit your work" in agent.instructions


@pytest.mark.parametrize(
    "withheld",
    [
        {},
        {"ANTHROPIC_AUTH_TOKEN": "a-password"},
        {"HTTPS_PROXY": "http://me:a-password@127.0.0.1:3128"},
        {"HTTPS_PROXY": "http://a-password@127.0.0.1:3128"},
        {"ANTHROPIC_AUTH_TOKEN": "a-password", "https_proxy": "me:a-password@127.0.0.1:3128"},
    ],
    ids=["nothing", "its token", "a user and a password", "a token as the user", "no scheme"],
)
def test_the_first_agent_is_told_the_way_to_its_provider_and_no_password(
    cli: Cli, origin: Path, monkeypatch: pytest.MonkeyPatch, withheld: dict[str, str]
) -> None:
    monkeypatch.setattr(ClaudeAgent, "find", lambda: "/usr/bin/claude")
    for name in (*ClaudeAgent.credentials, *ClaudeAgent.routes):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:4000/gateway")
    monkeypatch.setenv("ANTHROPIC_MODEL", "claude-sonnet@20250514")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1:4000")
    for name, value in withheld.items():
        monkeypatch.setenv(name, value)
    cli("workspace", "add", "two", "--repo", str(origin))
    agent = load_agent(cli.fleet / "workspaces/two/agents/claude")
    assert agent.env == {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:4000/gateway",
        "ANTHROPIC_MODEL": "claude-sonnet@20250514",
        "NO_PROXY": "localhost,127.0.0.1:4000",
    }
    assert agent.secrets == tuple(withheld), "by their names"
    assert "a-password" not in (cli.fleet / "workspaces/two/agents/claude/agent.toml").read_text()


@pytest.mark.parametrize(
    ("kind", "tmux", "expected"),
    [
        ("auto", "/usr/bin/tmux", ("tmux", True)),
        ("auto", None, ("process", True)),
        ("process", "/usr/bin/tmux", ("process", False)),
        ("tmux", None, ("tmux", False)),
    ],
)
def test_plugins_shows_the_runtime_that_auto_takes_here(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, kind: str, tmux: str | None, expected: tuple[str, bool]
) -> None:
    monkeypatch.setattr(TmuxRuntime, "find", lambda: tmux)
    (cli.fleet / "config.toml").write_text(f'[runtime]\nkind = "{kind}"\n')
    rows = [row for row in cli.result("plugins") if row["slot"] == "runtime"]
    assert [(row["name"], row["auto"]) for row in rows if row["chosen"]] == [expected]
    name, auto = expected
    [line] = [line for line in cli("plugins").splitlines() if line.split()[:2] == ["runtime", name]]
    assert ("yes, by auto" in line) is auto


def test_tasks_come_from_files_stdin_and_titles(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one.md", tmp_path / "two.md"
    one.write_text("+++\ntitle = 'First'\npriority = 5\n+++\nbody\n")
    two.write_text("# Second\n\nbody\n")
    assert [task["title"] for task in cli.result("add", "app", str(one), str(two))] == ["First", "Second"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"# Third\n")))
    cli("add", "app", "-")
    [fourth] = cli.result("add", "app", "--title", "Fourth", "--depends-on", "0001", "--touches", "src/a.py")
    tasks = cli.result("list")
    assert [task["title"] for task in tasks] == ["First", "Second", "Third", "Fourth"]
    assert {"id", "title", "workspace", "status", "phase", "attempt", "agent", "reason"} <= set(tasks[0])
    detail = cli.result("show", fourth["id"])["detail"]
    assert (detail["depends_on"], detail["touches"]) == (["0001"], ["src/a.py"])


def test_where_one_file_is_no_task_none_is_added(cli: Cli, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text("# Good\n")
    bad.write_text("+++\ntitle = \n+++\n")
    said = cli("add", "app", str(good), str(bad), status=1)
    assert f"{bad} line 2: bad TOML" in said
    assert cli.result("list") == []


@pytest.mark.parametrize("words", [("--title", " "), ("--title", "x", "--depends-on", "../up")])
def test_what_would_be_no_task_is_not_queued(cli: Cli, words: tuple[str, ...]) -> None:
    cli("add", "app", *words, status=1)
    assert list((cli.fleet / "workspaces/app/queue/todo").iterdir()) == []
    assert cli.result("add", "app", "--title", "The first")[0]["id"] == "0001"


def test_a_second_file_with_a_tasks_id_does_not_take_its_name(cli: Cli) -> None:
    cli("add", "app", "--title", "The task")
    blocked = cli.fleet / "workspaces/app/queue/blocked/copy.md"
    blocked.write_text("+++\ntitle = 'The copy'\nid = '0001'\n+++\n")
    assert cli.result("show", "0001")["title"] == "The task"
    cli("add", "app", "--title", "Another")
    assert "`000` could be 2 tasks" in cli("show", "000", status=1)


def test_a_refused_file_is_queued_again_once_it_is_mended(cli: Cli) -> None:
    refused = cli.fleet / "workspaces/app/queue/blocked/bad.md"
    refused.write_text("+++\ntitle = \n+++\n")
    words = cli("redispatch", "bad", status=1)
    assert "app/queue/blocked/bad.md, line 2: it cannot be read as a task: bad TOML" in words
    assert "mend the head between the `+++`, then try again" in words
    refused.write_text("+++\ntitle = 'Mended'\n+++\n")
    cli("redispatch", "bad")
    assert cli.statuses() == {"bad": "todo"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("app",), "nothing to add"),
        (("app", "a.md", "b.md", "--title", "x"), "--title is for one task"),
        (("app", "/nonexistent.md"), "cannot be read"),
        (("apq", "--title", "x"), "did you mean `app`?"),
    ],
)
def test_what_cannot_be_added_is_told(cli: Cli, words: tuple[str, ...], said: str) -> None:
    assert said in cli("add", *words, status=2)


def test_a_task_answers_to_its_id_a_beginning_and_its_full_name(cli: Cli, origin: Path) -> None:
    cli("workspace", "add", "two", "--repo", str(origin))
    for workspace, title in (("app", "One"), ("app", "Two"), ("two", "Three")):
        cli("add", workspace, "--title", title)
    assert [cli.result("show", word)["title"] for word in ("app/0001", "0002", "2", "two/0001", "two")] == [
        "One",
        "Two",
        "Two",
        "Three",
        "Three",
    ]
    assert "`0001` could be 2 tasks" in cli("show", "0001", status=1)
    assert "did you mean app/0002?" in cli("show", "ap/0002", status=1)


def test_list_shows_what_is_asked_for(cli: Cli) -> None:
    for title in ("One", "Two"):
        cli("add", "app", "--title", title)
    cli("block", "0002", "--reason", "not now")
    assert [task["id"] for task in cli.result("list", "--status", "blocked")] == ["0002"]
    assert "did you mean `app`?" in cli("list", "--workspace", "ap", status=2)
    assert "not now" in cli("list")


def happened(fleet: Path, event: str, workspace: str = "", **data: object) -> None:
    """Write to the journal as a dispatcher does that has ended since."""
    Journal(fleet / "journal", time.time).write(Event(time=time.time(), event=event, workspace=workspace, data=data))


def worker(fleet: Path) -> None:
    """Give the workspace an agent; any program has a provider of its own, by the agent's name."""
    directory = fleet / "workspaces/app/agents/worker"
    directory.mkdir(parents=True)
    (directory / "agent.toml").write_text('harness = "command"\ncommand = ["true"]\n')


def test_without_a_dispatcher_why_tells_what_the_run_came_to(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    worker(cli.fleet)
    happened(cli.fleet, "provider.parked", provider="worker", reason="it does not accept our login", until=None, row=1)
    assert cli.result("why", "0001")["hold"] == "parked"
    happened(cli.fleet, "workspace.broken", "app", reason="its check fails as it is")
    assert cli.result("why", "0001")["hold"] == "paused"
    happened(cli.fleet, "fleet.thawed")
    happened(cli.fleet, "fleet.stopped", reason="8 attempts failed in a row")
    assert "the run was stopped: 8 attempts failed in a row" in cli("why", "0001")


def test_what_holds_the_fleet_is_told_wherever_one_looks(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    worker(cli.fleet)
    parked = {"claude": Parked(reason="its usage limit is reached", at=0.0, until=time.time() + 4300)}
    held = FleetState(stopped="8 attempts failed", parked=parked, pauses=("app: test_total failed in 1, 2",))
    write_state(cli.fleet, held)
    for command in ("list", "report", "doctor"):
        told = cli(command)
        assert "8 attempts failed" in told
        assert "claude parked 1h 12m: its usage limit is reached" in told
        assert "app: test_total failed in 1, 2" in told
        assert "omni-tui thaw" in told
    assert cli.result("report")["stopped"] == "8 attempts failed"
    assert cli.result("report")["parked"]["claude"]["until"] == pytest.approx(parked["claude"].until)
    assert [row["id"] for row in cli.result("list")] == ["0001"]


def test_why_tells_of_a_full_disk(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    assert cli.result("why", "0001")["hold"] == "lease"
    (cli.fleet / "config.toml").write_text("[limits]\nreserve_gb = 900_000\n")
    assert cli.result("why", "0001")["hold"] == "disk"
    assert "900000 GB are kept in reserve" in cli("why", "0001")


def test_a_status_is_shown_with_what_it_is_known_by(cli: Cli) -> None:
    """As a dispatcher that died a moment ago left it."""
    cli("add", "app", "--title", "One")
    paths = FleetPaths(cli.fleet).workspace("app")
    [file] = paths.queue(Status.TODO).glob("*.md")
    file.rename(paths.queue(Status.DOING) / file.name)
    run = paths.run(AttemptId(TaskRef("app", "0001"), 1))
    run.mkdir(parents=True)
    status = AttemptStatus(
        task="0001",
        workspace="app",
        attempt=1,
        phase=Phase.WATCH,
        agent="ada",
        health=Health.TOOL,
        source="hook",
        signal_at=time.time() - 30,
        turns=4,
        tokens=1200,
    )
    (run / "status.json").write_bytes(msgspec.json.encode(status))
    [task] = cli.result("list")
    signal = task["signal"]
    assert (signal["health"], signal["source"], signal["confidence"]) == ("tool", "hook", "sure")
    assert 30 <= signal["age"] < 60
    assert cli.result("show", "0001")["signal"]["source"] == "hook"
    text = cli("show", "0001")
    assert re.search(r"^known     by hook, [345]\ds ago: sure$", text, re.MULTILINE)
    assert "spent     4 turns, 1,200 tokens, 0.00 USD" in text


def test_where_nobody_dispatches_a_request_is_carried_out_at_once(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    assert "is blocked" in cli("block", "0001", "--reason", "a person must decide")
    assert cli.statuses() == {"0001": "blocked"}
    assert "a person must decide" in cli("why", "0001")
    assert "fresh attempts" in cli("redispatch", "0001")
    assert cli.statuses() == {"0001": "todo"}
    assert "it does not run" in cli("kill", "0001", status=2)


def test_why_names_the_one_thing_that_binds(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    cli("add", "app", "--title", "Two", "--depends-on", "0001")
    assert "waits for app/0001" in cli("why", "0002")
    assert "nobody dispatches this fleet" in cli("why", "0001")
    cli("freeze")
    assert cli.result("why", "0001")["hold"] == "frozen"
    assert "lifted   by `omni-tui thaw`" in cli("why", "0001")
    cli("thaw")
    told = cli.result("why", "0001")
    assert (told["hold"], told["line"]) == ("lease", ["app/0001"])
    assert "starting `omni-tui`" in told["remedy"]


def test_a_thaw_of_one_thing_says_what_stays_frozen(cli: Cli) -> None:
    cli("freeze")
    cli("freeze", "--workspace", "app", "--reason", "audit")
    told = "thawed, but the workspace app is frozen: audit; `omni-tui thaw --workspace app` goes on"
    assert told in cli("thaw")
    assert "the workspace app is thawed: starts again" in cli("thaw", "--workspace", "app")


@pytest.mark.parametrize("command", ["logs", "diff", "attach"])
def test_what_has_not_begun_has_nothing_to_show(cli: Cli, command: str) -> None:
    cli("add", "app", "--title", "One")
    assert "omni-tui" in cli(command, "0001", status=2)


def test_config_says_where_each_value_comes_from(cli: Cli) -> None:
    (cli.fleet / "config.toml").write_text("[scheduler]\nslots = 3\n")
    rows = {row["key"]: row for row in cli.result("config")}
    assert (rows["scheduler.slots"]["value"], rows["scheduler.slots"]["origin"]) == (3, "config.toml")
    assert rows["limits.attempts"]["origin"] == "default"
    (cli.fleet / "config.toml").write_text("[scheduler]\nslot = 3\n")
    assert "config.toml:2: unknown key `scheduler.slot`; the nearest is `scheduler.slots`" in cli("config", status=2)


def test_doctor_names_a_chosen_plugin_that_cannot_be_used(cli: Cli) -> None:
    (cli.fleet / "config.toml").write_text('[plugins]\nnotifiers = ["log", "lgo"]\n')
    found = {check["name"]: check for check in cli.result("doctor", status=1)}
    assert found["notifier lgo"]["grade"] == "fail"
    assert "did you mean `log`?" in found["notifier lgo"]["fix"]
    assert "notifier log" not in found


def test_the_report_says_that_nothing_starts(cli: Cli) -> None:
    assert "FROZEN" not in cli("report")
    cli("freeze")
    assert "FROZEN   a person froze the fleet, so nothing starts\n         then: omni-tui thaw" in cli("report")


def test_a_wrong_configuration_keeps_nobody_from_adding_a_task(cli: Cli) -> None:
    (cli.fleet / "config.toml").write_text("nonsense = 1\n")
    cli("add", "app", "--title", "One")
    assert cli.statuses() == {"0001": "todo"}
    assert "unknown key `nonsense`" in cli("--headless", "--until-idle", status=2)


def test_what_the_system_refuses_is_told(
    cli: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(root: Path, _config: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(root))

    monkeypatch.setattr(layout, "create_fleet", refuse)
    target = cli.fleet.with_name("other")
    capsys.readouterr()
    assert run(["init", str(target), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["message"]) == ("system", f"{target}: Permission denied")
    assert error["fix"]


def test_doctor_finds_what_is_broken_in_the_fleet(cli: Cli) -> None:
    found = {check["name"]: check for check in cli.result("doctor", status=1)}
    assert found["workspace app"]["grade"] == "ok"
    assert found["workspace app: agents"]["grade"] == "fail"
    assert found["git"]["grade"] == found["python"]["grade"] == "ok"
    agent = cli.fleet / "workspaces/app/agents/mine"
    agent.mkdir()
    (agent / "agent.toml").write_text('harness = "command"\ncommand = ["true"]\nprovider = "wrk"\n')
    found = {check["name"]: check for check in cli.result("doctor", status=1)}
    assert "there is no provider `wrk`" in found["workspace app: agent mine"]["detail"]
    (cli.fleet / "config.toml").write_text("nonsense = 1\n")
    (cli.fleet / "workspaces/app/repo.git/HEAD").write_text("ref: refs/heads/gone\n")
    found = {check["name"]: check for check in cli.result("doctor", status=1)}
    assert "nonsense" in found["config.toml"]["detail"]
    assert "gone is not there" in found["workspace app"]["detail"]
    assert all(check["fix"] for check in found.values() if check["grade"] == "fail")


def test_a_shell_completes_commands_tasks_and_workspaces(cli: Cli) -> None:
    cli("add", "app", "--title", "One")
    complete = ShellComplete(omni_tui, {}, "omni-tui", "_OMNI_TUI_COMPLETE")

    def offered(*words: str) -> list[str]:
        *before, last = words
        return [item.value for item in complete.get_completions(["--fleet", str(cli.fleet), *before], last)]

    assert offered("lis") == ["list"]
    assert offered("show", "00") == ["0001"]
    assert offered("show", "app/") == ["app/0001"]
    assert offered("add", "a") == ["app"]
    assert offered("list", "--workspace", "") == ["app"]
