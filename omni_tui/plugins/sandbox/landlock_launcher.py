"""Restricts itself by Landlock and a small seccomp filter, then becomes a program: `python -I -S THIS OPTIONS -- ARGV`.

    --none DIR  --read PATH  --write PATH   what is seen; the deeper path counts, and what is not there is passed over
    --hide PATH                             as `--none`, whatever is named in it
    --scratch DIR                           made here: `home` and `tmp` in it become HOME and TMPDIR
    --no-network                            no socket at all

Stands alone, so that it starts in some 20 ms: the standard library and nothing of ours. Follows landlock(7) and
Documentation/userspace-api/landlock.rst of the kernel: what a kernel's ABI lacks is left out, but for `OLDEST_ABI`,
below which files of others could be emptied. Landlock does not reach sockets in the file system, through which any
agent of a session (tmux, D-Bus, ssh-agent, docker) would run what it is asked to: so the filter refuses AF_UNIX.
"""
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH118, PTH120, PTH211
# Importing pathlib would take as long as all else.

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator, Mapping

OLDEST_ABI = 3
"""Of Linux 6.2: the first that covers truncate(2)."""
SIGNALS_ABI = 6
"""Of Linux 6.12: the first that keeps signals in."""

FAILED = "the sandbox could not be set up: "
"""What its last words begin with where it starts nothing."""

NONE, READ, WRITE = range(3)
"""What may be done with what lies at a path."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_ABI = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_MAKE_DEVICES = 1 << 6 | 1 << 11
_FILE_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which ABI on the kernel knows how many rights of files: ABI 2 brings refer, 3 truncate, 5 ioctl."""
_TCP_ABI, _TCP = 4, 0b11
_SCOPES = 0b11
"""Abstract sockets and signals."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _SECCOMP_FILTER, _DROP_BOUNDING = 38, 22, 2, 24
_CAPABILITY_VERSION = 0x20080522
_IO_URING_SETUP = 425
_X32 = 0x40000000
_MACHINES = {
    "x86_64": (0xC000003E, 41, 53, 248),
    "aarch64": (0xC00000B7, 198, 199, 217),
    "riscv64": (0xC00000F3, 198, 199, 217),
}
"""The AUDIT_ARCH of a machine, and its numbers of socket, socketpair and add_key, after which request_key and keyctl
come."""
_KEY_CALLS = 3
_AF_UNIX, _SOCK_STREAM, _SOCK_SEQPACKET, _TYPE_MASK = 1, 1, 5, 0xF
_EACCES = 13
_SIGPIPE, _SIGXFSZ = 13, 25

_libc = ctypes.CDLL(None, use_errno=True)


class CannotError(Exception):
    """This machine cannot do it; the message says what."""


def abi() -> int:
    """Return the version of Landlock that the kernel offers; 0: none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_ABI)))


