"""The lease: one owner, whoever dies how; and the requests that others file with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from omni_tui.errors import LeaseHeldError, LeaseLostError, UsageError
from omni_tui.model.request import Reply, Request, RequestKind
from omni_tui.store import control
from omni_tui.store.lease import Lease, read_owner
from tests.support.waiting import wait_for

HOLDER = """
import sys, time
from pathlib import Path
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
