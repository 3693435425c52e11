"""Who works in the storm: eight small programs and two Claude Codes, and how the fleet they work in is set."""

from __future__ import annotations

from tests.support.fleets import AGENT

ATTEMPTS = 4
"""That a task may have, those aside that were lost to the storm."""

SETTINGS = f"""
[limits]
handover_seconds = 30
stall_minutes = 0.1
tool_minutes = 0.5
wall_minutes = 1.5
kill_grace_seconds = 0.2
attempts = {ATTEMPTS}
[scheduler]
slots = 10
[night]
failures = 0
restarts = 0
common_cause = 0
"""

FIRST = '[ "$OMNI_ATTEMPT" = 1 ] && '
STALLS = FIRST + "exec sleep 3600"
ASKS = '[ "$OMNI_ATTEMPT" -le 2 ] && { say waiting; sleep 3600; }'
COMMITS_LATE = FIRST + '{ echo late > "$OMNI_TASK.txt"; say finished; sleep 0.1; commit "do $OMNI_TASK"; exit; }'


def _script(seconds: int, manner: str = "") -> str:
    """Return a program that works for so long, and does what is peculiar to it before."""
    return f"""{AGENT}
say accepted
{manner}
for _ in $(seq {seconds}); do say activity; sleep 1; done
echo "done by $OMNI_TASK" > "$OMNI_TASK.txt"
commit "do $OMNI_TASK"
say finished
"""


COMMANDS = {
    "command-1": _script(1),
    "command-2": _script(3),
    "command-3": _script(7),
    "command-4": _script(12),
    "command-5": _script(20),
    "command-6": _script(4, STALLS),
    "command-7": _script(4, ASKS),
    "command-8": _script(4, COMMITS_LATE),
}
CLAUDES = ("claude-1", "claude-2")


def task_head(number: int) -> dict[str, object]:
    """Return the head of a task: each agent gets every tenth."""
    names = (*COMMANDS, *CLAUDES)
    return {"agent": names[number % len(names)]}
