"""What the host has to choose from, for the fields of a form. Anything else may still be typed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sockexplorer.client.adapters import adapters, local_cid
from sockexplorer.client.algorithms import COMMON, algorithms
from sockexplorer.client.interfaces import Interface, can_interfaces, interfaces, unix_sockets
from sockexplorer.core.fields import Field, Integer, short_name
from sockexplorer.core.text import escape


class Offer(NamedTuple):
    """One choice: the text for the input, a line that explains it (escaped), and what it means for other fields."""

    value: str
    label: str
    also: Mapping[str, str] = {}


Texts = Mapping[str, str]
"""What the other fields of the address hold."""


def offers(field: Field, texts: Texts | None = None) -> list[Offer]:
    """The choices for a field, the likeliest first; empty where there is nothing to choose from."""
    offered = OFFERS.get(field.kind.offers)
    return offered(field, texts or {}) if offered else []


# --- numbers that have names ---------------------------------------------------------------------------------


def _names(field: Field, texts: Texts) -> list[Offer]:
    kind = field.kind
    if isinstance(kind, Integer):
        return [
            Offer(short_name(name) if kind.flags else name, f"{name}  {_number(value, kind.base)}")
            for name, value in kind.names.items()
        ]
    names: Mapping[str, str] = getattr(kind, "names", {})
    return [Offer(name, f"{name}  {value}") for name, value in names.items()]


def _number(value: int, base: int) -> str:
    return f"0x{value:x}" if base == 16 else str(value)


def _cids(field: Field, texts: Texts) -> list[Offer]:
    cid = local_cid()
    own = [Offer(str(cid), f"{cid}  this machine's own (/dev/vsock)")] if cid is not None else []
    meaning = {
        "VMADDR_CID_ANY": "any of this machine's, for bind", "VMADDR_CID_HYPERVISOR": "the hypervisor",
        "VMADDR_CID_LOCAL": "this machine itself, over the loopback", "VMADDR_CID_HOST": "the host, seen from a guest",
    }  # fmt: skip
    return own + [Offer(value, f"{label}  {meaning.get(value, '')}") for value, label, _ in _names(field, texts)]


# --- interfaces and hosts --------------------------------------------------------------------------------------


def _interface(each: Interface) -> Offer:
    label = f"{escape(each.name):<10} {each.state:<4} mtu {each.mtu:<6} {_counters(each)}  {_first_host(each)}"
    return Offer(each.name, label)


def _interfaces(field: Field, texts: Texts) -> list[Offer]:
    return [_interface(each) for each in interfaces()]


def _can_interfaces(field: Field, texts: Texts) -> list[Offer]:
    every = [Offer("", "nothing  every CAN interface")]
    found = [_interface(each) for each in can_interfaces()]
    return (
        [*found, *every]
        if found
        else [Offer("vcan0", "vcan0  none here yet; make it: ip link add vcan0 type vcan"), *every]
    )


def _scopes(field: Field, texts: Texts) -> list[Offer]:
    return [Offer("0", "0  none: not a link-local address")] + [
        Offer(
            str(each.index), f"{each.index}  {escape(each.name)}  {each.state}  {' '.join(_link_local(each.hosts(10)))}"
        )
        for each in interfaces()
    ]


def _counters(interface: Interface) -> str:
    return f"received {interface.received // 1024:,} KiB, sent {interface.sent // 1024:,} KiB"


def _first_host(interface: Interface) -> str:
    hosts = [*interface.hosts(int(socket.AF_INET)), *interface.hosts(int(socket.AF_INET6))]
    return hosts[0] if hosts else ""


def _link_local(hosts: list[str]) -> list[str]:
    return [host for host in hosts if host.lower().startswith("fe80:")]


def _hosts(family: int, every: str, loopback: str) -> list[Offer]:
    plain = {"scope_id": "0"} if family == socket.AF_INET6 else {}
    found = [
        Offer(loopback, f"{loopback}  this machine only", plain),
        Offer(every, f"{every}  every interface", plain),
    ]
    for each in interfaces():
        for host in each.hosts(int(family)):
            if host not in (loopback, every):
                scope = {"scope_id": str(each.index)} if _link_local([host]) else plain
                found.append(Offer(host, f"{host}  {escape(each.name)}  {each.state}", scope))
    return found


def _hosts4(field: Field, texts: Texts) -> list[Offer]:
    return _hosts(socket.AF_INET, "0.0.0.0", "127.0.0.1")


def _hosts6(field: Field, texts: Texts) -> list[Offer]:
    return _hosts(socket.AF_INET6, "::", "::1")


# --- what else a host has ----------------------------------------------------------------------------------------


def _unix_sockets(field: Field, texts: Texts) -> list[Offer]:
    return [Offer(name, f"{kind:<9} {escape(name)}") for name, kind in unix_sockets()]


def _algorithm_types(field: Field, texts: Texts) -> list[Offer]:
    meaning = {
        "hash": "digests and HMACs",
        "skcipher": "ciphers",
        "aead": "ciphers that authenticate",
        "rng": "random bytes",
    }
    return [Offer(kind, f"{kind:<9} {meaning[kind]}") for kind in COMMON]


def _algorithms(field: Field, texts: Texts) -> list[Offer]:
    kind = texts.get("type", "")
    there = algorithms(kind)
    found = [Offer(name, f"{escape(name):<26} {escape(driver)}") for name, driver in there.items()]
    made = [name for name in COMMON.get(kind, ()) if name not in there]
    return found + [Offer(name, f"{name:<26} made on demand") for name in made]


def _bluetooth_devices(field: Field, texts: Texts) -> list[Offer]:
    return [Offer(str(each.number), f"hci{each.number}  {each.address}  {each.state}") for each in adapters()]


def _bluetooth_addresses(field: Field, texts: Texts) -> list[Offer]:
    fixed = [Offer("00:00:00:00:00:00", "00:00:00:00:00:00  BDADDR_ANY: any adapter of this host")]
    return fixed + [Offer(each.address, f"{each.address}  hci{each.number}  {each.state}") for each in adapters()]


def _kernel_controls(field: Field, texts: Texts) -> list[Offer]:
    names: tuple[str, ...] = getattr(field.kind, "known", ())
    return [Offer(name, name) for name in names]


OFFERS: dict[str, Callable[[Field, Texts], list[Offer]]] = {
    "names": _names,
    "flags": _names,
    "cids": _cids,
    "interfaces": _interfaces,
    "can-interfaces": _can_interfaces,
    "scopes": _scopes,
    "local-hosts": _hosts4,
    "local-hosts6": _hosts6,
    "unix-sockets": _unix_sockets,
    "algorithm-types": _algorithm_types,
    "algorithms": _algorithms,
    "bluetooth-devices": _bluetooth_devices,
    "bluetooth-adapters": _bluetooth_addresses,
    "kernel-controls": _kernel_controls,
}
"""By `Kind.offers`."""
