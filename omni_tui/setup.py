"""Setting a workspace up: the fleet's copy of its repository, its settings, release branch and first agent.

It is made under a hidden name and appears in one rename, so that a dispatcher at work never sees half of one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from omni_tui.config import load_workspace
from omni_tui.config_text import render_agent, render_workspace
from omni_tui.errors import ScmError
from omni_tui.fleet import Fleet
from omni_tui.plugins import registry
from omni_tui.store.files import make_dirs, move, publish
from omni_tui.store.layout import create_workspace
from omni_tui.store.paths import WorkspacePaths

INSTRUCTIONS = """\
You work alone in your own checkout of this repository, on your own branch. Do what the task says and nothing beside it.
Read the project's own notes for contributors first, where it has some. Run its tests. Commit your work, with a message
that says why: what is not committed does not count. Do not push, and do not change other branches.
"""
"""A first agent's `INSTRUCTIONS.md`: a thin boot loader, for a person to make their own."""

_PASSWORD = re.compile(r"(?:://[^/\s]*|^[^/@\s]+:[^/\s]*)@")
"""A user's part in a URL, or a password in one without a scheme, as proxies are given."""


def unfinished(fleet: Fleet, name: str) -> WorkspacePaths:
    """Return where a workspace is while it is being made."""
    return WorkspacePaths(fleet.paths.workspaces / f".{name}.part", name)


async def import_workspace(fleet: Fleet, name: str, given: Mapping[str, str]) -> str:
    """Make the workspace `name` with the settings `given`, its repository copied from `given["repo"]`.

    Return what was found for a first agent, empty where no harness is installed, so that none was made. Raises
    `ScmError` where the repository or a branch is not there, `PluginError` where git is missing; then nothing is left
    behind.
    """
    registry.load("scm", fleet.settings.plugins.scm)  # says what is wrong with it, which the next line could not
    from omni_tui.plugins.scm.imports import import_repository

    paths = unfinished(fleet, name)
    shutil.rmtree(paths.root, ignore_errors=True)  # what an earlier one left when it was ended
    make_dirs(paths.root)
    try:
        await import_repository(given["repo"], paths.repo)
        create_workspace(paths, render_workspace(given))
        await fleet.scm_in(paths, load_workspace(paths.toml)).open()
        agent = make_first_agent(paths.agents, os.environ)
        move(paths.root, fleet.paths.workspace(name).root)
    except ScmError as error:
        fix = error.fix or "look at --repo: `git ls-remote` must be able to read it without a question"
        raise ScmError(error.message, where=f"workspace {name}", fix=fix) from error
    finally:
        shutil.rmtree(paths.root, ignore_errors=True)  # has become the workspace if all went well
    return agent


def make_first_agent(agents: Path, variables: Mapping[str, str]) -> str:
    """Make an agent for the first harness that is installed here, and say which; empty: none is, so none was made.

    Where one of our `variables` can log it in, the agent is given that one, by its name. What tells it the way to its
    provider is written down, unless there is a password in it: then it is given by its name too.
    """
    for harness in registry.names("agent"):
        plugin = registry.load("agent", harness)
        found = plugin.find()
        if found is not None and harness != "command":
            directory = agents / harness
            make_dirs(directory)
            known = [name for name in plugin.credentials if variables.get(name)][:1]
            routes = {name: variables[name] for name in plugin.routes if variables.get(name)}
            given = {"harness": harness} | _given(known, routes)
            publish(directory / "agent.toml", render_agent(given).encode())
            publish(directory / "INSTRUCTIONS.md", INSTRUCTIONS.encode())
            return f"{harness}: {found}" + (f", logged in by {known[0]}" if known else "")
    return ""


def _given(credentials: Sequence[str], routes: Mapping[str, str]) -> dict[str, object]:
    """Return the agent's settings that hand these variables on: plain ones as they are, others by their names."""
    plain = {name: value for name, value in routes.items() if not _PASSWORD.search(value)}
    secrets = [*credentials, *(name for name in routes if name not in plain)]
    return {key: value for key, value in (("secrets", secrets), ("env", plain)) if value}
