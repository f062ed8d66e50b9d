"""PF_SYSTEM, AF_HYPERV and AF_DIVERT through the engine, on FAKE sockets: `fakes` tells what that shows."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import pytest
from fakes import FakeSystem
from support import Desk, rows

from sockexplorer.client.client import Refused
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.engine import opening, recvmmsg
from sockexplorer.families import all_families, find

UTUN = "com.apple.net.utun_control"
ANY_VM = "00000000-0000-0000-0000-000000000000"
PARENT = "A42E7CDA-D03F-480C-9CC2-A4DE20ABB878"
SERVICE = "00001234-FACB-11E6-BD58-64006A7986D3"
GUEST = "11111111-2222-3333-4444-555555555555"
PACKET = bytes.fromhex("4500001c 00010000 40010000 7f000001 7f000001 0800f7ff 00000000")

FakeDesk = Callable[..., tuple[Desk, FakeSystem]]


@pytest.fixture
def fake(desks: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDesk]:
    """Makes a desk whose engine opens FAKE sockets, and reads without Linux' ``recvmmsg``."""
    systems = []

    def make(**fails: int) -> tuple[Desk, FakeSystem]:
        system = FakeSystem(**fails)
        systems.append(system)
        monkeypatch.setattr(opening, "make_socket", system)
        monkeypatch.setattr(recvmmsg, "AVAILABLE", False)
        return desks(), system

    yield make
    for each in systems:
        each.clear()


def called(system: FakeSystem, *methods: str) -> list[tuple[object, ...]]:
    """The calls of these methods, in order."""
    return [each for each in system.calls if each[0] in methods]


# --- PF_SYSTEM -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [UTUN, (7, 2)], ids=["name", "numbers"])
def test_a_kernel_control_is_connected(fake: FakeDesk, address: object) -> None:
    desk, system = fake()
    session = desk.open("system/control", "connect", remote=address)
    # <sys/socket.h>: PF_SYSTEM 32, SOCK_DGRAM 2; <sys/sys_domain.h>: SYSPROTO_CONTROL 2.
    assert called(system, "socket", "bind", "connect") == [("socket", 32, 2, 2), ("connect", address)]
    assert session.state == "connected"
    system.sockets[0].other_end.send(b"\0\0\0\2a packet of utun")
    assert desk.incoming(session, 1)[0].payload == b"\0\0\0\2a packet of utun"
    desk.send(session, b"\0\0\0\2another")
    assert system.sockets[0].other_end.recv(100) == b"\0\0\0\2another"
    desk.close(session)
    assert called(system, "close") == [("close",)]


def test_the_numbers_of_a_control_are_its_sockaddr_ctl() -> None:
    family, protocol = find("system/control")
    packed = family.pack(protocol, (7, 2))
    assert packed == bytes([0, 32]) + (2).to_bytes(2, "little") + b"\7\0\0\0\2\0\0\0" + bytes(20)
    assert family.unpack(protocol, packed) == (7, 2)


def test_what_macos_refuses_is_explained(fake: FakeDesk) -> None:
    desk, _ = fake(connect=errno.EPERM)
    with pytest.raises(Refused) as caught:
        desk.open("system/control", "connect", remote=UTUN)
    problem = caught.value.problem
    assert (problem.stage, problem.name) == ("connect", "EPERM")
    assert "for root" in problem.what


# --- AF_HYPERV -----------------------------------------------------------------------------------------------


def test_a_service_of_hyperv_listens(fake: FakeDesk) -> None:
    desk, system = fake()
    session = desk.open("hyperv/raw", "listen", local=(ANY_VM, SERVICE))
    # <winsock2.h>: AF_HYPERV 34, SOCK_STREAM 1; <hvsocket.h>: HV_PROTOCOL_RAW 1.
    assert called(system, "socket", "bind", "listen") == [
        ("socket", 34, 1, 1), ("bind", (ANY_VM, SERVICE)), ("listen",),
    ]  # fmt: skip
    assert session.local == (ANY_VM, SERVICE)
    accepted = system.sockets[0].visit((GUEST, SERVICE))
    desk.event(session, "accepted")
    assert session.peers[session.connections[0]].address == (GUEST, SERVICE)
    accepted.other_end.sendall(b"from the guest")
    assert desk.stream(session, 14) == b"from the guest"
    desk.send(session, b"from the host")
    assert accepted.other_end.recv(100) == b"from the host"
    accepted.other_end.close()
    desk.event(session, "closed")


