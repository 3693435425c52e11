"""The settings: every key with its default, its meaning and its range. `config.toml` is written from them.

A key's text is in its `Meta.description`, its range in `ge`/`le`; `omni_tui.config` checks files against both.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from omni_tui.model.footprint import Caps
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.lint import LintSettings
from omni_tui.model.sandbox_settings import RuntimeSettings, SandboxSettings

Slots = Annotated[int, Meta(ge=1, le=64)] | Literal["auto"]


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What starts, and how much at once."""

    slots: Annotated[
        Slots,
        Meta(description='How many tasks run at once; "auto": as many as are proved independent, `most` at the most.'),
    ] = 1
    most: Annotated[int, Meta(ge=1, le=64, description='The most tasks at once where `slots` is "auto".')] = 4
    stagger_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=600,
            description="Least time between two starts while another agent runs, in seconds: a burst slows each.",
        ),
    ] = 0.0
    spares: Annotated[
        bool, Meta(description="Keep a prepared checkout for each slot in each workspace: no start waits for one.")
    ] = True

    @property
    def limit(self) -> int:
        """How many tasks may run at once."""
        return self.most if self.slots == "auto" else self.slots

    @property
    def proven(self) -> bool:
        """Whether only what is proved independent runs side by side."""
        return self.slots == "auto"


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an attempt may take, and how many a task may have."""

    handover_seconds: Annotated[
        float, Meta(ge=1, le=3600, description="Seconds for an agent to signal that it has its task.")
    ] = 60.0
    stall_minutes: Annotated[
        float,
        Meta(gt=0, le=1440, description="Minutes of silence (no structured signal) after which an attempt is ended."),
    ] = 10.0
    tool_minutes: Annotated[
        float,
        Meta(
            gt=0,
            le=1440,
            description="Minutes for which a tool that runs, or processes at work, count as life without a signal.",
        ),
    ] = 20.0
    wall_minutes: Annotated[float, Meta(gt=0, le=10080, description="Minutes that an attempt may take in all.")] = 30.0
    task_minutes: Annotated[
        float, Meta(ge=0, le=100_000, description="Minutes for a task, all attempts together; 0: no limit.")
    ] = 0.0
    turns: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Turns of the model for a task, all attempts together; 0: no limit.")
    ] = 0
    tokens: Annotated[
        int, Meta(ge=0, le=1 << 53, description="Tokens for a task, all attempts together; 0: no limit.")
    ] = 0
    usd: Annotated[
        float, Meta(ge=0, le=1_000_000, description="US dollars for a task, all attempts together; 0: no limit.")
    ] = 0.0
    loop_repeats: Annotated[
        int, Meta(ge=0, le=1000, description="How often the same tool calls in a row are a loop; 0: never.")
    ] = 8
    loop_commits: Annotated[
        int, Meta(ge=0, le=1000, description="How many small commits to the same files in a row are a loop; 0: never.")
    ] = 12
    output_mb: Annotated[
        int, Meta(ge=0, le=1_000_000, description="MB of signals and terminal output for an attempt; 0: no limit.")
    ] = 256
    file_gb: Annotated[
        float, Meta(ge=0, le=1_000_000, description="GB that one file of an agent or a check may have; 0: no limit.")
    ] = 4.0
    reserve_gb: Annotated[
        float,
        Meta(ge=0, le=1_000_000, description="GB free on the fleet's disk below which nothing starts; 0: no reserve."),
    ] = 1.0
    reserve_inodes_percent: Annotated[
        float, Meta(ge=0, le=90, description="Percent of its inodes free below which nothing starts; 0: no reserve.")
    ] = 2.0
    attempts: Annotated[
        int, Meta(ge=1, le=20, description="Attempts that a task may have before a person must look.")
    ] = 3
    repairs: Annotated[
        int,
        Meta(ge=0, le=5, description="Repair attempts for each kind of failure, with what went wrong in the prompt."),
    ] = 1
    kill_grace_seconds: Annotated[
        float, Meta(ge=0, le=60, description="Seconds between the polite signal and the end by force.")
    ] = 3.0


class LoadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the machine has to be left for another agent to start. Nothing that runs is ended for it but one."""

    cpu_pressure: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Percent of time in which something waits for a processor, above which no agent starts beside "
            "another; 0: any. Linux only.",
        ),
    ] = 90.0
    memory_pressure: Annotated[
        float, Meta(ge=0, le=100, description="The same for memory: what waits for it would swap or be ended soon.")
    ] = 40.0
    io_pressure: Annotated[float, Meta(ge=0, le=100, description="The same for the disks.")] = 90.0
    load_per_core: Annotated[
        float, Meta(ge=0, le=1000, description="Load per core above which no agent starts beside another; 0: any.")
    ] = 4.0
    memory_mb: Annotated[
        float,
        Meta(
            ge=0,
            le=1 << 30,
            description="MB of available memory below which nothing starts, at least `park_memory_mb`; both 0: any.",
        ),
    ] = 512.0
    swap_percent: Annotated[
        float, Meta(ge=0, le=100, description="Percent of the swap space in use above which nothing starts; 0: any.")
    ] = 90.0
    park_memory_mb: Annotated[
        float,
        Meta(
            ge=0,
            le=1 << 30,
            description="MB of available memory below which the newest of several agents makes room: its work is kept, "
            "its task waits again and no attempt is used up; 0: never.",
        ),
    ] = 192.0

    agent_memory_mb: Annotated[
        float,
        Meta(
            ge=0,
            le=1 << 30,
            description="MB of memory that an agent's whole tree of processes may take, before the kernel ends the "
            "greediest of them; 0: any amount. `omni-tui doctor` tells what can be capped here.",
        ),
    ] = 0.0
    agent_processes: Annotated[
        int, Meta(ge=0, le=1 << 22, description="Processes and threads that such a tree may have; 0: any number.")
    ] = 0
    agent_cpus: Annotated[
        float, Meta(ge=0, le=1024, description="Processors' worth of time that such a tree gets; 0: all there is.")
    ] = 0.0

    @property
    def caps(self) -> Caps:
        """What an agent's tree may take."""
        return Caps(memory_mb=self.agent_memory_mb, processes=self.agent_processes, cpus=self.agent_cpus)


class QuestionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of an agent's questions while nobody is there."""

    policy: Annotated[
        Literal["deny", "ask"],
        Meta(description='"deny": refuse at once and let the agent find another way; "ask": a person may answer.'),
    ] = "deny"
    allow: Annotated[
        tuple[str, ...],
        Meta(description="What every agent may do without asking, as `Bash(npm test:*)`, beside its `allowed_tools`."),
    ] = ()
    ask_minutes: Annotated[
        float, Meta(gt=0, le=1440, description='Minutes that a question waits for a person where the policy is "ask".')
    ] = 30.0


class NightSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stops a whole run, and what pauses part of it. Counted over the last twelve hours, or since a thaw."""

    failures: Annotated[
        int, Meta(ge=0, le=1000, description="Attempts in a row that may fail without a landing; 0: any number.")
    ] = 10
    restarts: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000,
            description="Second and later attempts that may start within `restart_minutes`; 0: any number.",
        ),
    ] = 20
    restart_minutes: Annotated[float, Meta(gt=0, le=720, description="The period of `restarts`, in minutes.")] = 30.0
    tokens: Annotated[int, Meta(ge=0, le=1 << 53, description="Tokens for the whole night; 0: no limit.")] = 0
    usd: Annotated[float, Meta(ge=0, le=1_000_000, description="US dollars for the whole night; 0: no limit.")] = 0.0
    attempts: Annotated[int, Meta(ge=0, le=1_000_000, description="Attempts for the whole night; 0: no limit.")] = 0
    hours: Annotated[
        float, Meta(ge=0, le=100_000, description="Hours of agents' work for the whole night, summed; 0: no limit.")
    ] = 0.0
    common_cause: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="Tasks that fail with the same sign (a test, a missing name, a flag) before what depends on it "
            "is paused; 0: never.",
        ),
    ] = 3
    cause_minutes: Annotated[
        float, Meta(gt=0, le=720, description="Minutes within which failures are looked at together.")
    ] = 90.0
    base_moved: Annotated[
        Literal["stop", "tell"],
        Meta(description="What to do when the default branch changes where the repository came from."),
    ] = "stop"


class CheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The check of the merged tree."""

    minutes: Annotated[float, Meta(gt=0, le=1440, description="Minutes that the check command may take.")] = 15.0
    output_kib: Annotated[
        int, Meta(ge=4, le=65536, description="KiB of the check's output that are kept, the end of it.")
    ] = 512


class MergeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a change lands."""

    author: Annotated[
        str, Meta(pattern=r"^[^<>\n]+ <[^<>\s]+>$", description="Author of landed commits, `Name <email>`.")
    ] = "omni-tui <omni-tui@localhost>"
    push: Annotated[
        bool, Meta(description="Push the release branch to where the repository came from, after each landing.")
    ] = True


class PluginSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which plugin serves a slot, fleet-wide; a workspace may choose its own tracker, workspace and scm.

    It counts from the next start.
    """

    tracker: Annotated[str, Meta(description="Where tasks come from.")] = "files"
    workspace: Annotated[
        str, Meta(description='Checkouts: "clone" (own refs, config and hooks) or "worktree" (linked).')
    ] = "clone"
    scm: Annotated[str, Meta(description="How changes land.")] = "local"
    terminal: Annotated[str, Meta(description="How `attach` gets to an agent's terminal.")] = "tmux"
    reactions: Annotated[
        tuple[str, ...], Meta(description="What follows a failure: the first with an answer is heard.")
    ] = ("retry",)
    notifiers: Annotated[tuple[str, ...], Meta(description="How a person hears of what needs them.")] = ("log",)


class CockpitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The screen."""

    theme: Annotated[Literal["dark", "light"], Meta(description="Colours.")] = "dark"
    screen_hz: Annotated[
        float, Meta(ge=0.2, le=20, description="How often the selected agent's screen is looked at, per second.")
    ] = 2.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fleet's `config.toml`: policy only. It lists no workspace."""

    scheduler: SchedulerSettings = msgspec.field(default_factory=SchedulerSettings)
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    load: LoadSettings = msgspec.field(default_factory=LoadSettings)
    questions: QuestionSettings = msgspec.field(default_factory=QuestionSettings)
    night: NightSettings = msgspec.field(default_factory=NightSettings)
    gate: GateSettings = msgspec.field(default_factory=GateSettings)
    lint: LintSettings = msgspec.field(default_factory=LintSettings)
    check: CheckSettings = msgspec.field(default_factory=CheckSettings)
    merge: MergeSettings = msgspec.field(default_factory=MergeSettings)
    runtime: RuntimeSettings = msgspec.field(default_factory=RuntimeSettings)
    sandbox: SandboxSettings = msgspec.field(default_factory=SandboxSettings)
    plugins: PluginSettings = msgspec.field(default_factory=PluginSettings)
    cockpit: CockpitSettings = msgspec.field(default_factory=CockpitSettings)


BOUND_AT_START = ("merge.author", "runtime", "sandbox", "plugins")
"""Sections and keys that parts are made with: a change of them counts from the next start."""


def bound_at_start(before: Settings, after: Settings) -> tuple[str, ...]:
    """Return which changed sections and keys count only from the next start."""
    return tuple(name for name in BOUND_AT_START if attrgetter(name)(before) != attrgetter(name)(after))
