"""The scripted model API as a program of its own, so that it can be put into a network that holds nothing else.

    python -m tests.support.model_api DIRECTORY [--isolated]

Writes `DIRECTORY/ports.json`, `requests.jsonl` (what came to the API) and `strays.jsonl` (what tried to leave, by
way of the proxy that it also is). `DIRECTORY/told` names what the script `told` plays, and may change. `--isolated`
first switches the namespace's loopback device on. Ends when stdin does.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import socket
import struct
import sys
from dataclasses import asdict
from pathlib import Path

from tests.support.model_api.server import ModelApi
from tests.support.model_api.trap import Trap

SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def switch_on_loopback() -> None:
    """Bring `lo` up, as `ip link set lo up` does (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--isolated", action="store_true")
    options = parser.parse_args()
    if options.isolated:
        switch_on_loopback()
    directory: Path = options.directory
    requests, strays = directory / "requests.jsonl", directory / "strays.jsonl"
    requests.touch()
    strays.touch()
    with (
        ModelApi(lambda record: append(requests, asdict(record)), (directory / "told").read_text) as api,
        Trap(lambda first: append(strays, {"first": first})) as trap,
    ):
        waiting = directory / "ports.tmp"
        waiting.write_text(json.dumps({"api": api.port, "trap": trap.port}), encoding="utf-8")
        waiting.rename(directory / "ports.json")
        sys.stdin.read()


def append(path: Path, line: object) -> None:
    """Add one line of JSON."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
