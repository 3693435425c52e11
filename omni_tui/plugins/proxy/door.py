"""The door: the first program in the sandbox. Opens its ports, hands them out to the proxy, and becomes the agent.

    python -I -S door.py PORT[,PLACE...] PROGRAM [ARGUMENT...]

A program of its own that imports nothing of ours: it alone is there to be read. PORT is the proxy's; each PLACE a port
of the machine outside, opened here under the same number.
"""

import os
import signal
import socket
import sys

CHANNEL = 9
"""The descriptor of the inherited socket to the proxy."""

_INSIDE = ("127.0.0.1", "localhost", "::1")


def main(ports: str, *command: str) -> None:
    """Open, hand over, become the program. Raises `OSError` where a port cannot be had, as one below 1024."""
    port, *places = ports.split(",")
    listeners = [_listen("127.0.0.1", int(port)), *(_listen(*place.rsplit(":", 1)) for place in places)]
    with socket.socket(fileno=CHANNEL) as channel:
        socket.send_fds(channel, [b"."], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()
    proxy = f"http://127.0.0.1:{port}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = os.environ[name.lower()] = proxy
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(_INSIDE)
    os.environ["NODE_USE_ENV_PROXY"] = "1"  # or Node.js of itself would not look
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and who is started would inherit that
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted


def _listen(host: str, port: str | int) -> socket.socket:
    family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    address = "::1" if host == "[::1]" else "127.0.0.1"
    return socket.create_server((address, int(port)), family=family, backlog=128)


if __name__ == "__main__":
    main(*sys.argv[1:])
