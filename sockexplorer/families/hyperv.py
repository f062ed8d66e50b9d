"""AF_HYPERV: between Windows and its virtual machines. Source: Microsoft's <hvsocket.h>; ``case AF_HYPERV``."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LOOK_UP, FieldError, Invalid, Notice, Raises, typed
from sockexplorer.core.fields import Field, Kind
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named

ORDER = 120
GUIDS = {
    "HV_GUID_ZERO": "00000000-0000-0000-0000-000000000000",
    "HV_GUID_BROADCAST": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "HV_GUID_CHILDREN": "90DB8B89-0D35-4F79-8CE9-49EA0AC8B7CD",
    "HV_GUID_LOOPBACK": "E0E16197-DD56-4A10-9195-5EE7A155A838",
    "HV_GUID_PARENT": "A42E7CDA-D03F-480C-9CC2-A4DE20ABB878",
}
VSOCK_TEMPLATE = "-FACB-11E6-BD58-64006A7986D3"
"""A service id of eight digits before this is the AF_VSOCK port of a Linux guest with that number."""
NOT_STRINGS = Raises("TypeError", "AF_HYPERV address must be a str tuple (vm_id, service_id)")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")


def guid(raw: bytes) -> str:
    """The text of a GUID in memory: its first three numbers are little-endian."""
    return str(uuid.UUID(bytes_le=raw))


SOCKADDR = Layout(
    "SOCKADDR_HV",
    Part("Family", "H", "address family", show=named({"AF_HYPERV": 34})),
    Part("Reserved", "H", "must be zero"),
    Part("VmId", "16s", "the virtual machine", show=guid),
    Part("ServiceId", "16s", "the service", show=guid),
)


@dataclass(frozen=True)
class Guid(Kind):
    """A str that ``UuidFromStringW()`` takes: 8-4-4-4-12 hexadecimal digits, no braces."""

    what: str
    names: Mapping[str, str] = field(default_factory=dict)
    wide: bool = True

    @property
    def offers(self) -> str:  # type: ignore[override]
        return "names" if self.names else ""

    def read(self, text: str) -> str:
        text = text.strip()
        return self.names.get(text.upper(), text)

    def takes(self) -> str:
        return "8-4-4-4-12 hexadecimal digits" + (", or a name such as HV_GUID_PARENT" if self.names else "")

    def check(self, value: object) -> None:
        if not isinstance(value, str):
            raise Invalid(f"{typed(value)} is not a str", "write the GUID in quotes", NOT_STRINGS)
        if not _UUID.match(value):
            invalid = Raises(
                "ValueError", f"{{call}}(): AF_HYPERV address {self.what} is not a valid UUID string", LOOK_UP
            )
            raise Invalid("is no GUID", "write it as 00000000-0000-0000-0000-000000000000, without braces", invalid)


SERVICES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\GuestCommunicationServices"
"""Where a host's registry keeps the services that guests may use."""
NO_MACHINE = Advice(
    "No machine with that vm_id runs on this host, or, in a guest, it is not the host.",
    ("see the ids: Get-VM | select Name, Id, State", "in a guest: HV_GUID_PARENT"),
)


