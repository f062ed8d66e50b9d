"""Netlink decoding: no bytes break it, every range lies in the payload, real messages read as names."""

from __future__ import annotations

import os
import socket
import struct
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_messages import DUMP, ask, request

from sockexplorer.decoders import decode, summary
from sockexplorer.decoders.netlink import MOST_BYTES, MOST_MESSAGES, decode_netlink, type_name
from sockexplorer.decoders.tree import Node

PROTOCOLS = ["route", "generic", "kobject-uevent", "sock-diag", "netfilter", "audit", "connector", "usersock"]
HEADER = struct.Struct("=IHHII")


def message(kind: int, body: bytes, flags: int = 0, length: int | None = None) -> bytes:
    """A netlink message; ``length`` may lie."""
    return HEADER.pack(16 + len(body) if length is None else length, kind, flags, 1, 0) + body


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Bytes that look like messages: right headers, any bodies, sometimes a length that lies."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.integers(0, 100) | st.sampled_from([2, 3, 16, 17, 20, 24, 28]))
        body = draw(st.binary(max_size=80))
        length = draw(st.none() | st.integers(0, 200) | st.just(2**32 - 1))
        parts.append(message(kind, body, draw(st.integers(0, 0xFFFF) | st.just(0x200)), length))
    return b"".join(parts) + draw(st.binary(max_size=20))


def ranges_lie_within(root: Node, payload: bytes) -> None:
    assert (root.start, root.end) == (0, len(payload))
    for _, node in root.walk():
        assert 0 <= node.start <= node.end <= len(payload), node
        assert isinstance(node.value, str)


@given(st.sampled_from(PROTOCOLS), st.binary(max_size=400) | messages())
@example("route", b"")
@example("route", message(16, b"", length=0))
@example("route", message(2, b"\x01\0\0\0"))
@example("route", message(2, struct.pack("=i", -(2**31))))
@example("route", message(16, bytes(16) + struct.pack("=HH", 0, 0)))
@example("route", message(20, bytes(8) + struct.pack("=HH", 3, 1)))
@example("route", message(2, struct.pack("=i", -22) + message(16, b"", length=2**31), 0x200))
@example("generic", message(16, b"\x03\1\0\0" + struct.pack("=HHHH", 8, 7, 8, 1)))
@example("kobject-uevent", b"=\0=\0\xff=\xff\0\0")
def test_any_bytes(protocol: str, payload: bytes) -> None:
    ranges_lie_within(decode_netlink(protocol, payload), payload)
    assert isinstance(summary("AF_NETLINK", protocol, payload), str)


@given(st.sampled_from(["AF_INET", "AF_UNIX", "AF_PACKET", "AF_NONSENSE"]), st.binary(max_size=100))
def test_other_families_are_left_as_they_are(family: str, payload: bytes) -> None:
    root = decode(family, "udp", payload)
    ranges_lie_within(root, payload)
    assert not root.children
    assert summary(family, "udp", payload) == ""


@given(st.integers(0, 65535))
def test_every_type_has_a_name(kind: int) -> None:
    assert type_name("route", kind)
    assert type_name("audit", kind)


def test_a_large_payload_is_read_quickly() -> None:
    for payload in (message(16, b"") * 4096, message(16, bytes(16) + struct.pack("=HH", 4, 3) * 16000), bytes(65536)):
        begin = time.process_time()
        root = decode_netlink("route", payload)
        assert time.process_time() - begin < 1
        assert len(root.children) <= MOST_MESSAGES
        ranges_lie_within(root, payload)


@pytest.mark.parametrize(
    ("protocol", "payload"),
    [
        ("route", struct.pack("=IHHII", 2**22, 16, 0, 0, 0) + bytes(16) + struct.pack("=HH", 4, 3) * 2**20),
        ("generic", struct.pack("=IHHII", 2**22, 16, 0, 0, 0) + bytes(4)
         + (struct.pack("=HH", 65532, 6) + struct.pack("=HH", 4, 1) * 16382) * 64),
        ("kobject-uevent", b"a=b\0" * 2**20),
    ],
)  # fmt: skip
def test_a_payload_without_end_takes_bounded_memory(protocol: str, payload: bytes) -> None:
    """As a capture may have it; 16 MiB of attributes would take a gigabyte and half a minute."""
    root = decode("AF_NETLINK", protocol, payload)
    assert sum(1 for _ in root.walk()) < MOST_BYTES // 2
    assert root.end == root.children[-1].end == len(payload)
    assert root.children[-1].name == "not read"


def test_a_uevent_gives_its_variables_with_their_places() -> None:
    payload = b"add@/devices/x\0ACTION=add\0SUBSYSTEM=net\0BAD\xff=\x1b\0"
    root = decode_netlink("kobject-uevent", payload)
    assert root.value == "add@/devices/x"
    found = {node.name: node for node in root.children}
    assert found["ACTION"].value == "add"
    assert payload[found["SUBSYSTEM"].start : found["SUBSYSTEM"].end] == b"SUBSYSTEM=net"


@pytest.mark.parametrize(("code", "text"), [(0, "acknowledged"), (-1, "EPERM Operation not permitted")])
def test_errors_of_the_kernel_have_names(code: int, text: str) -> None:
    root = decode_netlink("route", message(2, struct.pack("=i", code) + bytes(16)))
    assert root.value == f"NLMSG_ERROR {text}"


