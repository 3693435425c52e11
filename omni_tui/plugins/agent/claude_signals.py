"""What Claude Code says, normalised: the payloads of its hooks, and the `result` line of its print mode.

A hook's line may have been cut (`claude_hook.sh`), so fields are looked up by name instead of decoding the whole. That
is safe because Claude Code puts its own fields before what the model wrote, and quotes inside a string are escaped.
Shapes: facts, agents, "Claude Code"; checked against 2.1.197.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable

import msgspec

from omni_tui.model.signal import Health, Signal
from omni_tui.model.text import one_line
from omni_tui.plugins.agent.claude_limits import limit_end
from omni_tui.plugins.agent.protocol import DETAIL_LENGTH

QUESTIONS = {"AskUserQuestion", "ExitPlanMode"}
"""Tools that wait for a person."""

SUBAGENT = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""How a sub-agent is called; its transcript is named after it."""

CALL_LENGTH = 80
"""Characters of a call that are shown to a person."""

FATAL = {
    "rate_limit": "rate_limit",
    "authentication_failed": "auth",
    "oauth_org_not_allowed": "auth",
    "billing_error": "billing",
}
"""`StopFailure.error` as `Signal.fatal`; everything else is the server's."""

STATUS_FATAL = {429: "rate_limit", 401: "auth", 403: "auth", 402: "billing"}
"""`result.api_error_status`, likewise; out of credit is a 400 that says so."""


def read(line: bytes, at: float) -> Signal | None:
    """Normalise one line; None: it says nothing. Never raises."""
    text = line.decode("utf-8", "replace")
    event = _text(text, "hook_event_name")
    if event in HANDLERS:
        signal = HANDLERS[event](text, at)
        return msgspec.structs.replace(signal, session=_record_of(text)) if signal is not None else None
    if text.startswith('{"type":"result"'):
        return _result(text, at)
    return None


def _record_of(text: str) -> str:
    """Return the transcript that a hook adds to: the session's, or beside it the one of the sub-agent that it names.

    Empty where it names none that could be opened without harm: no null character, nothing hidden.
    """
    path = _text(text, "transcript_path")
    if path != one_line(path):
        return ""
    subagent = _text(text.partition('"hook_event_name"')[0], "agent_id")  # behind it a tool's own input may have one
    if SUBAGENT.fullmatch(subagent) is None:
        return path
    return f"{path.removesuffix('.jsonl')}/subagents/agent-{subagent}.jsonl"


def _session(text: str, at: float) -> Signal:
    return _signal(Health.STARTING, at, f"session {_text(text, 'source')}")


def _prompt(_line: str, at: float) -> Signal:
    return Signal(health=Health.THINKING, source="hook", at=at, detail="has its task", accepted=True)


def _tool(text: str, at: float) -> Signal:
    tool = _text(text, "tool_name")
    health = Health.WAITING if tool in QUESTIONS else Health.TOOL
    return msgspec.structs.replace(_signal(health, at, f"{tool} {_target(text)}"), call=_call(text, tool))


def _call(text: str, tool: str) -> str:
    """Return the same text for the same call: its input without the words about it, spaces made even.

    Empty where the input was cut: calls that begin alike may end differently.
    """
    found = re.search(r'"tool_input":\s*', text)
    try:
        given, _ = json.JSONDecoder(strict=False).raw_decode(text, found.end() if found else len(text))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(given, dict):
        return ""
    given.pop("description", None)
    digest = hashlib.blake2b(" ".join(json.dumps(given, sort_keys=True).split()).encode(), digest_size=4).hexdigest()
    target = next((value for value in given.values() if isinstance(value, str)), "")
    return f"{one_line(f'{tool} {target}', CALL_LENGTH)} #{digest}"


def _denied(text: str, at: float) -> Signal:
    return _signal(Health.THINKING, at, f"was refused {_text(text, 'tool_name')} {_target(text)}")


def is_cost(line: bytes) -> bool:
    """Whether the line is what `claude_status.sh` writes."""
    return line.startswith(b'{"hook_event_name":"StatusLine"')


def read_cost(line: bytes, at: float, last: Signal | None) -> Signal | None:
    """Return the cost so far as a signal: it is one of life, but what Claude Code does, the `last` hook said."""
    usd = _number(line.decode("utf-8", "replace"), "total_cost_usd")
    if usd is None:
        return None
    doing = last or Signal(health=Health.STARTING, source="hook", at=at)
    return Signal(health=doing.health, source="hook", at=at, detail=doing.detail, until=doing.until, usd=usd)


def _thinking(text: str, at: float) -> Signal:
    return _signal(Health.THINKING, at, _text(text, "tool_name"))


