"""Serving one sandbox: the proxy on its sockets for as long as its process lives."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Sequence

from omni_tui.plugins.proxy.refusals import Refusals
from omni_tui.plugins.proxy.rules import Rules
from omni_tui.plugins.proxy.server import Proxy
from omni_tui.plugins.proxy.upstream import Ways


def serve(settings: str, listeners: Sequence[socket.socket], child: int) -> int:
    """Serve until `child` ends; return its exit status as a shell has it. What is still under way then is left.

    `settings` is JSON: the hosts, and the file of what was refused (empty: nobody keeps it).
    """
    given = json.loads(settings)
    proxy = Proxy(Rules(given["hosts"]), Ways(os.environ), Refusals(given["refusals"]))
    status = asyncio.new_event_loop().run_until_complete(_until_ended(proxy, listeners, child))
    return status if status >= 0 else 128 - status


async def _until_ended(proxy: Proxy, listeners: Sequence[socket.socket], child: int) -> int:
    ended = asyncio.get_running_loop().run_in_executor(None, os.waitpid, child, 0)
    if listeners:
        await proxy.listen(listeners)
    _, status = await ended
    return os.waitstatus_to_exitcode(status)
