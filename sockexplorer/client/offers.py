"""What there is to choose from, for the fields of a form. Anything else may still be typed.

What a host has is asked of the engine (``inventory``), which may be on another.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sockexplorer.core.fields import Field, Integer, short_name
from sockexplorer.core.text import escape
from sockexplorer.engine.adapters import Adapter
from sockexplorer.engine.algorithms import COMMON
from sockexplorer.engine.interfaces import ARPHRD_CAN, Interface


class Offer(NamedTuple):
    """One choice: the text for the input, a line that explains it (escaped), and what it means for other fields."""

    value: str
    label: str
    also: Mapping[str, str] = {}


Texts = Mapping[str, str]
"""What the other fields of the address hold."""


def needs(field: Field) -> str:
    """What `offers` needs of the engine's inventory: its ``what``; "" for nothing."""
    return NEEDS.get(field.kind.offers, "")


def offers(field: Field, texts: Texts | None = None, found: Any = None) -> list[Offer]:
    """The choices for a field, the likeliest first; empty where there is nothing to choose from.

    ``found`` is what the engine has found of what the field `needs`.
    """
    offered = OFFERS.get(field.kind.offers)
    return offered(field, texts or {}, found) if offered else []


# --- numbers that have names ---------------------------------------------------------------------------------


def _names(field: Field, texts: Texts, found: Any) -> list[Offer]:
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


def _cids(field: Field, texts: Texts, found: Any) -> list[Offer]:
    own = [Offer(str(found), f"{found}  this machine's own (/dev/vsock)")] if found is not None else []
    meaning = {
        "VMADDR_CID_ANY": "any of this machine's, for bind", "VMADDR_CID_HYPERVISOR": "the hypervisor",
        "VMADDR_CID_LOCAL": "this machine itself, over the loopback", "VMADDR_CID_HOST": "the host, seen from a guest",
    }  # fmt: skip
    return own + [Offer(value, f"{label}  {meaning.get(value, '')}") for value, label, _ in _names(field, texts, None)]


# --- interfaces and hosts --------------------------------------------------------------------------------------


def _interface(each: Interface) -> Offer:
    label = f"{escape(each.name):<10} {each.state:<4} mtu {each.mtu:<6} {_counters(each)}  {_first_host(each)}"
    return Offer(each.name, label)


def _all(found: Any) -> list[Interface]:
    return [Interface.from_json(each) for each in found]


def _interfaces(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return [_interface(each) for each in _all(found)]


def _can_interfaces(field: Field, texts: Texts, found: Any) -> list[Offer]:
    every = [Offer("", "nothing  every CAN interface")]
    there = [_interface(each) for each in _all(found) if each.kind == ARPHRD_CAN]
    return (
        [*there, *every]
        if there
        else [Offer("vcan0", "vcan0  none here yet; make it: ip link add vcan0 type vcan"), *every]
    )


def _scopes(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return [Offer("0", "0  none: not a link-local address")] + [
        Offer(
            str(each.index), f"{each.index}  {escape(each.name)}  {each.state}  {' '.join(_link_local(each.hosts(10)))}"
        )
        for each in _all(found)
    ]


def _counters(interface: Interface) -> str:
    return f"received {interface.received // 1024:,} KiB, sent {interface.sent // 1024:,} KiB"


def _first_host(interface: Interface) -> str:
    hosts = [*interface.hosts(int(socket.AF_INET)), *interface.hosts(int(socket.AF_INET6))]
    return hosts[0] if hosts else ""


def _link_local(hosts: list[str]) -> list[str]:
    return [host for host in hosts if host.lower().startswith("fe80:")]


def _hosts(found: Any, family: int, every: str, loopback: str) -> list[Offer]:
    plain = {"scope_id": "0"} if family == socket.AF_INET6 else {}
    offered = [
        Offer(loopback, f"{loopback}  this machine only", plain),
        Offer(every, f"{every}  every interface", plain),
    ]
    for each in _all(found):
        for host in each.hosts(int(family)):
            if host not in (loopback, every):
                scope = {"scope_id": str(each.index)} if _link_local([host]) else plain
                offered.append(Offer(host, f"{host}  {escape(each.name)}  {each.state}", scope))
    return offered


def _hosts4(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return _hosts(found, socket.AF_INET, "0.0.0.0", "127.0.0.1")


def _hosts6(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return _hosts(found, socket.AF_INET6, "::", "::1")


# --- what else a host has ----------------------------------------------------------------------------------------


def _unix_sockets(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return [Offer(name, f"{kind:<9} {escape(name)}") for name, kind in found]


def _algorithm_types(field: Field, texts: Texts, found: Any) -> list[Offer]:
    meaning = {
        "hash": "digests and HMACs",
        "skcipher": "ciphers",
        "aead": "ciphers that authenticate",
        "rng": "random bytes",
    }
    return [Offer(kind, f"{kind:<9} {meaning[kind]}") for kind in COMMON]


def _algorithms(field: Field, texts: Texts, found: Any) -> list[Offer]:
    kind = texts.get("type", "")
    there: dict[str, str] = {} if kind else {name: driver for each in found.values() for name, driver in each.items()}
    there |= found.get(kind, {})
    listed = [Offer(name, f"{escape(name):<26} {escape(driver)}") for name, driver in there.items()]
    made = [name for name in COMMON.get(kind, ()) if name not in there]
    return listed + [Offer(name, f"{name:<26} made on demand") for name in made]


def _adapters(found: Any) -> list[Adapter]:
    return [Adapter(**each) for each in found]


def _bluetooth_devices(field: Field, texts: Texts, found: Any) -> list[Offer]:
    return [Offer(str(each.number), f"hci{each.number}  {each.address}  {each.state}") for each in _adapters(found)]


def _bluetooth_addresses(field: Field, texts: Texts, found: Any) -> list[Offer]:
    fixed = [Offer("00:00:00:00:00:00", "00:00:00:00:00:00  BDADDR_ANY: any adapter of this host")]
    return fixed + [Offer(each.address, f"{each.address}  hci{each.number}  {each.state}") for each in _adapters(found)]


def _kernel_controls(field: Field, texts: Texts, found: Any) -> list[Offer]:
    names: tuple[str, ...] = getattr(field.kind, "known", ())
    return [Offer(name, name) for name in names]


OFFERS: dict[str, Callable[[Field, Texts, Any], list[Offer]]] = {
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
NEEDS = {
    "cids": "cid",
    "interfaces": "interfaces",
    "can-interfaces": "interfaces",
    "scopes": "interfaces",
    "local-hosts": "interfaces",
    "local-hosts6": "interfaces",
    "unix-sockets": "unix-sockets",
    "algorithms": "algorithms",
    "bluetooth-devices": "adapters",
    "bluetooth-adapters": "adapters",
}
"""Of the engine's inventory, by `Kind.offers`."""
