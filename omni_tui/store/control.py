"""Control: requests from other processes to the fleet's owner, and its replies. One file each under `control/`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from omni_tui.errors import UsageError
from omni_tui.model.request import Reply, Request
from omni_tui.model.task import is_valid_id
from omni_tui.store.files import make_dirs, move, publish, remove

REQUEST = ".request.json"
REPLY = ".reply.json"
REFUSED = "refused"
"""The folder for files that are no requests, each with a note."""

_request = msgspec.json.Decoder(Request)
_reply = msgspec.json.Decoder(Reply)


def post(directory: Path, request: Request) -> None:
    """File a request; it will be carried out, once, by whoever owns the fleet."""
    publish(_path(directory, request.id, REQUEST), msgspec.json.encode(request))


def pending(directory: Path) -> list[Request]:
    """Return the requests without a reply, oldest first. What cannot be read as one is put aside with a note."""
    requests = []
    for path in directory.glob(f"*{REQUEST}"):
        try:
            request = _read_request(path)
        except FileNotFoundError:  # taken back
            continue
        except (msgspec.MsgspecError, OSError) as error:
            _put_aside(path, str(error))
            continue
        if _path(directory, request.id, REPLY).exists():  # carried out, then a crash
            remove(path)
        else:
            requests.append(request)
    return sorted(requests, key=lambda request: (request.at, request.id))


def reply(directory: Path, answer: Reply) -> None:
    """Answer a request, which then is no longer pending."""
    publish(_path(directory, answer.id, REPLY), msgspec.json.encode(answer))
    remove(_path(directory, answer.id, REQUEST))


def read_reply(directory: Path, request_id: str) -> Reply | None:
    """Return what came of a request; None: not known yet."""
    try:
        return _reply.decode(_path(directory, request_id, REPLY).read_bytes())
    except FileNotFoundError:
        return None


def forget(directory: Path, request_id: str) -> None:
    """Remove a request that nobody has taken up, and its reply once it has been read."""
    for suffix in (REQUEST, REPLY):
        remove(_path(directory, request_id, suffix))


def _path(directory: Path, request_id: str, suffix: str) -> Path:
    if not is_valid_id(request_id):
        raise UsageError(f"not a name for a request: {request_id!r:.80}", fix="use a-z, 0-9, `-`, `_` and `.`")
    return directory / f"{request_id}{suffix}"


def _read_request(path: Path) -> Request:
    request = _request.decode(path.read_bytes())
    if not is_valid_id(request.id) or path.name != f"{request.id}{REQUEST}":
        raise msgspec.ValidationError(f"its id {request.id!r:.80} and its name differ")
    return request


def _put_aside(path: Path, reason: str) -> None:
    aside = path.parent / REFUSED
    make_dirs(aside)
    number = sum(1 for _ in aside.iterdir())
    target = aside / f"{number:04d}-{path.name}"
    publish(target.with_suffix(".note.md"), f"This is not a request: {reason}\n".encode())
    move(path, target)
