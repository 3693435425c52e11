"""Makes the demo's fleet: the project, its workspace and agents, and the backlog, in the ways that people use."""

from __future__ import annotations

import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session
from omni_tui.config_text import render_agent
from omni_tui.plugins import sandbox
from omni_tui.plugins.gitcmd import Git

HERE = Path(__file__).parent
WORKSPACE = "shop"
TEAM = ("ada", "barbara", "grace")
"""The scripted agents; all of them the same program."""
GOOD = ("08-low-stock.md", "09-three-for-two.md", "10-order-numbers.md")
"""The tasks that a real agent gets: nothing but work."""
QUIET_PYTEST = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
"""Set, the shop's tests start without the plugins that happen to be installed beside pytest."""

SCRIPTED_CONFIG = """\
# The demo is in a hurry: the scripted agents work for seconds, so six seconds of silence are a stall.
[scheduler]
slots = 3

[limits]
handover_seconds = 20
stall_minutes = 0.1
wall_minutes = 2
kill_grace_seconds = 1
"""
CLAUDE_CONFIG = """\
[scheduler]
slots = 3
"""


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything of one demo is."""

    directory: Path

    @property
    def project(self) -> Path:
        """The project's own repository, as its people have it."""
        return self.directory / "project"

    @property
    def fleet(self) -> Path:
        """The fleet's directory."""
        return self.directory / "fleet"


SANDBOX_OFF = """
# There is no sandbox to be had here, so these agents run without the sandbox, as you do yourself.
[sandbox]
kind = "off"
"""


def build(demo: Demo, harness: str, pace: float, tell: Callable[[str], None]) -> None:
    """Make all of it below `demo.directory`; `tell` hears what a person would type there to do the same.

    `pace` stretches how long the scripted agents think, so that a person can watch them.
    """
    real = harness == "claude"  # `workspace add` makes its agent
    make_project(demo.project)
    tasks = _lay_out_backlog(demo.directory / "backlog", GOOD if real else None)
    tell(f"$ cd {demo.directory}\n$ omni-tui init fleet")
    command("init", str(demo.fleet))
    check = f"{QUIET_PYTEST}=1 {shlex.quote(sys.executable)} -m pytest -q"
    tell(f"$ cd fleet\n$ omni-tui workspace add {WORKSPACE} --repo ../project --check {shlex.quote(check)}")
    fleet = ("--fleet", str(demo.fleet))
    command(*fleet, "workspace", "add", WORKSPACE, "--repo", str(demo.project), "--check", check)
    (demo.fleet / "config.toml").write_text(_config(real=real, tell=tell), encoding="utf-8")
    if not real:
        _hire(demo.fleet / "workspaces" / WORKSPACE, pace)
    tell(f"$ omni-tui add {WORKSPACE} ../backlog/*.md")
    command(*fleet, "add", WORKSPACE, *map(str, tasks))


def _config(*, real: bool, tell: Callable[[str], None]) -> str:
    """Return the fleet's settings: in the sandbox where there is one, else loudly without."""
    text = CLAUDE_CONFIG if real else SCRIPTED_CONFIG
    if fault := sandbox.fault():
        tell(f"# No sandbox: {fault}. The agents of this demo run as you do: install bubblewrap to keep them in.")
        return text + SANDBOX_OFF
    kind = {"bwrap": "bubblewrap", "landlock": "Landlock"}[sandbox.find("auto") or "bwrap"]
    tell(f"# The agents run in a sandbox ({kind}): they can use their checkout and the tools, and nothing else.")
    return text if real else f"{text}\n# Where the scripted agents' program lies.\n[sandbox]\nread = {_toml([HERE])}\n"


def _toml(paths: Sequence[Path]) -> str:
    return msgspec.json.encode([str(path) for path in paths]).decode()


def _lay_out_backlog(where: Path, names: Collection[str] | None) -> list[Path]:
    """Copy the task files (None: all) to where a person can read them; return them in order."""
    where.mkdir()
    chosen = [path for path in sorted((HERE / "backlog").iterdir()) if names is None or path.name in names]
    return [Path(shutil.copy(path, where)) for path in chosen]


def make_project(where: Path) -> None:
    """Make the small project that the demo works on, with one commit on `main`."""
    shutil.copytree(HERE / "project", where, ignore=shutil.ignore_patterns("__pycache__"))
    who = ("-c", "user.name=The Tea Shop", "-c", "user.email=shop@localhost")
    Git(git_dir=where / ".git", new=True).run("init", "--quiet", "--initial-branch=main")
    git = Git(git_dir=where / ".git", work_tree=where, new=True)
    git.run("add", "--all")
    git.run(*who, "commit", "--quiet", "-m", "The till, as it is")


def command(*words: str) -> Answer:
    """Carry out one of our own commands. Raises the `OmniError` that it would have shown."""
    from omni_tui.cli import omni_tui

    answer: Answer = omni_tui.main(list(words), prog_name="omni-tui", standalone_mode=False, obj=Session())
    return answer


def expected_to_land(harness: str) -> set[str]:
    """Return the tasks that its agents get right in the end: the scripted ones by their table, a real one all."""
    if harness == "claude":
        return {Path(name).stem.partition("-")[2] for name in GOOD}
    table = tomllib.loads((HERE / "behaviours.toml").read_text(encoding="utf-8"))
    return {task for task, story in table.items() if story["attempts"][-1] == "good"}


def _hire(workspace: Path, pace: float) -> None:
    """Make the scripted agents' directories, and have the tasks go to them only."""
    for name in TEAM:
        directory = workspace / "agents" / name
        directory.mkdir(parents=True)
        (directory / "agent.toml").write_text(render_agent(_scripted_agent(pace)), encoding="utf-8")
    with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
        file.write(f"\nagents = {msgspec.json.encode(TEAM).decode()}\n")


def _scripted_agent(pace: float) -> dict[str, object]:
    """Return the settings of a scripted agent: any program can be one."""
    program = (sys.executable, "-S", "-E", str(HERE / "agent.py"))
    return {"harness": "command", "command": program, "env": {QUIET_PYTEST: "1", "OMNI_DEMO_PACE": str(pace)}}
