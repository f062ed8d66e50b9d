"""Reprs of sockets out of logs: of `socket`, of asyncio's transports, of psutil's connections.

Source: ``socket.__repr__`` (Lib/socket.py), ``sock_repr`` (socketmodule.c), ``TransportSocket.__repr__``
(Lib/asyncio/trsock.py); ``sconn`` and ``pconn`` of psutil. Since Python 3.11 family and type are shown as numbers,
and a path of AF_UNIX has always stood there without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family
from sockexplorer.families import all_families, numbered
from sockexplorer.notations.expression import Unknown, literal
from sockexplorer.notations.reading import Reading, ends, fitting, usable

NOTATION = "repr of a socket"
_ENUM = r"<[^<>]{0,60}>|[^,<>]{0,60}"
_START = re.compile(rf"\bfamily=(?P<family>{_ENUM}), type=(?P<type>{_ENUM})(?:, proto=(?P<proto>\d{{1,10}}))?")
_STRING = r"""[bB]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LITERAL = re.compile(rf"\((?:[^()'\"]|{_STRING})*\)|{_STRING}|-?\d+(?=[,>)\s]|\Z)|None\b", re.DOTALL)
_ADDR = re.compile(rf"addr\(ip=(?P<ip>{_STRING}), port=(?P<port>\d{{1,10}})\)")
_AFTER = re.compile(r", raddr=|, status=|>(?=[\s,)\]]|\Z)")


def read(text: str) -> Iterator[Reading]:
    """The sockets in a text, each as the endpoint that it is or was."""
    for start in _START.finditer(text):
        kind = _number(start["type"], r"SOCK_(?!NONBLOCK|CLOEXEC)[A-Z]+")
        if kind is None:
            continue
        local, at = _end(text, start.end(), "laddr")
        remote, at = _end(text, at, "raddr")
        listening = re.match(r", status='LISTEN'", text[at : at + 20]) is not None
        for family in _families(start["family"]):
            for protocol, proto in fitting(family, kind, int(start["proto"] or 0)):
                here, there = (usable(family, protocol, end) for end in (local, remote))
                if _only_the_kernel(family, there):
                    there = None
                yield from ends(
                    family, protocol, here, there, listening=listening or protocol.connections, proto=proto,
                    notation=NOTATION,
                )  # fmt: skip


def _families(text: str) -> list[Family]:
    found = re.search(r"\b[AP]F_\w+", text)
    if found is not None:
        return [each for each in all_families() if each.constant[3:] == found[0][3:]]
    domain = _number(text, r"\b\B")
    return [] if domain is None else numbered(domain)


def _number(text: str, name: str) -> int | None:
    """The number of an enum's member in any of its dresses: ``SocketKind.SOCK_STREAM``, ``1``, ``<…: 1>``."""
    found = re.search(name, text)
    if found is not None:
        try:
            return number(found[0])
        except KeyError:
            return None
    digits = re.fullmatch(r"\s*(?:<.*: )?(\d{1,10})>?", text)
    return None if digits is None else int(digits[1])


def _end(text: str, at: int, name: str) -> tuple[object, int]:
    """The address after ``, laddr=`` at a place of the text, and the place after it; None where there is none."""
    head = f", {name}="
    if not text.startswith(head, at):
        return None, at
    at += len(head)
    if found := _ADDR.match(text, at):
        host = literal(found["ip"])
        return (host, int(found["port"])), found.end()
    if found := _LITERAL.match(text, at):
        try:
            value = literal(found[0])
        except Unknown:
            value = None
        return (None if value in ((), "", None) else value), found.end()
    stop = _AFTER.search(text, at)
    end = len(text) if stop is None else stop.start()
    return text[at:end] or None, end


def _only_the_kernel(family: Family, remote: object) -> bool:
    """Whether this is what getpeername() says of every netlink socket that is not connected (af_netlink.c)."""
    return family.constant == "AF_NETLINK" and remote == (0, 0)
