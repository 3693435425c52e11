"""A fleet in the sandbox with a hostile agent: a real script, started as any agent is."""

from __future__ import annotations

from pathlib import Path

from omni_tui.model.event import Event
from omni_tui.plugins import sandbox
from tests.support.fleets import AGENT, QUICK, TestFleet, git, make_fleet
from tests.support.running import Record, until_idle

SETTINGS = QUICK.replace("0.05", "1") + "[night]\nfailures = 0\n"


class Attack:
    """One attack: `script` runs in the agent's checkout, where what it reports with `note NAME` is committed."""

    def __init__(self, fleet: TestFleet, record: Record) -> None:
        self.fleet = fleet
        self.record = record

    def notes(self) -> dict[str, str]:
        """Return what the agent noted, by name, as it landed; that it is there proves that the attack ran."""
        names = git(self.fleet.paths.repo, "ls-tree", "--name-only", "release/omni", "notes/").splitlines()
        shown = {name: git(self.fleet.paths.repo, "show", f"release/omni:{name}") for name in names}
        return {name.removeprefix("notes/"): text for name, text in shown.items()}

    def events(self, name: str) -> list[Event]:
        """Return the events of one name."""
        return self.record.named(name)


NOTE = (
    AGENT
    + 'mkdir -p notes\nnote() { name=$1; shift; { "$@"; echo "status $?"; } > "notes/$name" 2>&1; }\nsay accepted\n'
)


async def attack(
    directory: Path,
    script: str,
    *,
    settings: str = SETTINGS,
    workspace: str = "",
    reach: str = "",
    kind: str = "bwrap",
    patience: float = 60,
) -> Attack:
    """Run `script` as an agent in a sandbox of `kind`, and return what came of it."""
    assert not sandbox.fault(kind), f"this test needs {kind}"
    fleet = await make_fleet(directory, settings=settings, workspace=workspace, sandbox=kind, reach=reach)
    fleet.agent(f"{NOTE}{script}\ncommit 'attacked'\nsay finished\n")
    fleet.add("Attack")
    return Attack(fleet, await until_idle(fleet, patience))
