"""The contract of the source slot, for every source and its fake; then what the folder does besides."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from omni_tui.engine.offers import draft
from omni_tui.errors import SourceError, TaskFileError
from omni_tui.model.outcome import Outcome
from omni_tui.model.task import MAX_TASK_BYTES
from omni_tui.plugins.source.folder import FolderSource
from omni_tui.plugins.source.github.source import GithubSource
from omni_tui.plugins.source.protocol import Offer, Poll, Source, SourceSpec
from omni_tui.simulation.source import MemoryRemote, MemorySource
from omni_tui.store.taskread import is_being_written
from tests.support.github_api import TOKEN, GithubApi

LANDED = Outcome(landed=True, message="landed on release/omni", commit="abc1234")


def spec(folder: Path, **settings: object) -> SourceSpec:
    return SourceSpec(
        workspace="shop",
        folder=folder,
        settings=settings,
        variables={},
        now=lambda: 1000.0,
        is_being_written=is_being_written,
    )


class Rig(ABC):
    """One source, and how things happen where its offers come from."""

    source: Source

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    def again(self) -> Source:
        """Make another source of the same settings, as a restart does."""

    @abstractmethod
    def put(self, name: str, title: str, body: str = "") -> None:
        """Offer something, or something else under the same name."""

    @abstractmethod
    def withdraw(self, name: str) -> None: ...

    @abstractmethod
    def fail(self) -> None:
        """Have it answer nothing but an error."""

    @abstractmethod
    def heal(self) -> None: ...

    @abstractmethod
    def told(self, key: str) -> list[str] | None:
        """Return what it was told of an offer; None: it keeps nothing of that."""

    def end(self) -> None:  # noqa: B027 - most start nothing
        """End what it started."""


class FolderRig(Rig):
    """The folder of a test."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.folder = directory / "specs"
        self.folder.mkdir()
        self.source = self.again()

    def again(self) -> Source:
        return FolderSource(spec(self.directory, path="specs"))

    def put(self, name: str, title: str, body: str = "") -> None:
        (self.folder / f"{name}.md").write_text(f"# {title}\n\n{body}\n")

    def withdraw(self, name: str) -> None:
        (self.folder / f"{name}.md").unlink()

    def fail(self) -> None:
        self.folder.rename(self.directory / "gone")

    def heal(self) -> None:
        (self.directory / "gone").rename(self.folder)

    def told(self, key: str) -> list[str] | None:
        return None


class MemoryRig(Rig):
    """The fake."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.remote = MemoryRemote()
        self.source = self.again()

    def again(self) -> Source:
        return MemorySource(spec(self.directory), self.remote)

    def put(self, name: str, title: str, body: str = "") -> None:
        self.remote.put(Offer(key=f"memory:{name}", title=title, body=body))

    def withdraw(self, name: str) -> None:
        self.remote.withdraw(f"memory:{name}")

    def fail(self) -> None:
        self.remote.failure = SourceError("it is not there", fix="wait", retry_after=5.0)

    def heal(self) -> None:
        self.remote.failure = None

    def told(self, key: str) -> list[str] | None:
        return [outcome.message for outcome in self.remote.told.get(key, [])]


class GithubRig(Rig):
    """The issues of a repository on a scripted GitHub."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.api = GithubApi()
        self.api.__enter__()
        self.numbers: dict[str, int] = {}
        self.source = self.again()

    def again(self) -> Source:
        given = spec(self.directory, repo="acme/shop", api=self.api.url)
        return GithubSource(msgspec.structs.replace(given, variables={"GITHUB_TOKEN": TOKEN}))

    def put(self, name: str, title: str, body: str = "") -> None:
        if name in self.numbers:
            self.api.repo.edit(self.numbers[name], title, body)
        else:
            self.numbers[name] = self.api.repo.open(title, body)

    def withdraw(self, name: str) -> None:
        self.api.repo.close(self.numbers[name])

    def fail(self) -> None:
        self.api.tokens = set()

    def heal(self) -> None:
        self.api.tokens = {TOKEN}

    def told(self, key: str) -> list[str] | None:
        comments = self.api.repo.issues[int(key.rpartition("#")[2])].comments
        return [comment["body"].partition("text\n")[2].partition("\n```")[0] for comment in comments]

    def end(self) -> None:
        self.api.__exit__(None, None, None)


