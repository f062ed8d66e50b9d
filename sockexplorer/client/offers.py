"""What the host has to choose from, for the fields of a form. Anything else may still be typed."""

from __future__ import annotations

import socket
from typing import NamedTuple

from sockexplorer.client.interfaces import Interface, interfaces, unix_sockets
from sockexplorer.core.fields import Field, Integer, short_name
from sockexplorer.core.text import escape


class Offer(NamedTuple):
    """One choice: the text for the input, and a line that explains it (escaped)."""

    value: str
    label: str


def offers(field: Field) -> list[Offer]:
    """The choices for a field, the likeliest first; empty where there is nothing to choose from."""
    kind = field.kind
    if kind.offers in ("names", "flags") and isinstance(kind, Integer):
        return [
            Offer(short_name(name) if kind.flags else name, f"{name}  {_number(value, kind.base)}")
            for name, value in kind.names.items()
        ]
    if kind.offers == "interfaces":
        return [
            Offer(
                each.name,
                f"{escape(each.name):<10} {each.state:<4} mtu {each.mtu:<6} {_counters(each)}  {_first_host(each)}",
            )
            for each in interfaces()
        ]
    if kind.offers == "scopes":
        return [Offer("0", "0  none: not a link-local address")] + [
            Offer(
                str(each.index),
                f"{each.index}  {escape(each.name)}  {each.state}  {' '.join(_link_local(each.hosts(10)))}",
            )
            for each in interfaces()
        ]
    if kind.offers == "local-hosts":
        return _hosts(socket.AF_INET, "0.0.0.0", "127.0.0.1")
    if kind.offers == "local-hosts6":
        return _hosts(socket.AF_INET6, "::", "::1")
    if kind.offers == "unix-sockets":
        return [Offer(name, escape(name)) for name in unix_sockets()]
    return []


def _number(value: int, base: int) -> str:
    return f"0x{value:x}" if base == 16 else str(value)


def _counters(interface: Interface) -> str:
    return f"received {interface.received // 1024:,} KiB, sent {interface.sent // 1024:,} KiB"


def _first_host(interface: Interface) -> str:
    hosts = [*interface.hosts(int(socket.AF_INET)), *interface.hosts(int(socket.AF_INET6))]
    return hosts[0] if hosts else ""


def _link_local(hosts: list[str]) -> list[str]:
    return [host for host in hosts if host.lower().startswith("fe80:")]


def _hosts(family: int, every: str, loopback: str) -> list[Offer]:
    found = [Offer(loopback, f"{loopback}  this machine only"), Offer(every, f"{every}  every interface")]
    for each in interfaces():
        for host in each.hosts(int(family)):
            if host not in (loopback, every):
                found.append(Offer(host, f"{host}  {escape(each.name)}  {each.state}"))
    return found
