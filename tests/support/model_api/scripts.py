"""The scripts: what the model does at each turn of a conversation. Pure functions of the request."""

from __future__ import annotations

import json
import shlex
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.support.model_api.conversation import Conversation
from tests.support.model_api.replies import Answer, Fault, Reply

Script = Callable[[Conversation], Reply]

DEMO = Path(__file__).parents[3] / "omni_tui" / "demo"
EDIT = """
import json, pathlib, sys
edit = json.loads(sys.argv[1])
path = pathlib.Path(edit["path"])
old = path.read_text() if path.exists() else ""
at = old.index(edit["before"]) if "before" in edit else len(old)
path.write_text(old[:at] + edit["text"] + old[at:])
"""
"""Makes one edit of the demo's table."""

PREFLIGHT = "only tries whether you can work"
FILE = "hello.py"
CONTENT = 'def hello() -> str:\n    """Greet."""\n    return "hello"\n'
ERRAND = "Run the errand that never ends."
SUBAGENT = "general-purpose"
COMMIT = f"git add {FILE} && git -c user.name=Agent -c user.email=agent@example.invalid commit -qm 'Add hello'"


def commit(conversation: Conversation) -> Reply:
    """Write a file, commit it, say so: the agent that does its work."""
    turns: tuple[Reply, ...] = (_write(conversation), _run(COMMIT), Answer(f"Done: {FILE} is committed."))
    return turns[min(conversation.turn, len(turns) - 1)]


def ready(conversation: Conversation) -> Reply:
    """Answer a preflight with one word; do the work of any other task, in a file of its own."""
    if PREFLIGHT in conversation.opening:
        return Answer("ready")
    write = f"touch {FILE}; echo done > {conversation.task}.txt"
    turns: tuple[Reply, ...] = (_run(write), _run("git add --all && git commit -qm Do"), Answer("Done."))
    return turns[min(conversation.turn, len(turns) - 1)]


def own_file(conversation: Conversation) -> Reply:
    """Write a file that is named after the task, and commit it: many tasks side by side can land."""
    write = f"echo done by {conversation.task} > {conversation.task}.txt"
    commit = f"git add --all && git commit -qm {shlex.quote(f'do {conversation.task}')}"
    turns: tuple[Reply, ...] = (_run(write), _run(commit), Answer("Done: it is committed."))
    return turns[min(conversation.turn, len(turns) - 1)]


def own_count(conversation: Conversation) -> Reply:
    """Commit how many sessions' transcripts can be seen, in a file that is named after the task, and the other one.

    Claude Code writes its own a little after it has begun, so that is waited for, 20 s at most.
    """
    seen = "find / -path '*/projects/*/*.jsonl' 2>/dev/null | wc -l"
    wait = f'for look in $(seq 200); do [ "$({seen})" = 0 ] || break; sleep 0.1; done'
    count = f"touch {FILE}; {wait}; {seen} > {conversation.task}.txt"
    turns: tuple[Reply, ...] = (_run(count), _run("git add --all && git commit -qm Count"), Answer("Done."))
    return turns[min(conversation.turn, len(turns) - 1)]


def no_commit(conversation: Conversation) -> Reply:
    """Say that the work is done, and do nothing, however often it is told."""
    return Answer("Done: everything is in place.")


def late_commit(conversation: Conversation) -> Reply:
    """Write the file and stop without a commit; commit when the Stop hook objects."""
    turns: tuple[Reply, ...] = (_write(conversation), Answer("Done."), _run(COMMIT), Answer("Now it is committed."))
    return turns[min(conversation.turn, len(turns) - 1)]


def stall_once(conversation: Conversation) -> Reply:
    """Stop in mid-stream for ever at the first attempt; do the work at the next."""
    if conversation.attempt == 1:
        return Answer("I will look at the", stall=True)
    return commit(conversation)


def forbidden(conversation: Conversation) -> Reply:
    """Want a command that nobody allowed, before the work."""
    if conversation.turn == 0:
        return _run('python3 -c \'open("forbidden.txt", "w")\'')
    return Answer("I could not go on.")