def _permission(text: str, at: float) -> Signal:
    return _signal(Health.WAITING, at, f"asks to use {_text(text, 'tool_name')} {_target(text)}")


def _notification(text: str, at: float) -> Signal | None:
    kind, message = _text(text, "notification_type"), _text(text, "message")
    if kind == "idle_prompt":
        return _signal(Health.IDLE, at, message)
    if kind in ("permission_prompt", "elicitation_dialog"):
        return _signal(Health.WAITING, at, message)
    return None


def _stop(text: str, at: float) -> Signal:
    return _signal(Health.FINISHED, at, _text(text, "last_assistant_message"))


def _failure(text: str, at: float) -> Signal:
    error = _text(text, "error")
    return _gave_up(FATAL.get(error, "server"), at, f"{error}: {_text(text, 'last_assistant_message')}")


def _result(text: str, at: float) -> Signal:
    """Read the last line of print mode: how it ended, what it used. The model's last words come cut."""
    words = _text(text, "result")
    usd, tokens = _number(text, "total_cost_usd"), _tokens(text)
    if '"is_error":true' in text:
        signal = _failed_result(text, at, words)
    else:
        denied = text.partition('"permission_denials":[')[2].count('"tool_use_id"')
        detail = f"{words} (permissions denied: {denied})" if denied else words
        signal = _signal(Health.FINISHED, at, detail)
    turns = _number(text, "num_turns")
    usage = text.partition('"usage":{')[2]
    names = ("output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    written, cached, stored = (_number(usage, name) for name in names)
    return msgspec.structs.replace(
        signal,
        source="result",
        tokens=tokens,
        output=None if written is None else int(written),
        cached=None if cached is None else int(cached),
        stored=None if stored is None else int(stored),
        usd=usd,
        turns=None if turns is None else int(turns),
    )


def _failed_result(text: str, at: float, words: str) -> Signal:
    kind = _text(text, "subtype")
    if kind != "success":
        return _signal(Health.DEAD, at, kind.replace("_", " "))
    status = _number(text, "api_error_status")
    fatal = STATUS_FATAL.get(int(status), "server") if status is not None else "server"
    return _gave_up("billing" if "credit balance" in words.lower() else fatal, at, words)


def _gave_up(fatal: str, at: float, detail: str) -> Signal:
    return Signal(
        health=Health.LIMITED if fatal == "rate_limit" else Health.DEAD,
        source="hook",
        at=at,
        detail=one_line(detail, DETAIL_LENGTH),
        fatal=fatal,
        until=limit_end(detail, at) if fatal == "rate_limit" else None,
    )


HOOKS: dict[str, Callable[[str, float], Signal | None]] = {
    "SessionStart": _session,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _tool,
    "PostToolUse": _thinking,
    "PostToolUseFailure": _thinking,
    "PermissionRequest": _permission,
    "Notification": _notification,
    "Stop": _stop,
    "StopFailure": _failure,
    "SubagentStart": _thinking,
    "SubagentStop": _thinking,
    "PreCompact": _thinking,
}
"""Every hook that is recorded. SessionEnd is not: the process's exit tells the same, and cannot be missed."""


HANDLERS = {**HOOKS, "PermissionDenied": _denied}
"""What a line may be: a hook, or `claude_deny.sh` telling what it refused."""


def _signal(health: Health, at: float, detail: str) -> Signal:
    return Signal(health=health, source="hook", at=at, detail=one_line(detail, DETAIL_LENGTH))


def _text(text: str, name: str) -> str:
    """Return a string field, unescaped; empty if it is not there, up to the cut if the line was cut in it."""
    found = re.search(rf'"{name}":\s*"((?:[^"\\]|\\.)*)', text)
    return _unescape(found[1]) if found else ""


def _target(text: str) -> str:
    """Return what a tool is used on: its first argument that is text."""
    found = re.search(r'"tool_input":\s*\{"\w+":\s*"((?:[^"\\]|\\.)*)', text)
    return _unescape(found[1]) if found else ""


def _unescape(raw: str) -> str:
    try:
        text = str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
    return text.encode("utf-8", "replace").decode()  # Half of a surrogate pair could not be written anywhere.


def _number(text: str, name: str) -> float | None:
    found = re.search(rf'"{name}":\s*(\d{{1,15}}(?:\.\d{{1,20}})?(?:[eE]-?\d{{1,3}})?)\b', text)
    number = float(found[1]) if found else math.inf
    return number if math.isfinite(number) else None


def _tokens(text: str) -> int | None:
    """Return all tokens of `usage`, whose first four counters are the attempt's sum."""
    usage = text.partition('"usage":{')[2]
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    counts = [_number(usage, name) for name in names]
    return int(sum(count or 0 for count in counts)) if any(count is not None for count in counts) else None
