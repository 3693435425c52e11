"""A scripted agent: looks its task up in `labour.toml` beside it, works for a while, makes the edits and commits them.

It runs on the `command` harness and imports nothing of omni-tui. It looks at its checkout no earlier than it edits, and
touches what its table says, whatever the plan believes: two that edit one place at once do conflict.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
from pathlib import Path

IDENTITY = ("-c", "user.name=Agent", "-c", "user.email=agent@localhost")


def say(event: str) -> None:
    """Tell the orchestrator: one JSON line, in one write."""
    with Path(os.environ["OMNI_EVENTS"]).open("a", encoding="utf-8") as events:
        events.write(json.dumps({"event": event}) + "\n")


def edit(path: str, text: str, *, whole: bool = False) -> None:
    """Append `text` to a file, or put it in the place of all that is there; `{next}` is the number of a migration."""
    if "{next}" in path + text:
        number = 1 + int(Path("examples/inventory/migrations/max_migration.txt").read_text(encoding="utf-8")[:4])
        path, text = (each.replace("{next}", f"{number:04d}") for each in (path, text))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    there = target.read_text(encoding="utf-8") if target.exists() and not whole else ""
    target.write_text(there + text, encoding="utf-8")


def main() -> None:
    """Do the task of this attempt."""
    task = os.environ["OMNI_TASK"].rpartition("/")[2]
    labour = tomllib.loads(Path(__file__).with_name("labour.toml").read_text(encoding="utf-8"))[task]
    say("accepted")
    time.sleep(float(os.environ["WORK_SECONDS"]))
    for change in labour["edits"]:
        edit(**change)
    subprocess.run(("git", "add", "--all"), check=True)
    subprocess.run(("git", *IDENTITY, "commit", "--quiet", "-m", task), check=True)
    say("finished")


if __name__ == "__main__":
    main()
