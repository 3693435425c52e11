"""What the fleet holds that must not leave it: read where it lies, kept up to date, handed to every border.

A border (journal, notes, screens, commits) is given `Held.redact`. Whoever is about to hand secrets to an agent says so
first, with `hold`, so that a variable or a file that changed while we run is known before anybody can print it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from omni_tui.policy import holding
from omni_tui.policy.redaction import Leak, Redactor, Secret, Shape


class Held:
    """The secrets known so far; more come, none is forgotten. May be asked from any thread."""

    def __init__(self, secrets: Iterable[Secret] = (), shapes: Callable[[], Sequence[Shape]] = tuple) -> None:
        self._shapes = shapes
        self._secrets = frozenset(secrets)
        self._redactor = Redactor(self._secrets, shapes)

    def hold(self, secrets: Iterable[Secret]) -> None:
        """Keep these secret as well, from now on."""
        known = self._secrets | frozenset(secrets)
        if known != self._secrets:
            self._redactor = Redactor(sorted(known, key=lambda secret: -len(secret.value)), self._shapes)
            self._secrets = known

    def redact(self, text: str) -> str:
        """Return `text` with every secret masked."""
        return self._redactor(text)

    def find(self, text: str) -> list[Leak]:
        """Return every secret in a text."""
        return self._redactor.find(text)


def secrets_of(variables: Mapping[str, str], names: Iterable[str], files: Iterable[Path]) -> list[Secret]:
    """Return the secrets that an agent may come to see: variables by their names, and what lies in files it gets.

    A file that is not there, or cannot be read, holds nothing: who copies it says so.
    """
    found = [*holding.given(variables, names)]
    for path in files:
        found += holding.in_file(path.name, _text(path))
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(holding.FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