def test_a_guest_connects_to_its_parent(fake: FakeDesk) -> None:
    desk, system = fake()
    session = desk.open("hyperv/raw", "connect", remote=(PARENT, SERVICE))
    assert called(system, "connect") == [("connect", (PARENT, SERVICE))]
    assert session.remote == (PARENT, SERVICE)
    system.sockets[0].other_end.sendall(b"hello")
    assert desk.stream(session, 5) == b"hello"


def test_guids_are_in_memory_as_windows_has_them() -> None:
    family, protocol = find("hyperv/raw")
    packed = family.pack(protocol, (PARENT, SERVICE))
    assert packed[:4] == bytes([34, 0, 0, 0])
    assert packed[4:20].hex() == "da7c2ea43fd00c489cc2a4de20abb878"
    assert packed[20:36].hex() == "34120000cbfae611bd5864006a7986d3"


def test_what_windows_refuses_is_explained(fake: FakeDesk) -> None:
    desk, _ = fake(connect=errno.ECONNREFUSED)
    with pytest.raises(Refused) as caught:
        desk.open("hyperv/raw", "connect", remote=(PARENT, SERVICE))
    assert caught.value.problem.what.startswith("Nobody listens to that service over there")


# --- AF_DIVERT -----------------------------------------------------------------------------------------------


def test_packets_of_the_firewall(fake: FakeDesk) -> None:
    desk, system = fake()
    session = desk.open("divert/raw", local=("0.0.0.0", 8668))
    # <sys/socket.h> of FreeBSD 14: AF_DIVERT 44, SOCK_RAW 3.
    assert called(system, "socket", "bind") == [("socket", 44, 3, 0), ("bind", ("0.0.0.0", 8668))]
    system.sockets[0].other_end.send(PACKET)
    frame = desk.incoming(session, 1)[0]
    assert (frame.payload, frame.peer) == (PACKET, 0), "whole; Python can't say from where"
    desk.send(session, PACKET, to=("0.0.0.0", 8668))
    assert called(system, "sendto") == [("sendto", PACKET, ("0.0.0.0", 8668))]
    assert system.sockets[0].other_end.recv(100) == PACKET
    assert not [each for each in rows(session) if each.event == "error"]


def test_a_divert_port_is_a_sockaddr_in_with_its_length() -> None:
    family, protocol = find("divert/raw")
    assert family.pack(protocol, ("0.0.0.0", 8668)) == bytes([0, 2, 0x21, 0xDC]) + bytes(12)


@pytest.mark.parametrize(
    ("code", "says"), [(errno.EPERM, "for root"), (errno.EAFNOSUPPORT, "no divert sockets")], ids=["right", "module"]
)
def test_what_freebsd_refuses_is_explained(fake: FakeDesk, code: int, says: str) -> None:
    desk, _ = fake(socket=code)
    with pytest.raises(Refused) as caught:
        desk.open("divert/raw", local=("0.0.0.0", 8668))
    assert caught.value.problem.stage == "socket"
    assert says in caught.value.problem.what


# --- and for real --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [each for each in all_families() if each.foreign], ids=lambda each: each.name)
def test_without_a_fake_they_are_refused(desk: Desk, family: object) -> None:
    path = f"{family.name}/{family.protocols[0].name}"  # type: ignore[attr-defined]
    declared, protocol = find(path)
    operation = protocol.operations[0]
    address = declared.read(protocol, declared.example(protocol))
    endpoint = Endpoint(declared.name, protocol.name, operation, address, address)
    with pytest.raises(Refused) as caught:
        desk.open(path, endpoint.operation, local=address, remote=address if operation == "connect" else None)
    assert caught.value.problem.stage == "socket"
    assert declared.constant in caught.value.problem.message
