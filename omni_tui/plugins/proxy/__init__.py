"""The one way out of a sandbox without network: a forward proxy of ours, for the hosts that are allowed.

    wrapper ─▶ program.py (the proxy, in the machine's network) ─▶ bwrap ─▶ door.py ─▶ the agent

`program` starts the sandbox as its child and dies with either end: with its parent by the kernel's signal, with the
sandbox as it waits for nothing else. So it belongs to the agent's own tree and outlives the orchestrator with it.
`door` is the first program inside. It opens listening sockets on the sandbox's own loopback device, hands them out
through an inherited socket and becomes the agent: a socket keeps the network that it was made in, so the proxy can
accept outside what connects inside. There is no relay, and nothing on disk that anybody could connect to later.

Everything here but `command` runs without our libraries (`python -I -S`): only the standard library is there.
"""
