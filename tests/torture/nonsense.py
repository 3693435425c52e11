"""Nonsense: inputs that a person, an agent or a crash could leave, made from sound ones by a seeded hand."""

from __future__ import annotations

import random
from collections.abc import Callable

ESCAPES = (
    "\x1b]0;owned\x07",
    "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x1b]8;;http://x\x1b\\link",
    "\x1b[2J\x1b[31m",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gi=1\x1b\\",
    "\x1bc",
    "\x9b31m",
    "\x9d0;c1\x9c",
    "\x90dcs\x9c",
    "\u202egnp.exe",
    "\u2066\u2069\u200f",
    "\u2028\u2029",
    "\ufeff",
    "\U000e0041\U000e0042",
    "\x00\x01\x07\x08\x0b\x0c\x0d\x7f\x85",
    "[bold red]markup[/]",
    "[@click=app.quit]x[/]",
    "#(touch /tmp/owned)#{pane_id}",
    "{0.__class__}{x!r}%s%n",
    "$(reboot)`reboot`;reboot",
    "../../../../etc/passwd",
    "--upload-pack=touch",
    "👨‍👩‍👧‍👦ﷺ" + "\u0300" * 40,
)
"""What moves a terminal, hides text, or is a command to somebody."""

VALUES = (
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b"NaN",
    b"9" * 400,
    b"-0.0",
    b"[]",
    b"{}",
    b'""',
    b'"\\ud800"',
    b'"\\u001b[2J"',
    b'"\\u009b1m"',
    b'"\\u202e"',
    b"[" * 3000,
    b'{"a":' * 2000,
    b'"' + b"x" * 20_000 + b'"',
    b"\xff\xfe\x00",
    b"'''",
    b"1979-05-27",
)
"""What may stand where a sound value stood."""


class Spoiler:
    """Spoils sound inputs; the same seed spoils them in the same way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._cut,
            self._insert_escape,
            self._insert_escape,
            self._replace_value,
            self._replace_value,
            self._flip,
            self._repeat,
            self._swap,
            self._noise,
        )

    def spoil(self, sound: bytes) -> bytes:
        """Return a spoilt version of `sound`: changed in one to four ways."""
        data = sound
        for _ in range(self.random.randint(1, 4)):
            data = self.random.choice(self._ways)(data)
        return data[: 1 << 17]

    def text(self) -> str:
        """Return a hostile text: escapes, words and characters from anywhere."""
        parts = self.random.choices(ESCAPES, k=self.random.randint(1, 3))
        parts += [chr(self.random.randint(0, 0x10FFFF)) for _ in range(self.random.randint(0, 6))]
        parts += self.random.choices(("word", " ", "\n", "\t", '"', "\\", "`", "é", "```", "+++"), k=3)
        self.random.shuffle(parts)
        return "".join(parts)

    def name(self) -> str:
        """Return a hostile name for a file, one that a file system takes."""
        return self.text().replace("/", "_").replace("\0", "")[:40].encode("utf-8", "replace").decode()

    def _place(self, data: bytes) -> int:
        return self.random.randint(0, len(data))

    def _cut(self, data: bytes) -> bytes:
        return data[: self._place(data)]

    def _insert_escape(self, data: bytes) -> bytes:
        at = self._place(data)
        escape = self.random.choice(ESCAPES)
        written = escape.encode("utf-8", "surrogatepass")
        if self.random.random() < 0.5:  # as JSON and TOML write it
            written = "".join(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else char for char in escape).encode()
        return data[:at] + written + data[at:]

    def _replace_value(self, data: bytes) -> bytes:
        """Put another value behind a colon or an equals sign."""
        marks = [at for at, byte in enumerate(data) if byte in b":="]
        if not marks:
            return data + self.random.choice(VALUES)
        at = self.random.choice(marks) + 1
        end = min((place for stop in (b",", b"}", b"\n") if (place := data.find(stop, at)) >= 0), default=len(data))
        return data[:at] + self.random.choice(VALUES) + data[end:]

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self.random.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << self.random.randrange(8),)) + data[at + 1 :]

    def _repeat(self, data: bytes) -> bytes:
        start, end = sorted((self._place(data), self._place(data)))
        return data[:end] + data[start:end] * self.random.choice((1, 2, 50)) + data[end:]

    def _swap(self, data: bytes) -> bytes:
        start, end = sorted((self._place(data), self._place(data)))
        return data[end:] + data[start:end] + data[:start]

    def _noise(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self.random.randbytes(self.random.choice((1, 8, 300))) + data[at:]
