"""`omni-tui doctor`: whether this machine and the fleet are fit for a night, and what to do where they are not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from omni_tui.commands.health import Check, Grade, fail, judge_machine, judge_reserve, judge_run, ok, warn
from omni_tui.commands.loading import judge_load, judge_pressure
from omni_tui.commands.output import Answer
from omni_tui.commands.protection import judge_protection, judge_sandboxes
from omni_tui.commands.session import Session, common
from omni_tui.commands.targets import read_fleet
from omni_tui.errors import ConfigError, FleetNotFoundError, OmniError, PluginError

if TYPE_CHECKING:
    from rich.table import Table

    from omni_tui.model.attempt import AgentSpec
    from omni_tui.model.project_settings import WorkspaceSettings
    from omni_tui.model.provider import Provider
    from omni_tui.model.settings import Settings
    from omni_tui.plugins.machine import Facts
    from omni_tui.store.paths import FleetPaths, WorkspacePaths

STYLES = {Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "bold red"}


class UnfitError(OmniError):
    """Something was found without which no task lands."""

    code = "unfit"


@click.command("doctor")
@common
def doctor(session: Session) -> Answer:
    """Look at the machine, the agents' programs and the fleet. Exit status 1 if something must be mended."""
    from omni_tui.plugins.machine import look

    facts = look(Path.cwd())
    checks = [
        *judge_machine(facts),
        *judge_sandboxes(facts),
        judge_pressure(facts),
        *_harnesses(),
        *_fleet(session, facts),
    ]
    failed = [check.name for check in checks if check.grade is Grade.FAIL]
    fault = UnfitError(f"to mend: {', '.join(failed)}", fix="do what stands beside each `fail`") if failed else None
    return Answer(checks, _table(checks), fault)


def _harnesses() -> Iterator[Check]:
    from omni_tui.plugins import registry

    for name in registry.names("agent"):
        try:
            found = registry.load("agent", name).find()
        except PluginError as error:
            yield fail(f"agent {name}", error.message, error.fix)
            continue
        if found is None:
            yield warn(
                f"agent {name}", "its program is not installed", "install it, or name another harness in agent.toml"
            )
        else:
            yield ok(f"agent {name}", found)


def _fleet(session: Session, facts: Facts) -> Iterator[Check]:
    from omni_tui.config import load_settings
    from omni_tui.fleet import Fleet
    from omni_tui.outlook import brakes_in_force
    from omni_tui.plugins.machine import space
    from omni_tui.store.lease import read_owner
    from omni_tui.store.paths import FleetPaths

    try:
        root = session.root()
    except FleetNotFoundError as error:
        if session.fleet is not None or os.environ.get("OMNI_FLEET"):
            yield fail("fleet", error.message, error.fix)
        else:
            yield warn("fleet", error.message, error.fix)
        return
    paths = FleetPaths(root)
    yield (
        ok("fleet", str(root))
        if os.access(root, os.W_OK)
        else fail("fleet", f"{root} is not ours to write", "chown it")
    )
    try:
        settings = load_settings(paths.config)
        yield ok("config.toml", "every key is known and in range")
        yield from _plugins(settings)
        yield from judge_reserve(space(root), settings.limits)
        yield from judge_load(Fleet(root).load(), settings.load, facts)
        yield judge_protection(settings.sandbox, facts, _linked(paths, settings))
    except ConfigError as error:
        yield fail("config.toml", f"{error.where}: {error.message}", error.fix)
    yield from _providers(paths)
    owner = read_owner(paths.lease)
    yield ok("dispatcher", f"process {owner.pid} on {owner.host} ({owner.mode})" if owner else "none runs")
    view = read_fleet(root)
    yield from judge_run(msgspec.structs.replace(view, brakes=brakes_in_force(Fleet(root), view)))
    names = paths.workspace_names()
    if not names:
        yield warn("workspaces", "none yet", "omni-tui workspace add NAME --repo PATH_OR_URL")
    for name in names:
        yield from _workspace(paths, name)
    yield from _tasks(root)


def _providers(paths: FleetPaths) -> Iterator[Check]:
    """Judge the files of the providers and whether their keys are there; if they serve, `provider check` tells."""
    from omni_tui.config import load_providers
    from omni_tui.plugins import registry

    try:
        providers = load_providers(paths.providers)
    except ConfigError as error:
        yield fail("providers", f"{error.where}: {error.message}", error.fix)
        return
    known = registry.names("agent")
    for name, provider in providers.items():
        if provider.key and not os.environ.get(provider.key):
            yield fail(f"provider {name}", f"its key {provider.key} is not set", f"export {provider.key}")
        elif provider.harness not in known:
            yield fail(f"provider {name}", f"there is no harness {provider.harness}", f"name one: {', '.join(known)}")
        else:
            yield ok(f"provider {name}", f"{provider.harness} {provider.model}".strip())


def _linked(paths: FleetPaths, settings: Settings) -> list[str]:
    """Return the workspaces whose checkouts share the repository, as far as their settings can be read."""
    from omni_tui.config import load_workspace
    from omni_tui.plugins import registry

    found = []
    for name in paths.workspace_names():
        with contextlib.suppress(ConfigError, PluginError):  # told at the workspace itself
            chosen = load_workspace(paths.workspace(name).toml).workspace or settings.plugins.workspace
            if registry.load("workspace", chosen).linked:
                found.append(name)
    return found


