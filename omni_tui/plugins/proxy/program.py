"""The proxy as a program around a sandbox. It ends with the sandbox, and the sandbox with it.

    python -I -S program.py '{"hosts": [...], "refusals": FILE}' bwrap ARGUMENT...

It exits as the sandbox did. Variables that name the proxy of this machine are for us alone and not handed on.
"""

import ctypes
import os
import signal
import socket
import sys

PARENT = "OMNI_WRAPPER"
"""Names the process that this one may not outlive, where that is known; it may have ended before we could look."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
VARIABLES = (*_PROXIES, *map(str.lower, _PROXIES))
"""How programs are told of the proxy that they have to use."""

_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def main(settings: str, *command: str) -> int:
    """Start the sandbox and serve it until it ends; return its exit status as a shell has it."""
    die_with_parent()
    sys.path.append(__file__.rsplit("/", 4)[0])  # where the package lies
    channel, child = start(command)
    from omni_tui.plugins.proxy.serving import serve  # while the sandbox is being made: it takes as long as that

    return serve(settings, receive(channel), child)


def die_with_parent() -> None:
    """Have the kernel end us when our parent ends."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    expected = os.environ.get(PARENT)
    if expected and int(expected) != os.getppid():  # it ended before that
        os.kill(os.getpid(), signal.SIGKILL)


def start(command: tuple[str, ...]) -> tuple[socket.socket, int]:
    """Start the sandbox; return our end of the socket to the door in it, and the child's process id."""
    from omni_tui.plugins.proxy.door import CHANNEL

    ours, theirs = socket.socketpair()
    environment = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, PARENT)}
    child = os.posix_spawnp(
        command[0],
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL)],
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # which Python ignores
    )
    theirs.close()
    return ours, child


def receive(channel: socket.socket) -> list[socket.socket]:
    """Return the sockets that the door hands out; none: the sandbox ended before."""
    with channel:
        _, descriptors, _, _ = socket.recv_fds(channel, 1, 64)
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # at once: a thread may still wait for a name server