RIGS: list[Callable[[Path], Rig]] = [FolderRig, MemoryRig, GithubRig]


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made: Rig = request.param(tmp_path)
    yield made
    made.end()


def titles(poll: Poll) -> list[str]:
    return [draft(offer).title for offer in poll.offers]


async def test_what_is_there_is_offered_once_with_a_key_of_its_own(rig: Rig) -> None:
    rig.put("one", "Do one thing", "And all of it.")
    rig.put("two", "Do another")
    poll = await rig.source.poll("")
    assert poll.changed
    assert sorted(titles(poll)) == ["Do another", "Do one thing"]
    assert len({offer.key for offer in poll.offers}) == 2
    assert next(draft(offer) for offer in poll.offers if "And all of it." in draft(offer).body)


async def test_a_key_stays_the_same_through_changes_and_restarts(rig: Rig) -> None:
    rig.put("one", "Do one thing")
    [before] = (await rig.source.poll("")).offers
    rig.put("one", "Do it otherwise")
    [after] = (await rig.again().poll("")).offers
    assert before.key == after.key
    assert draft(after).source == after.key
    assert draft(after).title == "Do it otherwise"


async def test_a_cursor_tells_what_has_been_seen(rig: Rig) -> None:
    rig.put("one", "Do one thing")
    first = await rig.source.poll("")
    second = await rig.source.poll(first.cursor)
    assert second.changed is False or titles(second) == titles(first)
    assert not (second.offers and not second.changed)
    rig.put("two", "Do another")
    third = await rig.again().poll(second.cursor)
    assert third.changed
    assert sorted(titles(third)) == ["Do another", "Do one thing"]


async def test_what_was_withdrawn_is_offered_no_more(rig: Rig) -> None:
    rig.put("one", "Do one thing")
    first = await rig.source.poll("")
    rig.withdraw("one")
    poll = await rig.source.poll(first.cursor)
    assert poll.changed
    assert list(poll.offers) == []


async def test_nothing_is_offered_where_nothing_is(rig: Rig) -> None:
    assert list((await rig.source.poll("")).offers) == []


async def test_what_fails_says_so_and_answers_again_once_it_is_mended(rig: Rig) -> None:
    rig.put("one", "Do one thing")
    rig.fail()
    with pytest.raises(SourceError) as caught:
        await rig.source.poll("")
    assert caught.value.fix
    rig.heal()
    assert titles(await rig.source.poll("")) == ["Do one thing"]


async def test_telling_twice_says_it_once(rig: Rig) -> None:
    rig.put("one", "Do one thing")
    [offer] = (await rig.source.poll("")).offers
    await rig.source.tell(offer.key, LANDED)
    await rig.again().tell(offer.key, LANDED)
    assert rig.told(offer.key) in (None, [LANDED.message])


async def test_a_remote_source_watches_nothing_and_a_local_one_something(rig: Rig) -> None:
    assert bool(rig.source.watched()) is not rig.source.remote
    assert all(path.is_dir() for path in rig.source.watched())


async def test_its_identity_is_a_line_that_is_the_same_for_the_same_settings(rig: Rig) -> None:
    assert rig.source.identity == rig.again().identity
    assert rig.source.identity.splitlines() == [rig.source.identity]
    assert rig.source.identity


async def test_its_secrets_are_names_of_variables(rig: Rig) -> None:
    assert all(name.isidentifier() for name in rig.source.secrets)


async def test_its_options_are_settings(rig: Rig) -> None:
    for field in msgspec.structs.fields(rig.source.options):
        assert field.name != "kind"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no such key": 1}, rig.source.options)