def _plugins(settings: Settings) -> Iterator[Check]:
    """Name the plugins that the settings choose and that cannot be used."""
    from omni_tui.commands.plugins import chosen_in
    from omni_tui.plugins import registry

    for slot, names in chosen_in(settings).items():
        for name in names:
            try:
                registry.load(slot, name)
            except PluginError as error:
                yield fail(f"{slot} {name}", error.message, error.fix)


def _workspace(fleet: FleetPaths, name: str) -> Iterator[Check]:
    from omni_tui.config import load_workspace

    paths, label = fleet.workspace(name), f"workspace {name}"
    try:
        settings = load_workspace(paths.toml)
    except ConfigError as error:
        yield fail(label, f"{error.where}: {error.message}", error.fix)
        return
    if not (paths.repo / "HEAD").is_file() or not (paths.repo / "objects").is_dir():
        yield fail(label, f"{paths.repo} is no bare repository", f"git clone --bare URL {paths.repo}")
        return
    yield _branches(paths, settings, label)
    yield from _agents(fleet, paths, label)
    yield from _sources(fleet, name)


def _sources(fleet: FleetPaths, name: str) -> Iterator[Check]:
    """Judge what refills a workspace's queue: its tables, and whether its credentials are there and its own."""
    from omni_tui.fleet import Fleet

    label, whole = f"workspace {name}: source", Fleet(fleet.root)
    try:
        sources = whole.sources(name)
    except (ConfigError, PluginError) as error:
        yield fail(label, f"{error.where}: {error.message}", error.fix)
        return
    agents: Sequence[AgentSpec] = ()
    with contextlib.suppress(ConfigError):  # told at the agents
        agents = whole.agents(name)
    for source in sources:
        unset = [variable for variable in source.secrets if not os.environ.get(variable)]
        given = [agent.name for agent in agents if set(agent.secrets) & set(source.secrets)]
        if unset:
            yield fail(label, f"{source.identity}: {unset[0]} is not set", f"export {unset[0]}")
        elif given:
            fix = "take it out of `secrets` in its agent.toml: with it an agent can do all that the token may"
            yield warn(label, f"{source.identity}: agent {given[0]} is given its credentials too", fix)
        else:
            yield ok(label, source.identity)


def _tasks(root: Path) -> Iterator[Check]:
    """Name the mistakes in files of flags, and the waiting tasks that a flag will hold or that no agent would take."""
    from omni_tui.fleet import Fleet
    from omni_tui.linting import Linter
    from omni_tui.model.task import Status
    from omni_tui.policy.routing import NOBODY_TAKES_IT, nobody_takes

    fleet = Fleet(root)
    linter = Linter(fleet)
    for name, flags in linter.flags.items():
        if flags.fault:
            yield fail(f"flags of {name}", flags.fault, "mend the file; meanwhile its last good state counts")
    for warning in linter.flag_warnings():
        yield warn(f"task {warning.task}", warning.message, warning.fix)
    waiting = linter.tasks(Status.TODO)
    for name in sorted({task.workspace for task in waiting}):
        agents: Sequence[AgentSpec] = ()
        with contextlib.suppress(ConfigError):  # told at the agents, and so is it where there are none
            agents = fleet.served(name)
        for task in waiting if agents else ():
            if task.workspace == name and (problem := nobody_takes(task, agents)):
                yield warn(f"task {task.ref}", problem, NOBODY_TAKES_IT)


def _branches(paths: WorkspacePaths, settings: WorkspaceSettings, label: str) -> Check:
    base = settings.base or head_branch(paths.repo)
    if not has_branch(paths.repo, base):
        return fail(
            label, f"its base branch {base} is not there", f"set `base` in {paths.toml}, or commit something to it"
        )
    if has_branch(paths.repo, settings.release):
        return ok(label, f"{base} → {settings.release}")
    return ok(label, f"{base} → {settings.release}, which the first start makes")


def _agents(fleet: FleetPaths, paths: WorkspacePaths, label: str) -> Iterator[Check]:
    from omni_tui.config import check_providers, load_agent, load_providers
    from omni_tui.plugins import registry

    directories = sorted(entry for entry in paths.agents.iterdir() if entry.is_dir()) if paths.agents.is_dir() else []
    if not directories:
        yield fail(f"{label}: agents", "it has none, so nobody can work", f"make {paths.agents}/NAME/agent.toml")
    providers: Mapping[str, Provider] | None = None
    with contextlib.suppress(ConfigError):  # told at the providers
        providers = load_providers(fleet.providers)
    for directory in directories:
        name = f"{label}: agent {directory.name}"
        try:
            agent = load_agent(directory)
            if providers is not None:
                check_providers([agent], providers, paths.agents)
            found = registry.load("agent", agent.harness).find()
        except (ConfigError, PluginError) as error:
            yield fail(name, str(error), error.fix)
            continue
        if found is None:
            yield fail(name, f"the program of its harness {agent.harness} is not installed", "install it")
        else:
            yield ok(name, f"{agent.harness} {agent.model}".strip())


def head_branch(repo: Path) -> str:
    """Return the branch that a bare repository's HEAD names."""
    return (repo / "HEAD").read_text(encoding="utf-8").strip().removeprefix("ref: refs/heads/")


def has_branch(repo: Path, branch: str) -> bool:
    """Whether a bare repository has a branch, loose or packed."""
    if (repo / "refs" / "heads" / branch).is_file():
        return True
    packed = repo / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return any(line.endswith(f" refs/heads/{branch}") for line in lines)


def _table(checks: list[Check]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        detail = Text(check.detail)
        if check.fix:
            detail.append(f"\n{check.fix}", "dim")
        table.add_row(Text(check.grade, STYLES[check.grade]), check.name, detail)
    return table
