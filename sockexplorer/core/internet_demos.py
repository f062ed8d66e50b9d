"""The demonstrations that IPv4 and IPv6 share: both ends on the loopback."""

from __future__ import annotations

from sockexplorer.core.demo import OTHER, Act, Demo, End, conversation


def demos(loopback: tuple[str, int], ping: bytes, raw: bytes) -> dict[str, Demo]:
    """By protocol; ``loopback`` is where they bind, ``ping`` and ``raw`` are echo requests of two kinds of socket."""

    def pair(operation: str, says: str) -> Demo:
        first = End("listen" if operation == "listen" else "bind", loopback)
        return conversation(says, first, End("connect", remote=OTHER))

    def echo(says: str, request: bytes) -> Demo:
        return Demo(says, (End("bind", loopback),), (Act(0, request, loopback),), private=True)

    return {
        "udp": pair("bind", "Two sockets on the loopback."),
        "tcp": pair("listen", "A server, and a client that greets."),
        "udplite": pair("bind", "Datagrams whose checksum may cover a part only."),
        "mptcp": pair("listen", "TCP that could use several paths."),
        "sctp": pair("listen", "An association on the loopback."),
        "dccp": pair("listen", "Datagrams over a connection with congestion control."),
        "icmp": echo("An echo request to this machine itself, and its reply.", ping),
        "raw": echo("An echo request as a raw packet: it is seen as it arrives, and so is its reply.", raw),
    }
