"""Making untrusted text harmless, once, where it enters: titles and notes (`clean_text`), captured screens (`keep_sgr`).

A terminal obeys escape sequences wherever they come from: OSC 52 writes the clipboard, a C1 byte starts a sequence without
ESC, bidi controls turn a line around. Sequences as in ECMA-48 and xterm's ctlseqs.
"""

from __future__ import annotations

import re

_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
"""OSC, DCS, SOS, PM and APC with their terminator; one without it loses only its introducer, not the text behind it."""

_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
_ESCAPE = r"\x1b[ -/]*[0-~]"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_UNWANTED = f"[{_CONTROL}{_BIDI}\u2028\u2029\ud800-\udfff]"

_SEQUENCE = re.compile(f"{_STRING}|{_CSI}|{_ESCAPE}")
_CHARACTER = re.compile(_UNWANTED)
_ALL_BUT_SGR = re.compile(rf"(\x1b\[[0-9;:]*m)|{_STRING}|{_CSI}|{_ESCAPE}|{_UNWANTED}|[\t\n]")


def clean_text(text: str) -> str:
    """Return `text` without escape sequences, control characters (but newline and tab), bidi controls and lone surrogates.

    Nothing that is left can form a sequence: no ESC and no C1 character survives.
    """
    return _CHARACTER.sub("", _SEQUENCE.sub("", text))


def keep_sgr(line: str) -> str:
    """Return one captured screen `line` with its colours and attributes (`ESC [ … m`) and no other control of any kind."""
    return _ALL_BUT_SGR.sub(lambda match: match[1] or "", line)
