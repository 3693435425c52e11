"""Control: requests from other processes to the fleet's owner, and its replies. One file each under `control/`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from omni_tui.errors import OmniError, UsageError
from omni_tui.model.request import Reply, Request
from omni_tui.model.task import is_valid_id
from omni_tui.store.files import DISK, Disk, publish, remove
from omni_tui.store.reading import decode_shown, put_aside, read_small

REQUEST = ".request.json"
REPLY = ".reply.json"
_request = msgspec.json.Decoder(Request)
_reply = msgspec.json.Decoder(Reply)


def post(directory: Path, request: Request) -> None:
    """File a request; it will be carried out, once, by whoever owns the fleet."""
    publish(_path(directory, request.id, REQUEST), msgspec.json.encode(request))


def pending(directory: Path, disk: Disk = DISK) -> list[Request]:
    """Return the requests without a reply, oldest first. What cannot be read as one is put aside with a note."""
    requests = []
    for path in directory.glob(f"*{REQUEST}"):
        try:
            request = _read_request(path)
        except FileNotFoundError:  # taken back
            continue
        except (msgspec.MsgspecError, OSError) as error:
            with suppress(FileNotFoundError):  # taken back
                put_aside(path, "a request", str(error), disk)
            continue
        if _path(directory, request.id, REPLY).exists():  # carried out, then a crash
            remove(path, disk=disk)
        else:
            requests.append(request)
    return sorted(requests, key=lambda request: (request.at, request.id))


def reply(directory: Path, answer: Reply, disk: Disk = DISK) -> None:
    """Answer a request, which then is no longer pending."""
    publish(_path(directory, answer.id, REPLY), msgspec.json.encode(answer), disk=disk)
    remove(_path(directory, answer.id, REQUEST), disk=disk)


def read_reply(directory: Path, request_id: str) -> Reply | None:
    """Return what came of a request; None: not known yet. Raises `OmniError` where the answer cannot be read."""
    path = _path(directory, request_id, REPLY)
    try:
        return decode_shown(_reply, read_small(path))
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, OSError) as error:
        fix = "look with `omni-tui list` what was done"
        raise OmniError(f"the answer cannot be read: {error}", where=str(path), fix=fix) from error


def forget(directory: Path, request_id: str) -> None:
    """Remove a request that nobody has taken up, and its reply once it has been read."""
    for suffix in (REQUEST, REPLY):
        remove(_path(directory, request_id, suffix))


def _path(directory: Path, request_id: str, suffix: str) -> Path:
    if not is_valid_id(request_id):
        raise UsageError(f"not a name for a request: {request_id!r:.80}", fix="use a-z, 0-9, `-`, `_` and `.`")
    return directory / f"{request_id}{suffix}"


def _read_request(path: Path) -> Request:
    request = decode_shown(_request, read_small(path))
    if not is_valid_id(request.id) or path.name != f"{request.id}{REQUEST}":
        raise msgspec.ValidationError(f"its id {request.id!r:.80} and its name differ")
    return request
