"""Hostile text at every entry, looked for at every exit: nothing that acts reaches a screen, a terminal or tmux."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path

import pytest

from omni_tui.cockpit.app import CockpitApp
from omni_tui.headless import Printer
from omni_tui.model.task import Status
from omni_tui.plugins.runtime.sockets import socket_path
from tests.support.cockpit_pilot import settle, text_of
from tests.support.cockpit_ports import MemoryInsight, make_ports
from tests.support.fleet_tree import FleetTree
from tests.support.fleets import AGENT, QUICK, TestFleet, make_fleet
from tests.support.running import Record, dispatching, until_idle

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""What may be in nothing that is shown."""

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;aGk=\x1b\\",
    "link": "\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\",
    "colour and move": "\x1b[31m\x1b[2J\x1b[10A",
    "device": "\x1bP+q544e\x1b\\\x1b_Gi=1\x1b\\\x1bc",
    "C1": "\x9b31m\x9d0;x\x9c\x90y\x9c",
    "C0": "\x01\x08\x0b\x0c\x0d\x7f",
    "bidi": "\u202egnp.exe\u2066\u2069\u200f",
    "breaks": "\u2028\u2029\ufeff",
    "markup": "[bold red]x[/][@click=app.quit]y[/] [type=x, v={'a[0]'}]",
    "tmux": "#(touch owned)#{pane_id}#[fg=red]",
    "format": "{0.__class__}{reason!r}%s%n$(touch owned)`touch owned`",
}


def as_toml(text: str) -> str:
    """Write a text as TOML does, whatever is in it."""
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


async def fleet_with(directory: Path, text: str) -> tuple[TestFleet, str]:
    """Make a fleet whose agent says `text` in every way, and whose task holds it in every field."""
    said = directory / "said"
    said.mkdir()
    (said / "line").write_text(json.dumps({"event": "working", "detail": f"d {text}"}) + "\n")
    (said / "text").write_bytes(f"s {text}\n".encode())
    check = f'check = "cat {said / "text"}; false"\n'
    fleet = await make_fleet(directory, settings=QUICK.replace("0.05", "1"), workspace=check)
    fleet.agent(
        AGENT
        + f"""
say accepted
cat {said / "line"} >> "$OMNI_EVENTS"
cat {said / "text"}
echo work > work.txt
name=$(cat {said / "text"} | tr -d '/\\n' | cut -c 1-60)
echo work > "n $name"
git add -A && git commit -q -F {said / "text"}
say finished
"""
    )
    head = f"title = {as_toml(f't {text}')}\ntouches = [{as_toml(text)}]\nlabels = [{as_toml(text)}]\n"
    path = fleet.paths.queue(Status.TODO) / "evil.md"
    path.write_bytes(f'+++\nid = "evil"\n{head}+++\n\nb {text}\n'.encode("utf-8", "surrogatepass"))
    return fleet, "evil"


async def screens_of(fleet: TestFleet, text: str) -> str:
    """Return all that the cockpit shows of the fleet: the table, the task, its diff, and an agent's screen."""
    tree = FleetTree.__new__(FleetTree)
    tree.paths = fleet.fleet.paths
    insight = MemoryInsight()
    insight.patch, insight.lines = f"+{text}", (f"s {text}",)
    app = CockpitApp(make_ports(tree, insight=insight))
    shown = ""
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        for key in ("j", "enter", "escape", "d", "escape"):
            await pilot.press(key)
            await pilot.pause()
            shown += text_of(pilot)
        await settle(pilot)
        shown += str(app.title) + str(app.sub_title)
    return shown


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_text_acts_nowhere(tmp_path: Path, kind: str) -> None:
    text = HOSTILE[kind]
    fleet, task = await fleet_with(tmp_path, text)
    record: Record = await until_idle(fleet)
    exits = {"cockpit": await screens_of(fleet, text)}
    for as_json in (False, True):
        out = io.StringIO()
        printer = Printer(out, as_json=as_json)
        for event in record.events:
            printer.show(event)
        exits[f"headless, json {as_json}"] = out.getvalue()
    exits |= {f"journal {path.name}": path.read_text() for path in fleet.fleet.paths.journal.iterdir()}
    run = fleet.paths.runs / task / "1"
    for path in (run / "status.json", run / "verdict.json", run / "prompt.md", *fleet.paths.root.rglob("*.note.md")):
        exits[path.name] = path.read_text() if path.exists() else ""
    exits["commit"] = "\n".join(fleet.landed())
    found = {name: ACTS.search(shown) for name, shown in exits.items()}
    assert {name: match[0] for name, match in found.items() if match} == {}
    assert not list(tmp_path.rglob("owned"))
    assert "t " in exits["cockpit"]


async def test_tmux_is_told_ids_alone(tmp_path: Path) -> None:
    fleet, _ = await fleet_with(tmp_path, "".join(HOSTILE.values()))
    fleet.agent(AGENT + "say accepted\nsleep 30\n")
    async with dispatching(fleet) as (_, record):
        await record.wait(lambda event: event.event == "attempt.started")
        socket = socket_path(fleet.root / "tmux.sock")
        shown = "#{session_name}|#{window_name}|#{pane_title}|#{pane_start_command}"
        words = ("tmux", "-S", str(socket), "list-panes", "-a", "-F", shown)
        asked = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        listing, _ = await asked.communicate()
    names = [line.split("|")[1] for line in listing.decode().splitlines()]
    assert "app-evil-1" in names
    assert not ACTS.search(listing.decode())
    assert not list(tmp_path.rglob("owned"))
