"""The task file: Markdown under a TOML head between `+++` lines, or with no head at all. Pure: bytes in, values out.

What a person or a program wrote is untrusted: escapes, control characters and bidi controls are taken out here, once,
so that no later screen, log or commit message has to (facts: reliability, "Terminal, tmux and screen").
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import tomli_w
from msgspec import Meta

from omni_tui.errors import TaskFileError
from omni_tui.model.task import MAX_TASK_BYTES, Task, is_valid_id
from omni_tui.model.text import clean, one_line

FENCE = "+++"
"""The line before and after a head."""

SUFFIX = ".md"
NOTE_SUFFIX = ".note.md"
"""Ends the name of a note: what a person should know of the task file of the same stem beside it."""

MAX_TITLE = 200
"""Characters of a title that was taken from the text; the text itself keeps all of it."""

MAX_SLUG = 40
_MAX_DEPTH = 16
"""Tables and arrays within each other in a head."""
_MAX_PRIORITY = 1_000_000_000
"""So that it fits everywhere it is stored and shown."""

_TEMPORARY = re.compile(r"\..*|.*~|#.*#|.*\.(?:tmp|temp|swp|swo|swx|part|bak)", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE)
_IN_WORDS = {"array": "a list", "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
"""What a type in an error of msgspec's is called for who writes TOML."""
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")


def is_temporary(name: str) -> bool:
    """Whether a file of this name is not meant for us: hidden, an editor's or a copier's leftover, or a note."""
    return name.endswith(NOTE_SUFFIX) or _TEMPORARY.fullmatch(name) is not None


def is_task_name(name: str) -> bool:
    """Whether a file of this name in a queue's folder holds a task."""
    return name.endswith(SUFFIX) and not is_temporary(name)


def note_name(name: str) -> str:
    """Return the name of the note beside the file called `name`."""
    return name.removesuffix(SUFFIX) + NOTE_SUFFIX


def shown_name(name: str) -> str:
    """Return what stands for the id of a task whose file, called `name`, cannot be read."""
    return one_line(name.removesuffix(SUFFIX))


def file_name(task: Task) -> str:
    """Return the name that we give a task's file: `<id>-<slug>.md`."""
    slug = slugify(task.title)
    return f"{task.id}-{slug}{SUFFIX}" if slug else f"{task.id}{SUFFIX}"


def slugify(text: str) -> str:
    """Return `text` as at most `MAX_SLUG` characters of `a-z0-9-`; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].rstrip("-")


def parse(data: bytes, *, workspace: str, stem: str, created_at: float) -> Task:
    """Read a task file's content.

    The id is the head's `id`, else `stem` (the file's name without `.md`) where it is a valid id, else one made from
    it; with neither it is empty: a draft, whose id the queue chooses. `created_at` is in UTC seconds.
    Raises `TaskFileError` whose `where` is the line.
    """
    head_text, body = _split(_decode(data))
    head, extra = _read_head(head_text)
    body = clean(body).strip("\n")
    return Task(
        workspace=workspace,
        id=head.id or _id_from(stem),
        title=head.title or _title_of(body),
        body=body,
        priority=head.priority,
        labels=head.labels,
        depends_on=head.depends_on,
        touches=head.touches,
        locks=head.locks,
        tests=head.tests,
        requires_flags=head.requires_flags,
        provides_flags=head.provides_flags,
        stubs_flags=head.stubs_flags,
        agent=head.agent,
        harness=head.harness,
        provider=head.provider,
        budget=head.budget,
        source=head.source,
        created_at=created_at,
        extra=extra,
    )


def render(task: Task) -> str:
    """Return the file that `parse` reads as `task`: a head with every key that says something, then the text."""
    head = {key: value for key in Head.__struct_fields__ if (value := getattr(task, key)) not in (None, "", 0, ())}
    if task.budget is not None:
        head["budget"] = task.budget
    text = f"{FENCE}\n{tomli_w.dumps(head | task.extra)}{FENCE}\n"
    return f"{text}\n{task.body}\n" if task.body else text


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The head's keys that are ours, as they are written; their meaning is told at `Task`."""

    id: str = ""
    title: str = ""
    priority: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)] = 0
    labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    requires_flags: tuple[str, ...] = ()
    provides_flags: tuple[str, ...] = ()
    stubs_flags: tuple[str, ...] = ()
    agent: str | None = None
    harness: str | None = None
    provider: str | None = None
    budget: Annotated[float, Meta(ge=0, le=1_000_000_000)] | None = None
    source: str | None = None


