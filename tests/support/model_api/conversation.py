"""What a request to the Messages API says of the conversation it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

WORKING_DIRECTORY = re.compile(r"[Ww]orking directory: ([^\n]+)")
ATTEMPT_BRANCH = re.compile(r"omni/([a-z0-9_.-]+)/(\d+)")


@dataclass(frozen=True)
class Conversation:
    """One request, as a script sees it."""

    turn: int
    """How many answers the model has given already: the first is number 0."""
    task: str
    """The task's id, from the same branch; empty where the CLI tells none."""
    attempt: int
    """The attempt's number, from the branch that the CLI tells the model about; 1 where it tells none."""
    directory: str
    """The agent's working directory."""
    opening: str = ""
    """What the first message says: a sub-agent's is its own."""


def read(body: dict[str, Any]) -> Conversation:
    """Read a request's body."""
    plain = "\n".join(_texts(body))
    directory = WORKING_DIRECTORY.search(plain)
    branch = ATTEMPT_BRANCH.search(plain)
    return Conversation(
        turn=sum(message.get("role") == "assistant" for message in body.get("messages", ())),
        task=branch[1] if branch else "",
        attempt=int(branch[2]) if branch else 1,
        directory=directory[1].strip() if directory else ".",
        opening="\n".join(_texts(body.get("messages", [])[:1])),
    )


def is_aside(body: dict[str, Any]) -> bool:
    """Whether a request stands beside the conversation: the CLI gives its tools to the conversation alone."""
    return not body.get("tools")


def _texts(node: object) -> list[str]:
    """Return every string in a JSON value, in order."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        node = list(node.values())
    return [text for item in node for text in _texts(item)] if isinstance(node, list) else []
