"""The judgement of `omni-tui doctor` on sandboxes: which can be had, what they keep agents from, and what not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omni_tui.commands.health import Check, fail, ok, warn
from omni_tui.model.sandbox_settings import SandboxSettings
from omni_tui.plugins.machine import Facts

_BEYOND_LANDLOCK = "which files there are, modes and times of yours (chmod, touch), System V memory"
"""What Landlock, as of its version 7, has no rules for."""
_LOST_WITH_LANDLOCK = (
    "they have no Unix sockets, /tmp, /dev/shm and terminals of their own, and without network no 127.0.0.1 either"
)


def judge_sandboxes(facts: Facts) -> Iterator[Check]:
    """Judge what this machine offers, the better one first."""
    yield _judge_bubblewrap(facts)
    yield _judge_landlock(facts)


def _judge_bubblewrap(facts: Facts) -> Check:
    if facts.bwrap:
        instead = (
            'without a sandbox nothing starts, unless `kind = "off"` under [sandbox] says that it may'
            if facts.landlock
            else "Landlock serves instead, which protects less"
        )
        return warn("bubblewrap", facts.bwrap, f"mend that; {instead}")
    detail = "agents can be kept in a file system and a process list of their own; env(1) is GNU's, as it has to be"
    typing = "; TIOCSTI is on, but types into their own terminals alone" if facts.terminal_input else ""
    return ok("bubblewrap", f"{detail}{typing}")


def _judge_landlock(facts: Facts) -> Check:
    if facts.landlock and facts.bwrap:
        return warn("landlock", facts.landlock, "bubblewrap is the better one to have")
    if facts.landlock:
        return ok("landlock", f"not needed here, and not to be had: {facts.landlock}")
    return ok("landlock", f"agents can be kept to files and sockets; not kept from them: {beyond(facts)}")


def beyond(facts: Facts) -> str:
    """Return what Landlock on this machine does not keep agents from."""
    processes = ("the names of your processes",) if facts.namespaces else ()
    return ", ".join((_BEYOND_LANDLOCK, *processes, *facts.landlock_gaps))


def kind_of(settings: SandboxSettings, facts: Facts) -> str | None:
    """Return the kind of sandbox that agents run in here, or `off`; None: it cannot be had, so nothing starts."""
    faults = {"bwrap": facts.bwrap, "landlock": facts.landlock, "off": ""}
    meant = ("bwrap", "landlock") if settings.kind == "auto" else (settings.kind,)
    return next((kind for kind in meant if not faults[kind]), None)


def judge_protection(settings: SandboxSettings, facts: Facts, shared: Sequence[str]) -> Check:
    """Say what agents of a fleet can reach; `shared` are its workspaces with linked worktrees."""
    kind = kind_of(settings, facts)
    if kind is None:
        return fail("sandbox", f'kind = "{settings.kind}" cannot be had: nothing starts', "see bubblewrap and landlock")
    if kind == "off":
        detail = "off: agents, checks and set-up commands can read and change all that you can"
        return warn("sandbox", detail, 'install bubblewrap and set `kind = "auto"` under [sandbox]')
    own = f"agents see their checkout, the tools (read only) and their own state, with {_network(settings)}"
    if shared:
        detail = f"{own}; those of {', '.join(shared)} can write all refs and objects of its repo.git"
        return warn("sandbox", detail, 'set `workspace = "clone"` there')
    if kind == "landlock":
        detail = f"Landlock: {own}; {_LOST_WITH_LANDLOCK}; not kept from them: {beyond(facts)}"
        return warn("sandbox", detail, "install bubblewrap: it keeps them from that too")
    sockets = " and abstract sockets" if settings.net == "host" else ""
    kept = "nothing else of your files and processes"
    return ok("sandbox", f"bubblewrap: {own}; {kept}; not kept from them: your kernel keyrings{sockets}")


def _network(settings: SandboxSettings) -> str:
    match settings.net:
        case "host":
            return "the network of this machine"
        case "proxy":
            more = ", ".join(settings.hosts)
            return f"a network of their API{' and ' if more else ''}{more} alone"
        case _:
            return "no network"