def grants(marks: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield paths and what may be done in all of each, so that of two marks around a path the deeper one counts.

    Rights add up on the way down. So a directory in which something may be less is granted entry by entry, as they are
    now, and itself only as far as the least of it. Links are no entries: where they lead has its own rights.
    """
    for path, access in marks.items():
        if access != NONE:
            yield from _grants_in(path, access, marks)


def _grants_in(path: str, access: int, marks: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    less = [marks[inner] for inner in marks if inner.startswith(path.rstrip("/") + "/") and marks[inner] < access]
    least = min(less, default=access)
    if least != NONE:
        yield path, least
    if less:
        for entry in _entries(path):
            if entry not in marks:
                yield from _grants_in(entry, access, marks)


def _entries(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if not entry.is_symlink()]
    except OSError:  # not ours to look into, so not its either
        return []


def make_ruleset(version: int, *, network: bool) -> int:
    """Return the descriptor of rules that forbid all that the kernel can; raises `CannotError`."""
    attributes = struct.pack(
        "QQQ",
        _all_rights(version),
        _TCP if version >= _TCP_ABI and not network else 0,
        _SCOPES if version >= SIGNALS_ABI else 0,
    )
    return _do("create its ruleset", _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))


def _all_rights(version: int) -> int:
    known = max(count for since, count in _FILE_RIGHTS if since <= version)
    return (1 << known) - 1


def allow(ruleset: int, version: int, path: str, access: int) -> None:
    """Let a path, and all that lies below it, be read or changed; raises `CannotError`."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or not ours to reach
        return
    rights = _all_rights(version) & ~_MAKE_DEVICES if access == WRITE else _EXECUTE | _READ_FILE | _READ_DIR
    if not os.path.isdir(path):
        rights &= _OF_FILES
    rule = struct.pack("=Qi", rights, descriptor)
    _do(f"allow {path}", _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    os.close(descriptor)


def socket_filter(machine: str, *, network: bool) -> bytes:
    """Return the filter (seccomp(2), classic BPF) that leaves it no socket by which it could ask others to act.

    Nor a keyring (keyrings(7)), for it would be the person's.

    io_uring would make sockets past it; a datagram pair could be turned to anybody; other tables of system calls would
    have other numbers. Raises `CannotError` for a machine whose numbers are not known here.
    """
    if machine not in _MACHINES:
        raise CannotError(f"its filter is not known for {machine}")
    architecture, socket, pair, keys = _MACHINES[machine]
    load, equal, at_least, mask, result = 0x20, 0x15, 0x35, 0x54, 0x06
    deny, grant, kill = 15, 16, 17
    program = (
        (load, 4),
        (equal, architecture, 2, kill),
        (load, 0),
        (at_least, _X32, deny, 4),
        (equal, _IO_URING_SETUP, deny, 5),
        (at_least, keys + _KEY_CALLS, 7, 6),
        (at_least, keys, deny, 7),
        (equal, pair, 11, 8),
        (equal, socket, 9, grant),
        (load, 16),
        (equal, _AF_UNIX, deny, grant if network else deny),
        (load, 24),
        (mask, _TYPE_MASK),
        (equal, _SOCK_STREAM, grant, 14),
        (equal, _SOCK_SEQPACKET, grant, deny),
        (result, 0x00050000 | _EACCES),
        (result, 0x7FFF0000),
        (result, 0x80000000),
    )
    return b"".join(
        struct.pack("HBBI", code, *(target - at - 1 for target in jumps), *([] if jumps else [0, 0]), value)
        for at, (code, value, *jumps) in enumerate(program)
    )


def restrict(marks: Mapping[str, int], *, network: bool) -> None:
    """Restrict this process and all that it starts, for good; raises `CannotError`, half restricted."""
    version = abi()
    if version < OLDEST_ABI:
        offers = f"version {version} alone" if version else "none"
        raise CannotError(f"this kernel offers {offers} of Landlock, and {OLDEST_ABI} is needed (Linux 6.2)")
    code = socket_filter(os.uname().machine, network=network)
    _drop_capabilities()
    _do("give up new privileges", _libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    ruleset = make_ruleset(version, network=network)
    for path, access in grants(marks):
        allow(ruleset, version, path, access)
    _do("restrict itself", _libc.syscall(_RESTRICT_SELF, ruleset, 0))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    _do("filter its sockets", _libc.prctl(_SET_SECCOMP, _SECCOMP_FILTER, program, 0, 0))


def _drop_capabilities() -> None:
    """Leave root no more than anybody has: neither now nor by the next program (capabilities(7))."""
    number = 0
    while _libc.prctl(_DROP_BOUNDING, number, 0, 0, 0) == 0:  # EINVAL ends the list, EPERM: there are none to lose
        number += 1
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _do("drop its capabilities", _libc.capset(header, struct.pack("6I", *[0] * 6)))


def _do(what: str, result: int) -> int:
    if result < 0:
        raise CannotError(f"Landlock could not {what}: {os.strerror(ctypes.get_errno())}")
    return result


def make_home(scratch: str, marks: Mapping[str, int]) -> None:
    """Make an own home and place for temporary files; what is seen of the person's home is linked into it."""
    mine, temporary = os.path.join(scratch, "home"), os.path.join(scratch, "tmp")
    os.makedirs(os.path.dirname(scratch), exist_ok=True)
    for directory in (scratch, mine, temporary):  # none may be there: who came before may have left links in them
        os.mkdir(directory, mode=0o700)
    theirs = os.path.realpath(os.environ.get("HOME") or "/")
    below = [path for path, access in marks.items() if access != NONE and path.startswith(f"{theirs}/")]
    for path in sorted(below) if theirs != "/" else ():
        link = os.path.join(mine, os.path.relpath(path, theirs))
        if not os.path.lexists(link):
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(path, link)
    os.environ.update(HOME=mine, TMPDIR=temporary)


def terminal() -> list[str]:
    """Return the path of the terminal that it was started on, if it has one."""
    return [os.ttyname(number) for number in range(3) if os.isatty(number)][:1]


def read_options(words: list[str]) -> tuple[dict[str, int], str, bool, list[str]]:
    """Return the marks by real paths, the scratch directory, whether there is a network, and the program's words."""
    marks: dict[str, int] = {}
    hidden, scratch, network = [], "", True
    while (option := words.pop(0)) != "--":
        if option == "--no-network":
            network = False
            continue
        path = os.path.realpath(words.pop(0))
        if option == "--scratch":
            scratch = path
        elif not os.path.exists(path):
            continue
        elif option == "--hide":
            hidden.append(path)
        else:
            access = ("--none", "--read", "--write").index(option)
            marks[path] = max(access, marks.get(path, NONE))
    for path in hidden:
        for inner in [mark for mark in marks if mark.startswith(f"{path}/")]:
            del marks[inner]
        marks[path] = NONE
    return marks, scratch, network, words


def main() -> None:
    """Become the program; where it cannot be kept in, end with status 1 and say why."""
    marks, scratch, network, argv = read_options(sys.argv[1:])
    try:
        if scratch:
            make_home(scratch, marks)
            marks[scratch] = WRITE
        marks |= dict.fromkeys((*DEVICES, *terminal()), WRITE)
        restrict(marks, network=network)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        for number in (_SIGPIPE, _SIGXFSZ):  # which Python ignores, and its children would as well
            _libc.signal(number, None)
        _become(argv)
    except (CannotError, OSError) as error:
        sys.exit(f"{FAILED}{error}")


def _become(argv: list[str]) -> None:
    """Become the program, found in PATH; os.execvp would import from where nothing may be read any more."""
    words = [os.fsencode(word) for word in argv]
    _do(f"start {argv[0]}", _libc.execvp(words[0], (ctypes.c_char_p * (len(words) + 1))(*words, None)))


if __name__ == "__main__":
    main()