class HyperV(Family):
    constant = "AF_HYPERV"
    title = "Hyper-V"
    summary = "between Windows and its virtual machines: (vm_id, service_id)"
    availability = "Windows since Python 3.12"
    systems = ("win32",)
    since = (3, 12)
    help = (
        "Both elements are GUIDs: which virtual machine, and which service. Windows registers services; a Linux guest "
        "sees a service id that ends in FACB-11E6-BD58-64006A7986D3 as the AF_VSOCK port of its first eight digits."
    )
    pitfalls = (
        "A GUID with braces or without dashes is refused, other than by uuid.UUID().",
        "The host must have registered the service, in the registry under Virtualization\\GuestCommunicationServices.",
    )
    advice = {
        ("socket", "EAFNOSUPPORT"): Advice(
            "This Windows has no Hyper-V sockets.",
            ("switch the feature on: Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All",),
        ),
        ("socket", "EPROTOTYPE"): Advice("Hyper-V sockets have the protocol HV_PROTOCOL_RAW (1).", ("write proto 1",)),
        ("socket", "EPROTONOSUPPORT"): Advice(
            "Hyper-V sockets have the protocol HV_PROTOCOL_RAW (1).", ("write proto 1",)
        ),
        ("socket", "ESOCKTNOSUPPORT"): Advice("Hyper-V sockets are streams.", ("choose SOCK_STREAM",)),
        ("bind", "EACCES"): Advice(
            "Windows refuses the service: it is not registered on the host, or this process is not elevated.",
            (
                f"register its GUID: {SERVICES}",
                "run it elevated, or as a member of Hyper-V Administrators",
            ),
        ),
        ("bind", "EADDRINUSE"): Advice("Another socket has that service.", ("choose another service_id",)),
        ("bind", "EADDRNOTAVAIL"): Advice(
            "That vm_id is none that this machine can be.", ("write HV_GUID_ZERO: any of its partitions",)
        ),
        ("bind", "EINVAL"): Advice("The socket is bound already.", ("close it and open another",)),
        ("connect", "ECONNREFUSED"): Advice(
            "Nobody listens to that service over there, or the host has not registered it.",
            ("start the server", f"register its GUID on the host: {SERVICES}"),
        ),
        ("connect", "EACCES"): Advice(
            "This process may not speak to that machine.",
            ("run it elevated, or as a member of Hyper-V Administrators",),
        ),
        ("*", "ENETUNREACH"): NO_MACHINE,
        ("*", "EHOSTUNREACH"): NO_MACHINE,
        ("*", "EHOSTDOWN"): NO_MACHINE,
        ("connect", "EADDRNOTAVAIL"): NO_MACHINE,
        ("connect", "ETIMEDOUT"): Advice(
            "The machine did not answer: it is starting, paused, or without the integration services.",
            ("see its state: Get-VM", "see its services: Get-VMIntegrationService VM"),
        ),
        ("*", "ECONNRESET"): Advice("The peer, or its machine, ended abruptly.", ("connect again",)),
        ("*", "ECONNABORTED"): Advice("The machine was stopped, saved or moved.", ("connect again",)),
    }
    protocols = (
        Protocol(
            "raw", "SOCK_STREAM", "HV_PROTOCOL_RAW", "byte streams", ("listen", "connect"),
            messages=False, connections=True,
            local={"vm_id": "HV_GUID_ZERO", "service_id": f"00001234{VSOCK_TEMPLATE}"},
            remote={"vm_id": "HV_GUID_PARENT", "service_id": f"00001234{VSOCK_TEMPLATE}"},
            help="A stream between a host and its guests without a network.",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field("vm_id", Guid("vm_id", GUIDS), "HV_GUID_ZERO", "the virtual machine; HV_GUID_ZERO is any",
                  pitfall="It is the machine's id, not its name: see (Get-VM).Id."),
            Field("service_id", Guid("service_id"), f"00001234{VSOCK_TEMPLATE}", "the service",
                  pitfall="Both ends must agree on it, and the host must have registered it."),
        )  # fmt: skip

    def unsupported(self, proto: int) -> Raises | None:
        if proto == self.protocols[0].proto_number:
            return None
        return Raises("OSError", f"{{call}}(): unsupported AF_HYPERV protocol: {proto}")

    def wrong_length(self, protocol: Protocol, address: tuple[object, ...]) -> Raises:
        return NOT_STRINGS

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if isinstance(address, tuple) and role == "remote" and str(address[0]) == GUIDS["HV_GUID_ZERO"]:
            yield Notice("vm_id", "HV_GUID_ZERO is for bind; a peer has an id of its own")

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) != 2 or not all(isinstance(each, str) for each in address):
            return repr(address)
        names = {value: name for name, value in GUIDS.items()}
        vm, service = address
        return f"{names.get(vm.upper(), vm)} {service}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """``VM_ID SERVICE_ID``, with a space between; a vm_id may be a name such as HV_GUID_PARENT."""
        parts = text.split()
        if len(parts) != 2:
            raise FieldError("", text, "has no vm_id and service_id", f"write {self.example(protocol)}")
        return tuple(each.read(part) for each, part in zip(self.fields(protocol), parts, strict=True))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        vm, service = (uuid.UUID(each).bytes_le for each in address)
        return SOCKADDR.pack(Family=self.number, VmId=vm, ServiceId=service)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        return None if found is None else (guid(found["VmId"]), guid(found["ServiceId"]))

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = HyperV()
