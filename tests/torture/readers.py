"""Everything that reads what others write, each with a sound input to spoil; what it returns is what would be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from omni_tui.cockpit.story import tell
from omni_tui.config import load_agent, load_settings, load_workspace
from omni_tui.engine.past import look_back
from omni_tui.engine.prompt import blocked_note, build_prompt, commit_message
from omni_tui.engine.tail import Tail
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.refs import is_ref_name, refusal
from omni_tui.model.task import TaskRef
from omni_tui.model.taskfile import file_name, parse, render
from omni_tui.model.text import clean, code, keep_sgr, one_line
from omni_tui.narration import narrate
from omni_tui.plugins.agent.claude import ClaudeAgent
from omni_tui.plugins.agent.claude_transcript import Transcript
from omni_tui.plugins.agent.command import CommandAgent
from omni_tui.plugins.checkouts import read_record
from omni_tui.plugins.runtime import records
from omni_tui.policy import night
from omni_tui.policy.holding import in_file
from omni_tui.policy.leaks import leaks
from omni_tui.policy.redaction import Redactor, Secret
from omni_tui.store import control
from omni_tui.store.folder import Folder
from omni_tui.store.journal import read_events
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import Lease
from omni_tui.store.notable import NotableEvents
from omni_tui.store.paths import WorkspacePaths
from omni_tui.store.reader import FleetReader
from omni_tui.store.runs import Runs
from omni_tui.store.state import read_state, take_state
from tests.torture.nonsense import Spoiler

NOW = 2_000_000_000.0
ATTEMPT = AttemptId(TaskRef("w", "t1"), 1)
AGENT = AgentSpec(name="a", harness="command", command=("x",))
REDACT = Redactor([Secret("KEY", "s3cr3t-value/0123")])

TASK = b"""+++
id = "t1"
title = "Count the eggs"
priority = 3
labels = ["eggs", "count"]
depends_on = ["t0"]
touches = ["app/**"]
budget = 1.5
foreign = {a = 1, b = ["x"]}
+++

# Count the eggs