def question(conversation: Conversation) -> Reply:
    """Ask a person to choose, before the work."""
    if conversation.turn == 0:
        options = [{"label": label, "description": f"Say {label}."} for label in ("hello", "hi")]
        asked = {"question": "Which greeting?", "header": "Greeting", "options": options, "multiSelect": False}
        return Answer("I ask.", "AskUserQuestion", {"questions": [asked]})
    return commit(_later(conversation, 1))


def repeating(_conversation: Conversation) -> Reply:
    """Run the same test again and again."""
    return _run("python3 -m unittest")


def slow(_conversation: Conversation) -> Reply:
    """Take a second for each turn, for ever: time for the status line, which waits for a pause."""
    return _run("sleep 1; date +%N")


def rate_limited(_conversation: Conversation) -> Reply:
    """Refuse for an hour."""
    return Fault(429, "rate_limit_error", "scripted 429", {"retry-after": "3600"})


def exhausted(conversation: Conversation) -> Reply:
    """Answer a preflight; tell any other task that the usage limit is reached for some seconds more."""
    if PREFLIGHT in conversation.opening:
        return Answer("ready")
    return Fault(429, "rate_limit_error", f"Claude AI usage limit reached|{int(time.time()) + 6}")


def failing(_conversation: Conversation) -> Reply:
    """Have a server that fails whatever is asked."""
    return Fault(500, "api_error", "scripted 500")


def unauthorized(_conversation: Conversation) -> Reply:
    """Refuse the key."""
    return Fault(401, "authentication_error", "scripted 401")


def big_output(conversation: Conversation) -> Reply:
    """Make a tool print 3 MB, then do the work."""
    if conversation.turn == 0:
        return _run("head -c 3000000 /dev/zero | tr '\\0' x")
    return commit(_later(conversation, 1))


def endless(_conversation: Conversation) -> Reply:
    """Never come to an end."""
    return _run("date +%N >> loop.txt")


def delegating(conversation: Conversation) -> Reply:
    """Give a sub-agent something that never comes to an end."""
    if ERRAND in conversation.opening:
        return slow(conversation)
    return Answer("I delegate.", "Task", {"description": "An errand", "prompt": ERRAND, "subagent_type": SUBAGENT})


def demo(conversation: Conversation) -> Reply:
    """Do a task of the demo's backlog as its scripted agents do it."""
    table = tomllib.loads((DEMO / "behaviours.toml").read_text(encoding="utf-8"))
    story = table[conversation.task]
    edits = [_run(shlex.join(("python3", "-c", EDIT, json.dumps(edit)))) for edit in story["edits"]]
    commit = f"git add --all && git commit -qm {shlex.quote(story['subject'])}"
    turns: tuple[Reply, ...] = (*edits, _run(commit), Answer("Done: it is committed."))
    return turns[min(conversation.turn, len(turns) - 1)]


SCRIPTS: dict[str, Script] = {
    "commit": commit,
    "ready": ready,
    "own-file": own_file,
    "own-count": own_count,
    "no-commit": no_commit,
    "late-commit": late_commit,
    "stall-once": stall_once,
    "forbidden": forbidden,
    "question": question,
    "repeating": repeating,
    "slow": slow,
    "429": rate_limited,
    "exhausted": exhausted,
    "500": failing,
    "401": unauthorized,
    "big-output": big_output,
    "endless": endless,
    "delegating": delegating,
    "demo": demo,
}


def _write(conversation: Conversation) -> Answer:
    return Answer("I write the file.", "Write", {"file_path": f"{conversation.directory}/{FILE}", "content": CONTENT})


def _run(command: str) -> Answer:
    return Answer("I run a command.", "Bash", {"command": command, "description": "Run a command"})


def _later(conversation: Conversation, turns: int) -> Conversation:
    """Return `conversation` as if it had begun `turns` turns later."""
    return replace(conversation, turn=conversation.turn - turns)
