"""A scripted GitHub API: real HTTP on 127.0.0.1, with conditional requests, pages, limits, and faults on demand.

Beside GitHub's description it does what that leaves out: `ETag` and 304, `X-RateLimit-*`, `X-Poll-Interval`, and `Link`
headers that point to `/repositories/{id}/…`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.support.github_repo import REPOSITORY_ID, GithubRepo
from tests.support.serving import LocalServer

TOKEN = "ghp_Xk29fPq7LmZ4rT8vB1nC6wY3sD5hJ0aG"
LIMIT = 5000
DRIP_SECONDS = 0.02


@dataclass(frozen=True)
class Fault:
    """What the next request gets instead of an answer, or after its effect; as it is made, nothing goes wrong."""

    status: int = 0
    """0: what it would have been."""
    body: bytes | Mapping[str, Any] | list[Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    """Only a request of this method; empty: any."""
    done: bool = False
    """What was asked is done, and only its answer is spoilt."""
    hang: bool = False
    """No answer comes."""
    drip: bool = False
    """An answer begins, and never ends."""
    cut: bool = False
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Asked:
    """One request, and what it was answered with; 0: with nothing."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
    at: float = field(default_factory=time.monotonic)
    """When, monotonic seconds."""


@dataclass
class Answer:
    """What is sent."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class GithubApi(LocalServer):
    """The server, running while its context is open."""

    def __init__(self, repo: str = "acme/shop", prefix: str = "") -> None:
        super().__init__(type("Handler", (_Handler,), {"api": self}), HTTPServer)
        self.url = f"http://127.0.0.1:{self.port}{prefix}"
        self.prefix = prefix
        self.repo = GithubRepo(repo, self.url)
        self.tokens = {TOKEN}
        self.faults: deque[Fault] = deque()
        self.asked: list[Asked] = []
        self.spent = 0
        """Requests that count against the limit: a 304 does not."""
        self.limit = LIMIT
        self.reset = int(time.time()) + 3600
        self.poll_interval = 0
        self.delay = 0.0
        """Seconds that each answer takes."""
        self.at_once = self.most_at_once = 0
        self.former = ""
        """The name that the repository had before it was renamed."""
        self.lock = threading.RLock()

    def fail(self, *faults: Fault) -> None:
        """Have the next requests go wrong, one after the other."""
        with self.lock:
            self.faults.extend(faults)

    def rename(self, name: str) -> None:
        """Give the repository another name; the former one leads to it."""
        self.former, self.repo.name = self.repo.name, name

    @property
    def statuses(self) -> list[int]:
        """What was answered so far."""
        return [each.status for each in self.asked]

    def take_fault(self, method: str) -> Fault | None:
        """Return the fault that a request meets."""
        with self.lock:
            if self.faults and self.faults[0].method in ("", method):
                fault = self.faults.popleft()
                return None if fault == Fault() else fault
        return None

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:  # noqa: ANN401
        """Do what is asked, for somebody who may; return what GitHub would answer."""
        with self.lock:
            base = f"/repos/{self.repo.name}"
            old = f"/repos/{self.former}/"
            if self.former and path.casefold().startswith(old.casefold()):
                new = f"{self.url}/repositories/{REPOSITORY_ID}/{path[len(old) :]}"
                moved = 301 if method == "GET" else 307
                return Answer(moved, {"message": "Moved Permanently", "url": new}, {"Location": new})
            for start in (base, f"/repositories/{REPOSITORY_ID}"):
                if path.casefold().startswith(f"{start}/issues".casefold()):
                    return self._issues(method, path[len(start) + len("/issues") :], query, body)
        return _missing()

    def _issues(self, method: str, rest: str, query: Mapping[str, str], body: Any) -> Answer:  # noqa: ANN401
        match method, rest.strip("/").split("/"):
            case "GET", [""]:
                return self._list(query)
            case "GET", [number, "comments"] if int(number) in self.repo.issues:
                return self._page(self.repo.issues[int(number)].comments, query, f"issues/{number}/comments")
            case "POST", [number, "comments"] if int(number) in self.repo.issues:
                return Answer(201, self.repo.comment(int(number), body["body"]))
            case "POST", [number, "labels"] if int(number) in self.repo.issues:
                self.repo.label(int(number), *body["labels"])
            case "DELETE", [number, "labels", name] if self._has_label(number, name):
                self.repo.unlabel(int(number), unquote(name))
            case _:
                return _missing()
        labels = self.repo.issues[int(number)].labels
        return Answer(200, [self.repo.shown_label(name) for name in labels])

    def _has_label(self, number: str, name: str) -> bool:
        issue = self.repo.issues.get(int(number))
        return issue is not None and unquote(name) in issue.labels

    def _list(self, query: Mapping[str, str]) -> Answer:
        found = self.repo.listed(
            state=query.get("state", "open"),
            labels=[name for name in query.get("labels", "").split(",") if name],
            sort=query.get("sort", "created"),
            descending=query.get("direction", "desc") == "desc",
        )
        return self._page(found, query, "issues")

    def _page(self, found: list[dict[str, Any]], query: Mapping[str, str], rest: str) -> Answer:
        size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        headers = {}
        if len(found) > page * size:
            following = urlencode({**query, "page": page + 1})
            headers["Link"] = f'<{self.url}/repositories/{REPOSITORY_ID}/{rest}?{following}>; rel="next"'
        return Answer(200, found[(page - 1) * size : page * size], headers)


def _missing() -> Answer:
    url = "https://docs.github.example/rest"
    return Answer(404, {"message": "Not Found", "documentation_url": url, "status": "404"})


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[GithubApi]
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """An answer goes out whole: in pieces, each would wait for the last one to be acknowledged."""

    def do_GET(self) -> None:
        """Answer what is asked, with what goes wrong."""
        with self.api.lock:
            self.api.at_once += 1
            self.api.most_at_once = max(self.api.most_at_once, self.api.at_once)
        self.api.closing.wait(self.api.delay)
        self._respond()
        with self.api.lock:
            self.api.at_once -= 1

    def _respond(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null")
        fault = self.api.take_fault(self.command)
        answer = Answer(0, None)
        if fault is None or fault.done or fault.drip:
            answer = self._authorised(url.path.removeprefix(self.api.prefix), query, body)
        if fault is not None and fault.status:
            answer = Answer(fault.status, fault.body, dict(fault.headers))
        silent = fault is not None and (fault.hang or fault.cut)
        status = 0 if silent else answer.status
        with self.api.lock:
            self.api.spent += status != 304
            self.api.asked.append(Asked(self.command, url.path, query, dict(self.headers), status))
        if fault is not None and fault.hang:
            self.api.closing.wait()
        if silent:
            self.close_connection = True
            return
        self._send(answer, drip=fault is not None and fault.drip)

    def do_POST(self) -> None:
        """Do what is asked, with what goes wrong."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Take away what is asked, with what goes wrong."""
        self.do_GET()

    def _authorised(self, path: str, query: Mapping[str, str], body: Any) -> Answer:  # noqa: ANN401
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.casefold() not in ("token", "bearer") or token not in self.api.tokens:
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if self.api.spent >= self.api.limit:
            return Answer(
                403,
                {
                    "message": f"API rate limit exceeded for user ID 1. The request is {self.api.spent}.",
                    "status": "403",
                },
            )
        answer = self.api.answer(self.command, path, query, body)
        if self.command == "GET" and answer.status == 200:
            tag = hashlib.sha256(json.dumps(answer.body).encode()).hexdigest()
            answer.headers["ETag"] = f'W/"{tag}"'
            if self.headers.get("if-none-match") == answer.headers["ETag"]:
                answer = Answer(304, None, {"ETag": answer.headers["ETag"]})
            if self.api.poll_interval:
                answer.headers["X-Poll-Interval"] = str(self.api.poll_interval)
        return answer

    def _send(self, answer: Answer, *, drip: bool) -> None:
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not isinstance(answer.body, bytes):
            body = json.dumps(answer.body).encode()
        limits = {
            "X-RateLimit-Limit": str(self.api.limit),
            "X-RateLimit-Remaining": str(max(0, self.api.limit - self.api.spent)),
            "X-RateLimit-Reset": str(self.api.reset),
            "Content-Type": "application/json; charset=utf-8",
            "Date": self.date_time_string(),
        }
        self.send_response_only(answer.status)
        for name, value in (limits | answer.headers).items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(body) + (1 << 30) * drip))
        self.end_headers()
        self.wfile.write(body)
        while drip and not self.api.closing.wait(DRIP_SECONDS):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:  # whoever asked has gone
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Stay quiet: requests are recorded, not printed."""
