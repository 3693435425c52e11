"""A scripted agent: a program of its own, started by the `command` harness, that behaves as coding agents do.

It is told its task as every such program is (OMNI_TASK, OMNI_ATTEMPT, OMNI_PROMPT, OMNI_EVENTS), looks up in
`behaviours.toml` how this attempt goes, good or bad, and works in its checkout: real edits, real pytest, real git.
It imports nothing of omni-tui.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

BOLD, DIM, RED, GREEN, YELLOW, CYAN, PLAIN = (f"\033[{code}m" for code in ("1", "2", "31", "32", "33", "36", "0"))
THOUGHT_SECONDS = 0.3
"""How long it thinks before it does something; `OMNI_DEMO_PACE` stretches it."""
IDENTITY = ("-c", "user.name=Demo Agent", "-c", "user.email=agent@localhost")


def emit(event: str, **more: str | int) -> None:
    """Tell the orchestrator: one JSON line, appended in one write."""
    line = json.dumps({"event": event, **more}) + "\n"
    with Path(os.environ["OMNI_EVENTS"]).open("a", encoding="utf-8") as events:
        events.write(line)


def say(text: str, colour: str = PLAIN) -> None:
    """Show a line in the pane."""
    print(f"{colour}{text}{PLAIN}", flush=True)  # noqa: T201 - its pane is what it prints to


def do(text: str) -> None:
    """Think for a moment, then say what comes next, in the pane and as a signal."""
    time.sleep(THOUGHT_SECONDS * float(os.environ.get("OMNI_DEMO_PACE", "1")))
    say(f"● {text}", CYAN)
    emit("activity", detail=text)


def run(*argv: str) -> int:
    """Run a program in the checkout, its output in the pane; return its exit status."""
    say(f"  $ {' '.join(Path(argv[0]).name if n == 0 else word for n, word in enumerate(argv))}", DIM)
    return subprocess.run(argv, check=False).returncode


def edit(change: dict[str, Any]) -> None:
    """Make one edit of the table. Raises `LookupError` when what it looks for is not in the file."""
    path = Path(change["path"])
    do(f"Edit {path}")
    old = path.read_text(encoding="utf-8") if path.exists() and not change.get("whole") else ""
    at = old.find(change["before"]) if "before" in change else len(old)
    if at < 0:
        raise LookupError(f"{path} has no {change['before']!r}")
    path.write_text(old[:at] + change["text"] + old[at:], encoding="utf-8")
    for line in change["text"].strip().splitlines()[:6]:
        say(f"    + {line}", GREEN)


def take_task(attempt: int) -> None:
    """Accept the task and read the prompt; at a later attempt, first of all what went wrong."""
    emit("accepted")
    prompt = Path(os.environ["OMNI_PROMPT"]).read_text(encoding="utf-8")
    do(f"Read the task: {len(prompt.split())} words")
    if attempt > 1:
        do("Read what went wrong last time")


def work(edits: list[dict[str, Any]], subject: str, *, commit: bool) -> None:
    """Make the edits and run the tests; commit them where `commit` says so."""
    for change in edits:
        edit(change)
    do("Run the tests")
    run(sys.executable, "-m", "pytest", "-q", "--no-header")
    if commit:
        do("Commit")
        run("git", "add", "--all")
        run("git", *IDENTITY, "commit", "--quiet", "-m", subject)
    do("Done: the change is complete and the tests pass")
    emit("finished", tokens=1200 + 300 * len(edits))


def main() -> int:
    """Behave as the table says; return the exit status."""
    table = tomllib.loads(Path(__file__).with_name("behaviours.toml").read_text(encoding="utf-8"))
    task, attempt = os.environ["OMNI_TASK"].rpartition("/")[2], int(os.environ["OMNI_ATTEMPT"])
    story = table[task]
    behaviour = story["attempts"][min(attempt, len(story["attempts"])) - 1]
    say(f"✻ scripted agent on {task}, attempt {attempt}", BOLD)
    if behaviour == "exit":
        say("error: my session has expired, please log in", RED)
        return 1
    take_task(attempt)
    if behaviour == "stall":
        do("Think about it")
        say("  waiting for the model …", YELLOW)
        time.sleep(3600)
    work(story["mistaken" if behaviour == "mistaken" else "edits"], story["subject"], commit=behaviour != "forget")
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    raise SystemExit(main())
