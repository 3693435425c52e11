"""The lease: one owner, whoever dies how; and the requests that others file with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from omni_tui.errors import LeaseHeldError, LeaseLostError, UsageError
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.model.task import Task
from omni_tui.model.view import Owner
from omni_tui.store import control
from omni_tui.store.files import DISK, Disk, append, make_dirs, move, publish, remove
from omni_tui.store.layout import create_fleet, create_workspace
from omni_tui.store.lease import TERM_SECONDS, Lease, read_owner
from omni_tui.store.queue import Queue
from tests.support.waiting import wait_for

HOLDER = """
import sys, time
from pathlib import Path
from typing import Any
from omni_tui.store.lease import Lease
lease = Lease.acquire(Path(sys.argv[1]), "headless", lambda: 5.0)
print(lease.epoch, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease"


def acquire(path: Path) -> Lease:
    return Lease.acquire(path, "cockpit", lambda: 7.0)


def test_the_owner_is_told(path: Path) -> None:
    assert read_owner(path) is None
    lease = acquire(path)
    owner = read_owner(path)
    assert owner == lease.owner
    assert owner is not None
    assert (owner.pid, owner.mode, owner.since) == (os.getpid(), "cockpit", 7.0)
    assert owner.process_started == psutil.Process().create_time()
    lease.check()
    lease.release()
    assert read_owner(path) is None


def test_a_second_one_is_told_who_holds_it(path: Path) -> None:
    lease = acquire(path)
    with pytest.raises(LeaseHeldError, match=f"process {os.getpid()} on .* \\(cockpit\\)"):
        acquire(path)
    lease.check()
    lease.release()


def test_a_killed_owner_holds_nothing_and_epochs_grow(path: Path) -> None:
    epochs = []
    for _ in range(2):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        epochs.append(holder.stdout.readline().strip())
        owner = read_owner(path)
        assert owner is not None
        assert (owner.pid, owner.epoch) == (holder.pid, epochs[-1])
        with pytest.raises(LeaseHeldError, match=str(holder.pid)):
            acquire(path)
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        assert read_owner(path) is None
    for _ in range(2):
        lease = acquire(path)
        epochs.append(lease.epoch)
        lease.release()
    assert epochs == sorted(set(epochs))
    assert len(epochs) == 4


def test_a_child_does_not_inherit_it(path: Path) -> None:
    lease = acquire(path)
    look = "import os; print([os.path.realpath(f'/proc/self/fd/{fd}') for fd in range(3, 64)])"
    seen = subprocess.run([sys.executable, "-c", look], close_fds=False, capture_output=True, text=True, check=True)
    assert str(path) not in seen.stdout
    lease.release()


def test_a_release_counts_though_a_forked_child_lives(path: Path) -> None:
    lease = acquire(path)
    child = os.fork()
    if not child:
        signal.pause()
    try:
        lease.release()
        assert read_owner(path) is None
        acquire(path).release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_looking_does_not_disturb_taking(path: Path) -> None:
    acquire(path).release()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            read_owner(path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            acquire(path).release()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


@pytest.mark.parametrize("what", ["removed", "replaced", "rewritten"])
def test_a_lost_lease_is_noticed(path: Path, what: str) -> None:
    lease = acquire(path)
    content = path.read_bytes()
    if what == "rewritten":
        path.write_bytes(content.replace(lease.epoch.encode(), b"000009-x-1"))
    else:
        path.unlink()
        if what == "replaced":
            path.write_bytes(content)
    with pytest.raises(LeaseLostError):
        lease.check()
    lease.release()


def test_a_file_that_is_taken_away_while_it_is_locked_is_not_owned(path: Path) -> None:
    class Raced(Disk):
        def open(self, path: Path, flags: int) -> int:
            descriptor = super().open(path, flags)
            if path.name == "lease":
                path.unlink()
            return descriptor

    with pytest.raises(LeaseLostError):
        Lease.acquire(path, "cockpit", lambda: 7.0, disk=Raced())


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it is stopped")


def test_from_an_owner_that_stays_stopped_it_is_taken_over(path: Path, holder: subprocess.Popen[str]) -> None:
    stop(holder)
    waited: list[float] = []
    lease = Lease.acquire(path, "cockpit", lambda: 7.0, pause=waited.append)
    assert sum(waited) >= TERM_SECONDS
    assert read_owner(path) == lease.owner
    assert lease.epoch.startswith("000002-")
    holder.send_signal(signal.SIGCONT)
    lease.check()
    with pytest.raises(LeaseHeldError, match=str(os.getpid())):
        acquire(path)
    lease.release()
    assert read_owner(path) is None, "the file that the former owner still holds is nobody's"


def test_from_one_that_goes_on_within_the_term_it_is_not(path: Path, holder: subprocess.Popen[str]) -> None:
    stop(holder)

    def wake(_: float) -> None:
        holder.send_signal(signal.SIGCONT)
        wait_for(lambda: psutil.Process(holder.pid).status() != psutil.STATUS_STOPPED, "it goes on")

    with pytest.raises(LeaseHeldError, match=str(holder.pid)):
        Lease.acquire(path, "cockpit", lambda: 7.0, pause=wake)


def test_a_stopped_process_that_is_not_the_owner_says_nothing(path: Path, holder: subprocess.Popen[str]) -> None:
    owner = read_owner(path)
    assert owner is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as other:
        stop(other)
        started = psutil.Process(other.pid).create_time()
        stopped: list[dict[str, Any]] = [
            {"process_started": started - 60},  # a pid that is used again
            {"process_started": started, "host": "elsewhere"},
            {"process_started": started, "boot_id": "an earlier one"},
        ]
        taken = [takes_over(path, msgspec.structs.replace(owner, pid=other.pid, **changed)) for changed in stopped]
        as_it_should = takes_over(path, msgspec.structs.replace(owner, pid=other.pid, process_started=started))
        other.kill()
    assert (taken, as_it_should) == ([False, False, False], True)


def takes_over(path: Path, owner: Owner) -> bool:
    """Whether the lease can be had that somebody holds and that says it is `owner`'s."""
    with path.open("r+b") as file:  # the same inode, which stays locked
        file.write(msgspec.json.encode(owner).ljust(1023) + b"\n")
    try:
        Lease.acquire(path, "cockpit", lambda: 7.0, pause=lambda _: None).release()
    except LeaseHeldError:
        return False
    return True


def test_whoever_is_told_to_take_over_does_so_at_once(path: Path, holder: subprocess.Popen[str]) -> None:
    lease = Lease.acquire(path, "cockpit", lambda: 7.0, take_over=True)
    assert read_owner(path) == lease.owner
    lease.release()


def test_the_door_of_a_former_owner_is_shut_in_the_middle_of_its_work(tmp_path: Path, path: Path) -> None:
    stale = acquire(path)
    disk = DISK.through(stale.door)
    publish(tmp_path / "one", b"1", disk=disk)
    journal = disk.open(tmp_path / "journal.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    path.unlink()
    owner = acquire(path)
    for deed in (
        lambda: publish(tmp_path / "two", b"2", disk=disk),
        lambda: move(tmp_path / "one", tmp_path / "three", disk=disk),
        lambda: remove(tmp_path / "one", disk=disk),
        lambda: append(tmp_path / "one", b"more", disk=disk),
        lambda: make_dirs(tmp_path / "four", disk=disk),
        lambda: disk.write(journal, b"stale"),
        lambda: disk.truncate(journal, 0),
    ):
        with pytest.raises(LeaseLostError):
            deed()
    os.close(journal)
    assert sorted(entry.name for entry in tmp_path.iterdir() if not entry.name.startswith(".")) == [
        "journal.jsonl",
        "lease",
        "one",
    ]
    assert (tmp_path / "one").read_bytes() == b"1"
    stale.release()
    owner.check()
    owner.release()
    with pytest.raises(LeaseLostError):
        owner.check()
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_missing_file_is_no_lost_lease(tmp_path: Path, path: Path) -> None:
    lease = acquire(path)
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "none", tmp_path / "one", disk=DISK.through(lease.door))
    lease.release()


def test_what_a_stopped_owner_has_open_is_renewed(tmp_path: Path, holder: subprocess.Popen[str], path: Path) -> None:
    paths = create_fleet(tmp_path, "")
    place = paths.workspace("app")
    create_workspace(place)
    queue = Queue(place, lambda: 1.0)
    task = queue.add(Task(workspace="app", id="", title="Runs"))
    assert queue.claim(task)
    steps = place.runs / task.id / "1" / "steps.jsonl"
    steps.parent.mkdir()
    growing = (steps, paths.journal / "2026-01-01.jsonl")
    for file in growing:
        file.write_bytes(b"one\n")
    with growing[0].open("ab") as first, growing[1].open("ab") as second:
        stop(holder)
        Lease.acquire(path, "cockpit", lambda: 7.0, pause=lambda _: None).release()
        first.write(b"stale\n")
        second.write(b"stale\n")
    assert [file.read_bytes() for file in growing] == [b"one\n", b"one\n"]


def test_a_spoilt_file_can_be_taken(path: Path) -> None:
    path.write_bytes(b"nonsense" * 500)
    lease = acquire(path)
    assert read_owner(path) == lease.owner
    lease.release()


# -- control -----------------------------------------------------------------------------------------------------------


def request(name: str, at: float = 1.0) -> Request:
    return Request(id=name, kind=RequestKind.KILL, task="shop/0001", by="cli", at=at)


def test_requests_come_oldest_first_until_they_are_answered(tmp_path: Path) -> None:
    for name, at in (("b", 2.0), ("c", 3.0), ("a", 2.0)):
        control.post(tmp_path, request(name, at))
    assert [one.id for one in control.pending(tmp_path)] == ["a", "b", "c"]
    assert control.pending(tmp_path)[0] == request("a", 2.0)
    assert control.read_reply(tmp_path, "a") is None
    answer = Reply(id="a", ok=True, message="killed")
    for _ in range(2):
        control.reply(tmp_path, answer)
    assert [one.id for one in control.pending(tmp_path)] == ["b", "c"]
    assert control.read_reply(tmp_path, "a") == answer
    for name in ("a", "b", "nothing"):
        control.forget(tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == ["c.request.json"]


def test_a_crash_after_the_reply_repeats_nothing(tmp_path: Path) -> None:
    control.reply(tmp_path, Reply(id="a", ok=True, message="killed"))
    control.post(tmp_path, request("a"))
    assert control.pending(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.reply.json"]


@pytest.mark.parametrize("name", ["bad.request.json", "Odd Name.request.json"])
@pytest.mark.parametrize(
    "content", [b"nonsense", b'{"id": "other", "kind": "kill"}', b'{"id": "bad", "kind": "dance"}']
)
def test_what_is_no_request_is_put_aside(tmp_path: Path, name: str, content: bytes) -> None:
    control.post(tmp_path, request("good"))
    for _ in range(2):
        (tmp_path / name).write_bytes(content)
        assert [one.id for one in control.pending(tmp_path)] == ["good"]
    aside = sorted((tmp_path / "refused").iterdir())
    assert [path.read_bytes() for path in aside if path.suffix == ".json"] == [content, content]
    assert all(path.read_text().startswith("This is not a request:") for path in aside if path.suffix == ".md")
    assert len(aside) == 4


def test_a_request_cannot_leave_its_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        control.post(tmp_path / "control", request("../x"))
    with pytest.raises(UsageError):
        control.read_reply(tmp_path, "../x")


def test_waiting_for_a_reply_from_another_thread(tmp_path: Path) -> None:
    control.post(tmp_path, request("a"))

    def answer() -> None:
        for one in control.pending(tmp_path):
            control.reply(tmp_path, Reply(id=one.id, ok=True, message=""))

    owner = threading.Thread(target=answer)
    owner.start()
    assert wait_for(lambda: control.read_reply(tmp_path, "a"), "a reply").ok
    owner.join()
