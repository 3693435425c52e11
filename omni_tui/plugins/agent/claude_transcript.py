"""Claude Code's own record of a session, its transcript: what the model was asked for, and what that used.

One JSON object a line (facts: agents, Claude Code). An answer of the model takes several lines, one a content block,
that share the message's id; each repeats the usage, so each id counts once, with the most that was said of it. Each
sub-agent has a file of its own, `<session>/subagents/agent-<id>.jsonl`, of the same form: one reader counts them all.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from omni_tui.model.signal import Health, Signal

MOST = 1 << 53
"""Tokens beyond which a number is nonsense, and could not be written everywhere."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class _Usage(msgspec.Struct):
    input_tokens: Count = 0
    cache_creation_input_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    output_tokens: Count = 0


class _Message(msgspec.Struct):
    id: str
    usage: _Usage


class _Line(msgspec.Struct, tag="assistant"):
    message: _Message


_line = msgspec.json.Decoder(_Line)


class Transcript:
    """Counts the answers of the model and their tokens, line by line."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[int, int, int, int]] = {}
        """By message: all, those that were written, those from the cache, those put there."""

    def read(self, line: bytes, at: float) -> Signal | None:
        """Return what the attempt has used after this line; None: the line is no answer of the model. Never raises."""
        if b'"usage"' not in line:
            return None
        try:
            message = _line.decode(line).message
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        usage = message.usage
        tokens = usage.input_tokens + usage.cache_creation_input_tokens
        tokens += usage.cache_read_input_tokens + usage.output_tokens
        said = (tokens, usage.output_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
        self._tokens[message.id] = max(said, self._tokens.get(message.id, said))
        total, written, cached, stored = (min(sum(counts), MOST) for counts in zip(*self._tokens.values(), strict=True))
        return Signal(
            health=Health.THINKING,
            source="transcript",
            at=at,
            turns=len(self._tokens),
            tokens=total,
            output=written,
            cached=cached,
            stored=stored,
        )
