"""A repository on a scripted GitHub: its issues, labels and comments, in the shapes that GitHub answers with.

The shapes follow GitHub's OpenAPI description (`@octokit/openapi`, `api.github.com.json`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

EPOCH = 1_767_225_600.0
"""When the first issue was opened, UTC seconds; each change is a minute after the one before it."""

REPOSITORY_ID = 1_300_192


@dataclass
class Issue:
    """One issue or pull request."""

    number: int
    title: str
    body: str | None
    labels: list[str]
    author: str | None
    """None: the account was deleted."""
    association: str
    pull: bool
    created: float
    updated: float
    state: str = "open"
    comments: list[dict[str, Any]] = field(default_factory=list)


class GithubRepo:
    """What there is, changed by a test as people would change it."""

    def __init__(self, name: str = "acme/shop", root: str = "") -> None:
        self.name = name
        self.root = root
        """The URL that answers point to."""
        self.issues: dict[int, Issue] = {}
        self._changes = 0

    def open(
        self,
        title: str,
        body: str | None = "",
        *,
        labels: tuple[str, ...] = ("omni",),
        author: str | None = "ada",
        association: str = "MEMBER",
        pull: bool = False,
    ) -> int:
        """Open an issue, or a pull request; return its number."""
        number, now = len(self.issues) + 1, self._tick()
        self.issues[number] = Issue(number, title, body, [*labels], author, association, pull, now, now)
        return number

    def edit(self, number: int, title: str, body: str) -> None:
        """Write an issue anew."""
        issue = self.issues[number]
        issue.title, issue.body, issue.updated = title, body, self._tick()

    def close(self, number: int) -> None:
        """Close an issue."""
        self.issues[number].state = "closed"
        self.issues[number].updated = self._tick()

    def label(self, number: int, *names: str) -> None:
        """Put labels on an issue; one that it has stays as it is."""
        issue = self.issues[number]
        issue.labels += [name for name in dict.fromkeys(names) if name not in issue.labels]
        issue.updated = self._tick()

    def unlabel(self, number: int, name: str) -> None:
        """Take a label off an issue."""
        self.issues[number].labels.remove(name)
        self.issues[number].updated = self._tick()

    def comment(self, number: int, text: str, author: str = "omni-bot") -> dict[str, Any]:
        """Write a comment, as a bot or as somebody; return it as GitHub shows it."""
        issue = self.issues[number]
        issue.updated = self._tick()
        comment_id = number * 10_000 + len(issue.comments)
        url = f"{self.root}/repos/{self.name}/issues"
        issue.comments.append(
            {
                "id": comment_id,
                "node_id": f"IC_{comment_id}",
                "url": f"{url}/comments/{comment_id}",
                "html_url": f"https://github.example/{self.name}/issues/{number}#issuecomment-{comment_id}",
                "issue_url": f"{url}/{number}",
                "body": text,
                "user": self._user(author),
                "created_at": _stamp(issue.updated),
                "updated_at": _stamp(issue.updated),
                "author_association": "NONE",
            }
        )
        return issue.comments[-1]

    def listed(self, *, state: str, labels: list[str], sort: str, descending: bool) -> list[dict[str, Any]]:
        """Return the issues that the list endpoint gives: pull requests are issues too."""
        wanted = {name.casefold() for name in labels}
        found = [
            issue
            for issue in self.issues.values()
            if state in (issue.state, "all") and wanted <= {name.casefold() for name in issue.labels}
        ]
        found.sort(key=lambda issue: issue.updated if sort == "updated" else issue.created, reverse=descending)
        return [self.shown(issue) for issue in found]

    def shown(self, issue: Issue) -> dict[str, Any]:
        """Return an issue as GitHub shows it."""
        url = f"{self.root}/repos/{self.name}/issues/{issue.number}"
        return {
            "id": 5_000_000_000 + issue.number,
            "node_id": f"I_{issue.number}",
            "number": issue.number,
            "url": url,
            "repository_url": f"{self.root}/repos/{self.name}",
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": f"https://github.example/{self.name}/{'pull' if issue.pull else 'issues'}/{issue.number}",
            "title": issue.title,
            "body": issue.body,
            "user": self._user(issue.author) if issue.author else None,
            "labels": [self.shown_label(name) for name in issue.labels],
            "state": issue.state,
            "locked": False,
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "comments": len(issue.comments),
            "created_at": _stamp(issue.created),
            "updated_at": _stamp(issue.updated),
            "closed_at": _stamp(issue.updated) if issue.state == "closed" else None,
            "author_association": issue.association,
            **({"pull_request": self._pull(issue)} if issue.pull else {}),
        }

    def shown_label(self, name: str) -> dict[str, Any]:
        """Return a label as GitHub shows it."""
        number = sum(name.encode())
        url = f"{self.root}/repos/{self.name}/labels/{name}"
        return {
            "id": number,
            "node_id": f"LA_{number}",
            "url": url,
            "name": name,
            "description": None,
            "color": "ededed",
            "default": False,
        }

    def _pull(self, issue: Issue) -> dict[str, Any]:
        url = f"{self.root}/repos/{self.name}/pulls/{issue.number}"
        return {"url": url, "html_url": url, "diff_url": url, "patch_url": url, "merged_at": None}

    def _user(self, login: str) -> dict[str, Any]:
        url = f"{self.root}/users/{login}"
        links = "followers following gists starred subscriptions organizations repos events received_events"
        return {
            "login": login,
            "id": sum(login.encode()),
            "node_id": f"U_{login}",
            "avatar_url": f"{url}.png",
            "gravatar_id": "",
            "url": url,
            "html_url": f"https://github.example/{login}",
            **{f"{name}_url": f"{url}/{name}" for name in links.split()},
            "type": "User",
            "site_admin": False,
        }

    def _tick(self) -> float:
        self._changes += 1
        return EPOCH + 60.0 * self._changes


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