def extended(code: int, flags: int, request: bytes, *attributes: tuple[int, bytes]) -> bytes:
    """An error with the kernel's attributes: NLMSGERR_ATTR_MSG is 1, _OFFS 2, _MISS_TYPE 5."""
    laid = b"".join(
        struct.pack("=HH", 4 + len(data), kind) + data.ljust((len(data) + 3) & ~3, b"\0") for kind, data in attributes
    )
    return message(2, struct.pack("=i", code) + request + laid, flags)


MTU = message(19, bytes(16) + struct.pack("=HHHH", 6, 4, 0, 0))


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (extended(-22, 0x200, MTU, (1, b"no such thing\0")), "EINVAL Invalid argument: no such thing"),
        (
            extended(-34, 0x200, MTU, (1, b"too short\0"), (2, struct.pack("=I", 32))),
            "ERANGE Numerical result out of range: too short (at byte 32, attribute 4 MTU)",
        ),
        (
            extended(-34, 0x300, MTU[:16], (2, struct.pack("=I", 32))),
            "ERANGE Numerical result out of range (at byte 32)",
        ),
        (extended(-22, 0x200, MTU, (5, struct.pack("=I", 3))), "EINVAL Invalid argument (attribute 3 is missing)"),
        (extended(-22, 0x000, MTU, (1, b"not an attribute\0")), "EINVAL Invalid argument"),
        (extended(0, 0x300, MTU[:16], (1, b"taken with a warning\0")), "acknowledged: taken with a warning"),
        (extended(-22, 0x200, MTU, (1, b"\xff\x1b[2J")), "EINVAL Invalid argument: \\xff\x1b[2J"),
    ],
)
def test_an_error_in_the_kernels_words(payload: bytes, said: str) -> None:
    root = decode_netlink("route", payload)
    assert root.value == f"NLMSG_ERROR {said}"
    ranges_lie_within(root, payload)


def test_a_dump_that_fails_says_so_behind_everything_else() -> None:
    done = message(3, struct.pack("=i", -22), 2)
    assert decode_netlink("route", done).value == "NLMSG_DONE EINVAL Invalid argument"
    assert decode_netlink("route", message(3, bytes(4), 2)).value == "NLMSG_DONE"
    many = decode_netlink("route", message(1, b"") * 5 + done).value
    assert many == "NLMSG_NOOP; NLMSG_NOOP; NLMSG_NOOP; and 3 more; NLMSG_DONE EINVAL Invalid argument"


def test_generic_netlinks_controller() -> None:
    group = struct.pack("=HHHHI", 20, 1, 8, 2, 16) + struct.pack("=HH", 8, 1) + b"own\0"
    groups = struct.pack("=HH", 24, 7) + group
    body = (
        struct.pack("=BBH", 1, 2, 0) + struct.pack("=HH", 8, 2) + b"abc\0" + struct.pack("=HHHH", 6, 1, 33, 0) + groups
    )
    payload = message(16, body)
    root = decode_netlink("generic", payload)
    assert root.value == "nlctrl CTRL_CMD_NEWFAMILY abc id 33 groups own 16"
    ranges_lie_within(root, payload)
    assert decode_netlink("generic", message(33, struct.pack("=BBH", 5, 1, 0))).value == "type 33 command 5 version 1"


def dump(kind: int) -> list[bytes]:
    """Ask the kernel for a dump; its messages, by datagram."""
    return ask(socket.NETLINK_ROUTE, request(kind, bytes(4), DUMP))


def test_a_real_dump_of_links_reads_as_names() -> None:
    names = []
    for payload in dump(18):
        root = decode_netlink("route", payload)
        ranges_lie_within(root, payload)
        for link in root.children:
            if link.name == "RTM_NEWLINK":
                fields = {node.name: node for node in link.children}
                names.append(fields["IFNAME"].value)
                place = fields["IFNAME"]
                assert fields["IFNAME"].value.encode() in payload[place.start : place.end]
                assert int(fields["index"].value) == socket.if_nametoindex(fields["IFNAME"].value)
                assert fields["seq"].value == "7"
                assert fields["MTU"].value.isdecimal()
    assert sorted(names) == sorted(name for _, name in socket.if_nameindex())


def test_a_real_dump_of_addresses_and_routes_reads_as_addresses() -> None:
    summaries = "; ".join(decode_netlink("route", payload).value for payload in dump(22))
    assert "RTM_NEWADDR 127.0.0.1/8 on lo" in summaries
    for payload in dump(26):
        root = decode_netlink("route", payload)
        ranges_lie_within(root, payload)
        for node in root.children:
            assert node.name in ("RTM_NEWROUTE", "NLMSG_DONE"), os.fsdecode(node.name)


def test_where_a_message_has_no_name_of_the_interface_its_number_is_called_what_it_is() -> None:
    local = struct.pack("=HH16s", 20, 1, socket.inet_pton(socket.AF_INET6, "fe80::1"))
    address = message(21, struct.pack("=BBBBI", socket.AF_INET6, 64, 0x80, 253, 7) + local)
    assert decode_netlink("route", address).value == "RTM_DELADDR fe80::1/64 on interface index 7"
    neighbour = message(28, struct.pack("=B3xiHBB", socket.AF_INET6, 7, 2, 0, 1) + local)
    assert decode_netlink("route", neighbour).value == "RTM_NEWNEIGH fe80::1 on interface index 7 REACHABLE"
    assert decode_netlink("route", message(17, struct.pack("=BxHiII", 0, 1, 7, 1, 0))).value == (
        "RTM_DELLINK interface index 7 <UP>"
    )
