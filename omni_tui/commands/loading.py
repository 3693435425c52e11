"""The judgement of `omni-tui doctor` on load: what the machine tells, what would brake, and what can be capped."""

from __future__ import annotations

from collections.abc import Iterator

from omni_tui.commands.health import Check, ok, warn
from omni_tui.model.load import Sample
from omni_tui.model.settings import LoadSettings
from omni_tui.plugins.machine import Facts
from omni_tui.policy.load import binds, follow, told

PRESSURES = ("cpu", "memory", "io")


def judge_pressure(facts: Facts) -> Check:
    """Judge whether the kernel tells how much is waited for it."""
    missing = [name for name in PRESSURES if name not in facts.pressure]
    if missing:
        detail = f"the kernel does not tell of {', '.join(missing)}: the load per core and the memory left brake alone"
        return warn("pressure stalls", detail, "boot a Linux from 4.20 on with `psi=1`, where it was built with it")
    return ok("pressure stalls", f"the kernel tells of {', '.join(facts.pressure)}")


def judge_load(sample: Sample, settings: LoadSettings, facts: Facts) -> Iterator[Check]:
    """Judge the machine at this moment by a fleet's own limits, and whether it can hold agents to their caps."""
    words = "; ".join(told(sample, settings))
    if busy := binds(follow(None, sample, 0.0, settings), settings, running=1):
        yield warn("load", f"nothing would start beside another agent: {busy}", "wait, or change [load] in config.toml")
    else:
        yield ok("load", words)
    yield _judge_caps(settings, facts)


def _judge_caps(settings: LoadSettings, facts: Facts) -> Check:
    caps = settings.caps
    named = [f"{caps.memory_mb:g} MB of memory"] if caps.memory_mb else []
    named += [f"{caps.processes} processes and threads"] if caps.processes else []
    named += [f"{caps.cpus:g} CPUs"] if caps.cpus else []
    if not facts.groups:
        how = "held by control groups"
        return ok(
            "caps", f"each agent's tree: {', '.join(named)}, {how}" if named else f"none set; they would be {how}"
        )
    if not named:
        return ok("caps", f"none set; whole trees could not be capped here: {facts.groups}")
    instead = "each process gets so much memory for its data, which no tree is held to" if caps.memory_mb else "none is"
    return warn("caps", f"not held here, because {facts.groups}; {instead}", "run it where control groups can be made")
