"""What counts as a secret: the judgement on variables and on the content of files that hold credentials. Pure.

Named secrets count whatever they look like. What merely lies in an environment or a file counts if its name says so, or
if it looks random; plain words, numbers, paths and addresses do not, or half of every log would be asterisks.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from omni_tui.policy.redaction import LEAST, Secret

FILE_BYTES = 256 << 10
"""Of a file of credentials are looked at."""

_NAME = re.compile(
    r"(?:^|_)(?:\w*KEY|\w*TOKENS?|\w*SECRETS?|\w*PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|DSN)$", re.IGNORECASE
)
_LINE = re.compile(r"""^\s*(?:export\s+)?["']?([A-Za-z_][\w.-]*)["']?\s*[=:]\s*(.+?)\s*,?\s*$""")
_WORD = re.compile(r"""[^\s"'`,;=<>()\[\]{}]+""")
_PLAIN = re.compile(r"[a-z]+(?:[-_. ][a-z]+)*|[\d.:-]+|true|false|none|null", re.IGNORECASE)
_PLACE = re.compile(r"(?:[~.]{0,2}/|[A-Za-z]:\\)[^\s]*|[\w.+-]+@[\w.-]+|(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/\S*)?")
_LEAST_RANDOM = 12
_LEAST_BITS = 3.0
"""Bits a character by Shannon; English words have fewer in twelve letters, keys more."""


def given(variables: Mapping[str, str], names: Iterable[str]) -> Iterator[Secret]:
    """Give the values of the variables that somebody names as secrets, where they are set."""
    for name in names:
        if len(variables.get(name, "").strip()) >= LEAST:
            yield Secret(name, variables[name].strip())


def in_environment(variables: Mapping[str, str]) -> Iterator[Secret]:
    """Give the secrets of an environment: variables whose name says so and whose value does not say otherwise."""
    for name, value in variables.items():
        if _NAME.search(name):
            yield from _counted(name, value.strip(), named=True)


def in_file(name: str, text: str) -> Iterator[Secret]:
    """Give the secrets in a file of credentials: `KEY=value` lines of any kind, else every word that looks random."""
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            words = _WORD.findall(line)
            yield from (secret for word in words for secret in _counted(f"a value of {name}", word, named=False))
            continue
        key, value = match[1], _unquoted(match[2])
        yield from _counted(f"{key} of {name}", value, named=_NAME.search(key) is not None)


def _unquoted(value: str) -> str:
    """Return a value without its quotes, and without a remark behind it."""
    if value[:1] in {'"', "'"}:
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def _counted(name: str, value: str, *, named: bool) -> Iterator[Secret]:
    if "://" in value:
        yield from _in_url(name, value)
    elif (
        len(value) >= LEAST and not _PLACE.fullmatch(value) and ((named and not _is_plain(value)) or _is_random(value))
    ):
        yield Secret(name, value)


def _in_url(name: str, value: str) -> Iterator[Secret]:
    """Give the password in a URL; one without is an address."""
    try:
        password = urlsplit(value).password
    except ValueError:  # no URL after all, as with a bad port
        return
    if password and len(unquote(password)) >= LEAST:
        yield Secret(name, unquote(password))


def _is_plain(value: str) -> bool:
    """Whether a value is a number or one of the words that stand for nothing."""
    return value.isdigit() and len(value) < _LEAST_RANDOM


def _is_random(value: str) -> bool:
    if len(value) < _LEAST_RANDOM or _PLAIN.fullmatch(value):
        return False
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
    return bits >= _LEAST_BITS
