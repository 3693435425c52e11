"""Hostile input: whatever lies in a file, a line or a name, nothing of ours falls over it, and no byte of it acts.

Each reader is given spoilt versions of what it expects. Only `OmniError`s may come out; and no text that a person would
be shown may hold anything that moves a terminal or hides.

`python -m tests.torture.hostile READER NUMBER` gives one input again.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from omni_tui.errors import OmniError
from tests.torture.figure import Figure, again
from tests.torture.nonsense import Spoiler
from tests.torture.readers import READERS

GOAL = 100_000
LONG = 20
"""So many times as many inputs, when it is to be long."""
MOST_TOLD = 20

ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What no shown text may hold, said here anew, so that a hole in `model.text` cannot hide itself."""


def run(long: bool) -> Figure:
    """Try the readers in turn, by their shares, with inputs numbered from 0: a number makes the same input again."""
    goal = GOAL * LONG if long else GOAL
    order = [name for name, reader in READERS.items() for _ in range(reader.share)]
    began = time.monotonic()
    bad: list[str] = []
    answers: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="omni-hostile-", dir=_memory()) as folder:
        for number in range(goal):
            name = order[number % len(order)]
            answer = attempt(name, number, Path(folder))
            answers[answer or "read"] += 1
            if answer not in ("", REFUSED):
                bad.append(f"{answer}; {again('hostile', name, number)}")
                if len(bad) == MOST_TOLD:
                    break
    note = f"{len(READERS)} readers; {answers[REFUSED]:,} refused with a reason, {answers['read']:,} read"
    done = sum(answers.values())
    return Figure(
        what="hostile input", done=done, goal=goal, bad=tuple(bad), seconds=time.monotonic() - began, note=note
    )


REFUSED = "refused"


def attempt(name: str, number: int, folder: Path) -> str:
    """Return what went wrong with one input; `REFUSED`: an error that tells a person what to do; empty: nothing."""
    place = folder / "place"
    place.mkdir()
    try:
        shown = list(READERS[name].attempt(Spoiler(number), place))
    except OmniError as error:
        shown, refused = [str(error)] if ACTS.search(str(error)) else [], True
    except Exception:  # noqa: BLE001 -- whatever it is, it is what this looks for
        return f"{name}, input {number}: {traceback.format_exc(limit=-3)}"
    else:
        refused = False
    finally:
        shutil.rmtree(place)
    for text in _texts(shown):
        found = ACTS.search(text)
        if found:
            return f"{name}, input {number}: shows {found[0]!r} in {text[:80]!r}"
    return REFUSED if refused else ""


def _texts(value: object) -> Iterator[str]:
    """Give every text in a value, names of keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)


def replay(name: str, number: int) -> str:
    """Give a reader one input; return what breaks."""
    with tempfile.TemporaryDirectory(prefix="omni-hostile-", dir=_memory()) as folder:
        answer = attempt(name, number, Path(folder))
    return answer if answer != REFUSED else ""


def _memory() -> str | None:
    """Return a file system in memory, where there is one: nothing here has to outlive a power loss."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    sys.exit(replay(sys.argv[1], int(sys.argv[2])) or None)