- in the `basket`
"""
CONFIG = b"""[scheduler]
slots = 2
spares = true
[gate]
empty_diff = "flag"
protected_paths = ["a/**"]
[merge]
author = "A <a@b>"
"""
WORKSPACE = (
    b'repo = "/somewhere"\nrelease = "release/omni"\ncheck = "make test"\ncopy = [".env"]\nsetup_minutes = 2.5\n'
)
AGENT_TOML = b'harness = "command"\ncommand = ["sh", "-c", "true"]\nenv = {A = "b"}\nsecrets = ["KEY"]\nmax_usd = 1.0\n'
LINES = (
    b'{"event": "working", "detail": "reads a file", "tokens": 12, "usd": 0.5, "turns": 3, "until": 2000000000}',
    b'{"hook_event_name":"PreToolUse","transcript_path":"/t","tool_name":"Bash","tool_input":{"command":"ls"}}',
    b'{"hook_event_name":"StopFailure","error":"rate_limit","last_assistant_message":"resets at 5am"}',
    b'{"type":"result","subtype":"success","num_turns":3,"result":"done","usage":{"input_tokens":1,"output_tokens":2}}',
    b'{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":5,"output_tokens":7}}}',
)
EVENTS = (
    b'{"time":2000000000.0,"event":"task.blocked","workspace":"w","task":"t1","attempt":1,"data":{"reason":"why"}}',
    b'{"time":2000000000.0,"event":"check.finished","data":{"passed":true,"seconds":1.5}}',
    b'{"time":2000000000.0,"event":"task.landed","workspace":"w","task":"t1","data":{"release":"r","commit":"abcdef"}}',
    b'{"time":2000000000.0,"event":"config.refused","data":{"file":"config.toml","error":"bad"}}',
    b'{"time":2000000000.0,"event":"config.taken","data":{"file":"config.toml","later":["runtime"]}}',
)
OWNER = b'{"pid":1,"host":"h","boot_id":"b","process_started":1.0,"epoch":"000001-abc-1","since":1.0,"mode":"headless"}'
STATE = b'{"frozen":true,"throttled":false,"message":"m","holds":{"w/t1":"waits"}}'
REQUEST = b'{"id":"r1","kind":"kill","task":"w/t1","reason":"because","by":"cli","at":1.0}'
REPLY = b'{"id":"r1","ok":true,"message":"done"}'
STATUS = (
    b'{"task":"t1","workspace":"w","attempt":1,"phase":"watch","agent":"a","health":"tool","detail":"d","tokens":5}'
)
VERDICT = b'{"findings":[{"kind":"too_large","severity":"flag","message":"m","paths":["a"]}]}'
STEP = b'{"key":"conclude","at":1.0,"epoch":"1","result":{"kind":"retry","reason":"r","delay":1.0},"failure":null}\n'
PROCESS = b"123 4567 2f0d-boot namespace %3\n"
RECORD = b'{"branch":"omni/t1/1","base":"abc","copied":[".env"]}'
PATCH = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n one\n-two\n+s3cr3t-value/0123\n"
CREDENTIALS = b'API_KEY="9f8e7d6c5b4a3928"\nURL=postgres://u:pa55word@h/db\n'


class Reader(NamedTuple):
    """One reader: how often it is tried of a hundred times, and one try in a directory of its own."""

    share: int
    attempt: Callable[[Spoiler, Path], Iterable[object]]


def task_file(spoiler: Spoiler, _: Path) -> Iterator[object]:
    task = parse(spoiler.spoil(TASK), workspace="w", stem=spoiler.name(), created_at=NOW)
    yield from (task, parse(render(task).encode(), workspace="w", stem="s", created_at=NOW), file_name(task))
    failures = [Failure(kind=FailureKind.CHECK, message=spoiler.text(), output=spoiler.text())]
    yield commit_message(task, ATTEMPT, AGENT)
    yield build_prompt(task, AGENT, WorkspaceSettings(), ATTEMPT, failures)
    yield blocked_note(task, failures, "w", spoiler.text())


def task_name(spoiler: Spoiler, place: Path) -> Iterator[object]:
    name = spoiler.name()
    (place / f"{name}.md").write_bytes(spoiler.spoil(TASK))
    (place / f"{name}.note.md").write_bytes(spoiler.spoil(b"blocked because\n"))
    folder = Folder("w", place)
    folder.scan()
    yield from ((entry.task, entry.note) for entry in folder.entries.values())


def settings(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "agent.toml").write_bytes(spoiler.spoil(AGENT_TOML))
    (place / "workspace.toml").write_bytes(spoiler.spoil(WORKSPACE))
    (place / "config.toml").write_bytes(spoiler.spoil(CONFIG))
    loaders: tuple[Callable[[], object], ...] = (
        lambda: load_settings(place / "config.toml"),
        lambda: load_workspace(place / "workspace.toml"),
        lambda: load_agent(place),
    )
    yield spoiler.random.choice(loaders)()


def signals(spoiler: Spoiler, _: Path) -> Iterator[object]:
    line = spoiler.spoil(spoiler.random.choice(LINES))
    yield from (agent.read(line, NOW) for agent in (CommandAgent(), ClaudeAgent()))
    yield Transcript().read(line, NOW)


def growing_file(spoiler: Spoiler, place: Path) -> Iterator[object]:
    path, agent = place / "events.jsonl", CommandAgent()
    tail = Tail(path)
    for _ in range(3):
        with path.open("ab") as file:
            file.write(spoiler.spoil(b"\n".join(LINES)))
        yield from (agent.read(line, NOW) for line in tail.lines())


def journal(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "2033-05-18.jsonl").write_bytes(spoiler.spoil(b"\n".join(EVENTS) + b"\n"))
    yield from map(narrate, read_events(place))
    notable = NotableEvents(place)
    notable.read()
    yield notable.message


def lease(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "lease").write_bytes(spoiler.spoil(OWNER.ljust(1023) + b"\n"))
    held = Lease.acquire(place / "lease", "headless", lambda: NOW)
    held.check()
    held.release()
    yield held.epoch


def state(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "state.json").write_bytes(spoiler.spoil(STATE))
    yield read_state(place)
    yield take_state(place)


def requests(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "r1.request.json").write_bytes(spoiler.spoil(REQUEST))
    found = control.pending(place)
    yield found
    assert found or any((place / "refused").glob("*.note.md")), "a request that is none was not put aside"
    (place / "r1.reply.json").write_bytes(spoiler.spoil(REPLY))
    yield control.read_reply(place, "r1")


def run_files(spoiler: Spoiler, place: Path) -> Iterator[object]:
    runs = Runs(WorkspacePaths(place, "w"))
    directory = place / "runs/t1/1"
    directory.mkdir(parents=True)
    (directory / "status.json").write_bytes(spoiler.spoil(STATUS))
    (directory / "verdict.json").write_bytes(spoiler.spoil(VERDICT))
    (directory / "steps.jsonl").write_bytes(spoiler.spoil(STEP))
    (directory.parent / "first").write_bytes(spoiler.random.choice((b"1", b"", b"x", b"9" * 5000, b"-1")))
    run = runs.latest("t1")
    assert run is not None
    yield run.read_status()
    yield run.read_verdict()
    runs.attempts("t1")
    look_back(runs, ATTEMPT.task)


def wrapper_records(spoiler: Spoiler, place: Path) -> Iterator[object]:
    (place / "process").write_bytes(spoiler.spoil(PROCESS))
    (place / "exit").write_bytes(spoiler.spoil(b"143\n"))
    (place / "pane.log").write_bytes(spoiler.spoil(spoiler.text().encode("utf-8", "replace") + b"\n"))
    records.read_process(place)
    records.read_exit(place)
    screen = records.logged_screen(place, columns=80, rows=24, history=10)
    yield [] if screen is None else [clean(line) for line in screen.lines]
    (place / ".records").mkdir()
    (place / ".records/x.json").write_bytes(spoiler.spoil(RECORD))
    read_record(place / "x")


def texts(spoiler: Spoiler, _: Path) -> Iterator[object]:
    text = spoiler.text()
    yield from (clean(text), one_line(text, spoiler.random.randint(1, 50)), code(text))
    yield from (clean(keep_sgr(line)) for line in text.split("\n"))
    shown = keep_sgr(text)
    assert "\x1b" not in shown.replace("\x1b[", "") or clean(shown) != "", "an escape that is no colour was kept"


def names_of_refs(spoiler: Spoiler, _: Path) -> Iterator[object]:
    name = f"refs/heads/omni/{spoiler.text()}"
    is_ref_name(name)
    if not refusal(name, release="release/omni", protected=frozenset({"main"})):
        yield name


def secrets(spoiler: Spoiler, _: Path) -> Iterator[object]:
    patch = spoiler.spoil(PATCH).decode("utf-8", "replace")
    yield from (found.message for found in leaks(patch, spoiler.text(), REDACT.find, ()))
    text = spoiler.text() + "s3cr3t-value/0123" + spoiler.text()
    assert "s3cr3t-value" not in REDACT(text), "a secret was not masked"
    list(in_file(".env", spoiler.spoil(CREDENTIALS).decode("utf-8", "replace")))


def views(spoiler: Spoiler, place: Path) -> Iterator[object]:
    """Spoil each file of a small fleet, and look at it as the cockpit, `show`, `list` and `report` do."""
    paths = create_fleet(place / "fleet", "")
    create_workspace(paths.workspace("w"))
    sound = {
        "workspaces/w/queue/doing/t1.md": TASK,
        "workspaces/w/queue/blocked/t2.md": TASK.replace(b'"t1"', b'"t2"'),
        "workspaces/w/queue/blocked/t2.note.md": b"blocked because\n\n## Why\n",
        "workspaces/w/runs/t1/1/status.json": STATUS,
        "workspaces/w/runs/t1/1/verdict.json": VERDICT,
        "workspaces/w/runs/t1/1/steps.jsonl": STEP + STEP.replace(b"conclude", b"prepare"),
        "state.json": STATE,
        "journal/2033-05-18.jsonl": b"\n".join(EVENTS) + b"\n",
    }
    for name, data in sound.items():
        path = paths.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(spoiler.spoil(data) if spoiler.random.random() < 0.7 else data)
    reader = FleetReader(paths, lambda: NOW)
    view = reader.read()
    yield (view.rows, view.message)
    for row in view.rows:
        yield [text for paragraph in tell(row, reader.detail(row)) for text, _ in paragraph]
    yield night.look_back(list(read_events(paths.journal)), view, since=0.0)


READERS = {
    "whole fleets, shown": Reader(3, views),
    "task files": Reader(20, task_file),
    "task file names and notes": Reader(8, task_name),
    "configuration": Reader(10, settings),
    "signals": Reader(15, signals),
    "growing event files": Reader(4, growing_file),
    "journal": Reader(8, journal),
    "lease": Reader(1, lease),
    "state": Reader(4, state),
    "requests": Reader(4, requests),
    "runs": Reader(6, run_files),
    "wrapper records": Reader(3, wrapper_records),
    "escape sequences": Reader(8, texts),
    "names of refs": Reader(3, names_of_refs),
    "secrets": Reader(3, secrets),
}
