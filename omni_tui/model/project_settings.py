"""The settings of a workspace and of an agent, in files of their own. See `omni_tui.model.settings`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from omni_tui.model.sandbox_settings import Host
from omni_tui.model.variable import VARIABLE_NAME, VARIABLES


class RefillSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When `sources` refill the workspace's queue, and how often those are asked that are not on this machine."""

    to: Annotated[
        int, Meta(ge=1, le=10_000, description="It is refilled until so many tasks wait in todo/, never beyond.")
    ] = 5
    at: Annotated[
        int, Meta(ge=1, le=10_000, description="It is refilled once fewer than so many waiting tasks could start.")
    ] = 2
    least_minutes: Annotated[
        float, Meta(gt=0, le=1440, description="Between two looks at a remote source where things move.")
    ] = 1.0
    most_minutes: Annotated[
        float, Meta(gt=0, le=10_080, description="The same, where it has long been quiet; it doubles from the least.")
    ] = 30.0


SourceTable = Annotated[dict[str, Any], Meta(title='tables, each under [[sources]] with a `kind` such as "folder"')]


class WorkspaceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workspace's optional `workspace.toml`."""

    repo: Annotated[
        str, Meta(description="Where the repository came from, a path or URL; empty: nowhere to push to.")
    ] = ""
    base: Annotated[
        str, Meta(description="The default branch; read, never written. Empty: the one the repository names.")
    ] = ""
    release: Annotated[str, Meta(description="The branch that changes land on.")] = "release/omni"
    check: Annotated[str, Meta(description="Shell command that must pass on the merged tree; empty: none.")] = ""
    setup: Annotated[str, Meta(description="Shell command run in each fresh checkout; empty: none.")] = ""
    net: Annotated[
        bool,
        Meta(
            description="Whether the check and the set-up command may use the network: this machine's, or, where "
            'agents have `net = "proxy"`, the `hosts` of the fleet\'s settings.'
        ),
    ] = False
    setup_minutes: Annotated[float, Meta(gt=0, le=1440, description="Minutes that the set-up command may take.")] = 5.0
    copy: Annotated[
        tuple[str, ...],
        Meta(description="Files that git does not hold and the work needs, such as `.env`, copied into each checkout."),
    ] = ()
    copy_from: Annotated[
        str,
        Meta(description="Where they come from; empty: `repo` if that is a path, else `files/` of the workspace."),
    ] = ""
    agents: Annotated[
        tuple[str, ...], Meta(description="Agents that tasks go to in turn; empty: all under `agents/`, by name.")
    ] = ()
    tracker: Annotated[str, Meta(description="Tracker plugin; empty: the fleet's.")] = ""
    workspace: Annotated[str, Meta(description="Workspace plugin; empty: the fleet's.")] = ""
    scm: Annotated[str, Meta(description="Scm plugin; empty: the fleet's.")] = ""
    sources: Annotated[
        tuple[SourceTable, ...],
        Meta(
            description="Where more tasks come from when the queue runs low: a table each, with the keys of its kind."
        ),
    ] = ()
    refill: Annotated[RefillSettings, Meta(description="When, and how far, the sources refill the queue.")] = (
        RefillSettings()
    )


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent's optional `agent.toml`. `model.attempt.AgentSpec` is made from it."""

    harness: Annotated[str, Meta(description="Agent plugin.")] = "claude"
    provider: Annotated[
        str, Meta(description="Who serves it: a file in the fleet's `providers/`; empty: any of those for its harness.")
    ] = ""
    model: Annotated[str, Meta(description="As the harness names it; empty: its default.")] = ""
    command: Annotated[tuple[str, ...], Meta(description='Harness "command": program and arguments.')] = ()
    handover: Annotated[
        Literal["start", "accepted"],
        Meta(description='"start": its start counts as having the task; "accepted": it must signal so.'),
    ] = "accepted"
    mode: Annotated[
        Literal["interactive", "print"], Meta(description='Harness "claude": in its pane, or print mode.')
    ] = "interactive"
    permission_mode: Annotated[
        Literal["default", "acceptEdits", "plan", "bypassPermissions", "dontAsk", "auto"],
        Meta(description='Harness "claude": what it may do without asking.'),
    ] = "acceptEdits"
    allowed_tools: Annotated[tuple[str, ...], Meta(description='Harness "claude": tools allowed without asking.')] = (
        "Bash",
        "Edit",
        "Write",
        "Read",
        "Glob",
        "Grep",
        "MultiEdit",
        "TodoWrite",
    )
    max_turns: Annotated[int, Meta(ge=0, le=10_000, description="Turns an attempt may take; 0: no limit.")] = 0
    max_tokens: Annotated[
        int, Meta(ge=0, le=1 << 53, description="Tokens an attempt may use, as far as its harness tells; 0: no limit.")
    ] = 0
    max_usd: Annotated[float, Meta(ge=0, le=10_000, description="US dollars an attempt may cost; 0: no limit.")] = 0.0
    stall_minutes: Annotated[
        float, Meta(ge=0, le=1440, description="Instead of the fleet's `stall_minutes`; 0: the fleet's.")
    ] = 0.0
    tool_minutes: Annotated[
        float, Meta(ge=0, le=1440, description="Instead of the fleet's `tool_minutes`; 0: the fleet's.")
    ] = 0.0
    env: Annotated[dict[str, str], Meta(description="Plain variables for the agent; no secrets.")] = msgspec.field(
        default_factory=dict
    )
    hosts: Annotated[
        tuple[Host, ...],
        Meta(description='What this agent reaches beside its API and the fleet\'s `hosts`, where `net` is "proxy".'),
    ] = ()
    secrets: Annotated[
        tuple[Annotated[str, Meta(pattern=VARIABLE_NAME, title=VARIABLES)], ...],
        Meta(description="Names of our environment variables that the agent gets, such as an API key."),
    ] = ()