def _read_head(text: str) -> tuple[Head, dict[str, Any]]:
    """Return our keys and the others of a head."""
    values = _load(text)
    extra = {key: values.pop(key) for key in list(values) if key not in Head.__struct_fields__}
    try:
        head = msgspec.convert(_clean(values, one_line), Head)
        head_id = _id(head.id, "id") if head.id else ""
        head = msgspec.structs.replace(head, id=head_id, depends_on=_ids(head.depends_on))
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        what = re.sub(r"`(\w+)`", lambda match: _IN_WORDS.get(match[1], match[0]), what)
        key = re.split(r"[`.\[]", place)[0]
        message = f"`{key}`: {what[:1].lower()}{what[1:]}"
        raise TaskFileError(message, where=_line_of(key, text), fix=f"correct `{key}` in the head") from error
    return head, _clean(extra, clean)


def line_in(data: bytes, key: str, line: int) -> int:
    """Return the line, from 1, of a task's file where `key` of its head is, or, without a key, the text's `line`.

    A title that the head does not give is in the text; what is not there is at line 1. Raises `TaskFileError`.
    """
    whole = _decode(data)
    head, body = _split(whole)
    first = head.count("\n") + 2 if len(body) < len(whole) else 1
    if not key:
        return first + len(body) - len(body.lstrip("\n")) + line - 1
    found = _key_line(key, head)
    if found or key != "title":
        return found or 1
    heading = _HEADING.search(body)
    return first + body.count("\n", 0, heading.start() if heading else len(body) - len(body.lstrip()))


def _line_of(key: str, head: str) -> str:
    return f"line {_key_line(key, head) or 1}"


def _key_line(key: str, head: str) -> int:
    """Return the line of the file that sets a key of its head; 0: none does."""
    match = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[.=]", head, re.MULTILINE)
    match = match or re.search(rf"^[ \t]*\[+[ \t]*{re.escape(key)}", head, re.MULTILINE)
    return head.count(chr(10), 0, match.start()) + 2 if match else 0


def _id(text: str, key: str) -> str:
    name = text.lower()
    if not is_valid_id(name):
        raise msgspec.ValidationError(f"Only a-z, 0-9, `-`, `_` and `.` make an id, not {text!r:.80} - at `$.{key}`")
    return name


def _ids(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("/".join(_id(part, "depends_on") for part in text.split("/", 1)) for text in texts)


def _decode(data: bytes) -> str:
    if len(data) > MAX_TASK_BYTES:
        size = f"{len(data) / MAX_TASK_BYTES:.1f} MiB"
        raise TaskFileError(
            f"too large for a task: {size}, the limit is 1 MiB", fix="keep large text in the repository"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TaskFileError(f"not UTF-8: {error.reason}", where=f"line {line}", fix="save the file as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(text: str) -> tuple[str, str]:
    """Part the head from the text; the head is empty where there is none."""
    first, _, rest = text.partition("\n")
    if first.rstrip() != FENCE:
        return "", text
    end = re.search(r"^\+\+\+[ \t]*$", rest, re.MULTILINE)
    if end is None:
        raise TaskFileError("the head has no end", where="line 1", fix=f"close it with a line `{FENCE}`")
    return rest[: end.start()], rest[end.end() :]


def _load(head: str) -> dict[str, Any]:
    try:
        return tomllib.loads(head)
    except RecursionError as error:
        raise TaskFileError("the head is nested too deeply", where="line 1", fix="keep the head flat") from error
    except ValueError as error:  # TOMLDecodeError, and int's own limit on digits
        at = _TOML_LINE.search(str(error))
        line = int(at[1]) + 1 if at else head.count("\n") + 1
        what = _TOML_LINE.sub("", str(error)).strip()
        raise TaskFileError(f"bad TOML: {what}", where=f"line {line}", fix="mend the head between the `+++`") from error


def _title_of(body: str) -> str:
    heading = _HEADING.search(body)
    title = one_line(heading[1] if heading else body.strip().partition("\n")[0], MAX_TITLE)
    if not title:
        raise TaskFileError("there is no title and no text", where="line 1", fix="write what is to be done")
    return title


def _id_from(stem: str) -> str:
    name = stem.lower()
    if not stem or is_valid_id(name):
        return name
    digest = hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{slugify(stem)}-{digest}".lstrip("-")


def _clean(value: Any, text: Callable[[str], str], depth: int = 0) -> Any:  # noqa: ANN401 -- whatever TOML can hold
    """Put every text in a head's value through `text`."""
    if depth > _MAX_DEPTH:
        raise TaskFileError("the head is nested too deeply", where="line 1", fix="keep the head flat")
    if isinstance(value, dict):
        return {one_line(key): _clean(item, text, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, text, depth + 1) for item in value]
    return text(value) if isinstance(value, str) else value
