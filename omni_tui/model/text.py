"""Text that others wrote, made safe to keep and to show (facts: reliability, Terminal)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

Redact = Callable[[str], str]
"""Takes secrets out of a text; `str` leaves it as it is."""

_HIDDEN = (
    "\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
"""C1 controls, bidi controls, breaks of lines, annotations, halves of surrogates, tags: what is there and not seen."""
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f{_HIDDEN}]")
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_SPACES = re.compile(r"\s+")
_PLAIN_LINE = re.compile(r"[!-~]++(?: [!-~]++)*+")
"""What `one_line` leaves as it is: nearly all that heads hold, and there are ten thousand of them."""
_ALL_BUT_SGR = re.compile(
    r"(\x1b\[[0-9;:]*m)"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]*[0-~]"  # any other escape
    f"|[\x00-\x1f{_HIDDEN}]"
)


def clean(text: str) -> str:
    """Take out escape sequences, control characters (newlines and tabs stay) and bidi overrides."""
    return _UNSAFE.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def keep_sgr(line: str) -> str:
    """Return one captured screen line with its colours (`ESC [ … m`, ECMA-48) and no other control of any kind."""
    return _ALL_BUT_SGR.sub(lambda match: match[1] or "", line)


def plain(line: str) -> str:
    """Return a captured screen line as plain text: no colours, nothing that moves a terminal, no spaces at its end."""
    return clean(line).rstrip()


def one_line(text: str, limit: int | None = None) -> str:
    """Clean `text`, put it on one line, and cut it to `limit` characters; a cut ends in an ellipsis."""
    line = text if _PLAIN_LINE.fullmatch(text) else _SPACES.sub(" ", clean(_SPACES.sub(" ", text))).strip()
    return line if limit is None or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def throughout(value: T, change: Callable[[str], str]) -> T:
    """Return a value of plain data or structs with every text in it put through `change`; enums stay."""
    whole: Any = value
    changed: Any = value
    if type(whole) is str:
        changed = change(whole)
    elif isinstance(whole, msgspec.Struct):
        fields = {name: throughout(getattr(whole, name), change) for name in whole.__struct_fields__}
        changed = msgspec.structs.replace(whole, **fields)
    elif isinstance(whole, dict):
        changed = {throughout(key, change): throughout(item, change) for key, item in whole.items()}
    elif type(whole) in (list, tuple):
        changed = type(whole)(throughout(item, change) for item in whole)
    return changed  # type: ignore[no-any-return]


def code(name: str) -> str:
    """Put a name or a path between backticks, so that neither a person nor an agent takes it for anything else."""
    return f"`{one_line(name).replace('`', chr(39))}`"


def listing(names: list[str], most: int = 5) -> str:
    """Say names in a row, `a`, `b` and `c`; no more than `most` of them."""
    quoted = [code(name) for name in names[:most]]
    if len(names) > most:
        quoted.append(f"{len(names) - most} more")
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def plural(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