# -- the folder --------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> FolderRig:
    return FolderRig(tmp_path)


async def test_a_spec_keeps_its_head_and_its_name_is_its_id(folder: FolderRig) -> None:
    (folder.folder / "Add-Login.md").write_text(
        '+++\npriority = 7\ndepends_on = ["db"]\nsource = "mine"\n+++\n# Log in\n'
    )
    [offer] = (await folder.source.poll("")).offers
    task = draft(offer)
    assert (task.id, task.title, task.priority, task.depends_on) == ("add-login", "Log in", 7, ("db",))
    assert task.source == f"folder:{folder.folder}/Add-Login.md"
    assert offer.url == f"{folder.folder}/Add-Login.md"


async def test_what_is_no_spec_is_left_alone(folder: FolderRig) -> None:
    for name in (".hidden.md", "notes.txt", "saving.md~", "x.note.md"):
        (folder.folder / name).write_text("# No\n")
    (folder.folder / "later").mkdir()
    (folder.folder / "later" / "below.md").write_text("# No\n")
    (folder.folder / "a-folder.md").mkdir()
    (folder.folder / "link.md").symlink_to("/etc/hostname")
    os.mkfifo(folder.folder / "pipe.md")
    (folder.folder / "empty.md").write_text("\n")
    (folder.folder / "spec.md").write_text("# Yes\n")
    assert titles(await folder.source.poll("")) == ["Yes"]


async def test_specs_come_by_name(folder: FolderRig) -> None:
    for name in ("c", "a", "b"):
        folder.put(name, name.upper())
    assert titles(await folder.source.poll("")) == ["A", "B", "C"]


async def test_a_spec_that_is_still_being_written_is_not_offered_yet(folder: FolderRig) -> None:
    with (folder.folder / "half.md").open("w") as file:
        file.write("# Half a\n")
        file.flush()
        assert list((await folder.source.poll("")).offers) == []
        file.write("\ntask\n")
    assert titles(await folder.source.poll("")) == ["Half a"]


async def test_what_makes_no_task_is_offered_and_its_draft_says_why(folder: FolderRig) -> None:
    (folder.folder / "bad.md").write_text("+++\ntitle = \n+++\n")
    (folder.folder / "binary.md").write_bytes(b"\xff\xfe\x00")
    (folder.folder / "large.md").write_text("x" * (MAX_TASK_BYTES + 1))
    for offer in (await folder.source.poll("")).offers:
        with pytest.raises(TaskFileError):
            draft(offer)


async def test_a_folder_that_is_not_there_is_waited_for_in_the_nearest_that_is(tmp_path: Path) -> None:
    source = FolderSource(spec(tmp_path, path="project/docs/specs"))
    assert list(source.watched()) == [tmp_path]
    (tmp_path / "project/docs").mkdir(parents=True)
    assert list(source.watched()) == [tmp_path / "project/docs"]
    with pytest.raises(SourceError, match="No such file"):
        await source.poll("")
    (tmp_path / "project/docs/specs").mkdir()
    assert list(source.watched()) == [tmp_path / "project/docs/specs"]
    assert list((await source.poll("")).offers) == []


async def test_a_folder_known_by_two_names_is_one_source(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "link").symlink_to("specs")
    assert FolderSource(spec(tmp_path, path="link")).identity == FolderSource(spec(tmp_path, path="./specs")).identity


async def test_a_spec_is_left_as_it_is(folder: FolderRig) -> None:
    folder.put("one", "Do one thing")
    before = (folder.folder / "one.md").stat()
    [offer] = (await folder.source.poll("")).offers
    await folder.source.tell(offer.key, LANDED)
    after = (folder.folder / "one.md").stat()
    assert (before.st_mtime_ns, before.st_ino, before.st_size) == (after.st_mtime_ns, after.st_ino, after.st_size)
    assert [path.name for path in folder.folder.iterdir()] == ["one.md"]
