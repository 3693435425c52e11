"""What the scripted model can answer, and how the Messages API puts it on the wire (server-sent events)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MODEL = "claude-scripted"
USAGE = {"input_tokens": 1000, "output_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


@dataclass(frozen=True)
class Answer:
    """A turn of the model: some text, and perhaps one tool that it wants used."""

    text: str
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    stall: bool = False
    """The stream stops in the middle of the text and stays open."""


@dataclass(frozen=True)
class Fault:
    """An HTTP error as the API words it."""

    status: int
    kind: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """Return the error's JSON."""
        return json.dumps({"type": "error", "error": {"type": self.kind, "message": self.message}}).encode()


Reply = Answer | Fault


def message(answer: Answer, number: int) -> dict[str, Any]:
    """Return `answer` as a whole message; `number` makes its ids unique."""
    return {
        "id": f"msg_{number:08d}",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": _blocks(answer, number),
        "stop_reason": "tool_use" if answer.tool else "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
    }


def stream(answer: Answer, number: int) -> Iterator[bytes]:
    """Yield `answer` as server-sent events; one that stalls ends after the first piece of its text."""
    whole = message(answer, number)
    opening = {**whole, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    yield _event("message_start", message=opening)
    for index, block in enumerate(whole["content"]):
        is_text = block["type"] == "text"
        yield _event("content_block_start", index=index, content_block={**block, **_empty(is_text)})
        yield _event("content_block_delta", index=index, delta=_delta(block, is_text))
        if answer.stall:
            return
        yield _event("content_block_stop", index=index)
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ending, usage={"output_tokens": USAGE["output_tokens"]})
    yield _event("message_stop")


def _blocks(answer: Answer, number: int) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": answer.text}]
    if answer.tool:
        tool = {"type": "tool_use", "id": f"toolu_{number:08d}", "name": answer.tool, "input": answer.arguments}
        blocks.append(tool)
    return blocks


def _empty(is_text: bool) -> dict[str, Any]:
    return {"text": ""} if is_text else {"input": {}}


def _delta(block: dict[str, Any], is_text: bool) -> dict[str, Any]:
    if is_text:
        return {"type": "text_delta", "text": block["text"]}
    return {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
