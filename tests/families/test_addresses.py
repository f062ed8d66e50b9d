"""Addresses survive the form, the kernel's bytes and the plain form."""

from __future__ import annotations

import ast

import pytest
from addresses import GOOD, HOSTS4, PORTS, canonical_host
from hypothesis import assume, given
from hypothesis import strategies as st

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.families import all_families, family

every_family = pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)


@every_family
@given(data=st.data())
def test_the_form_gives_back_what_it_was_given(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    protocol = each.protocols[0]
    each.check(protocol, address)
    texts = each.texts(protocol, address)
    assert set(texts) == {field.name for field in each.fields(protocol)}
    again = each.build(protocol, {field.name: field.parse(texts[field.name]) for field in each.fields(protocol)})
    if isinstance(address, tuple):
        given = each.fields(protocol)[len(address) :]
        assert again == address[: len(again)] if len(again) <= len(address) else not given
    assert each.pack(protocol, again) == each.pack(protocol, address)


@every_family
@given(data=st.data())
def test_the_kernels_bytes_come_back(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    packed = each.pack(each.protocols[0], address)
    found = each.unpack(each.protocols[0], packed)
    assert each.unpack(each.protocols[0], each.pack(each.protocols[0], found)) == found
    assert type(found) is type(address) or each.constant == "AF_UNIX"


@given(st.ip_addresses(v=4).map(str), PORTS)
def test_inet_bytes(host: str, port: int) -> None:
    inet = family("inet")
    assert inet.unpack(inet.protocols[0], inet.pack(inet.protocols[0], (host, port))) == (host, port)


@given(st.ip_addresses(v=6).map(str), PORTS, st.integers(0, 0xFFFFF), st.integers(0, 2**32 - 1))
def test_inet6_bytes(host: str, port: int, flowinfo: int, scope: int) -> None:
    inet6 = family("inet6")
    found = inet6.unpack(inet6.protocols[0], inet6.pack(inet6.protocols[0], (host, port, flowinfo, scope)))
    assert isinstance(found, tuple)
    assert (canonical_host(found[0]), *found[1:]) == (canonical_host(host), port, flowinfo, scope)


@pytest.mark.parametrize("host", [b"127.0.0.1", bytearray(b"127.0.0.1"), "127.1", "１２７.0.0.1", "::ffff:127.0.0.1"])
def test_inet_hosts_in_disguise_have_bytes_too(host: object) -> None:
    inet = family("inet")
    assert inet.unpack(inet.protocols[0], inet.pack(inet.protocols[0], (host, 80))) == ("127.0.0.1", 80)


@given(st.ip_addresses(v=4).map(str) | st.just(""), PORTS)
def test_inet_plain_form(host: str, port: int) -> None:
    inet = family("inet")
    assert inet.plain(inet.protocol("udp"), inet.text((host, port))) == (host, port)


@given(st.ip_addresses(v=6).map(str), PORTS, st.integers(1, 2**32 - 1))
def test_inet6_plain_form(host: str, port: int, scope: int) -> None:
    inet6 = family("inet6")
    assert inet6.plain(inet6.protocol("udp"), inet6.text((host, port))) == (host, port)
    assert inet6.plain(inet6.protocol("udp"), inet6.text((host, port, 0, scope))) == (host, port, 0, scope)


@given(st.binary(max_size=107))
def test_unix_plain_form_of_abstract_names(name: bytes) -> None:
    unix = family("unix")
    assert unix.plain(unix.protocols[0], unix.text(b"\0" + name)) == b"\0" + name


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=25))
def test_unix_plain_form_of_paths(path: str) -> None:
    unix = family("unix")
    assume(path[0] not in "@\0")
    assert unix.plain(unix.protocols[0], unix.text(path)) == path


@pytest.mark.parametrize(
    ("name", "text", "address"),
    [
        ("inet/udp", "127.0.0.1:9999", ("127.0.0.1", 9999)),
        ("inet/udp", "*:0", ("", 0)),
        ("inet/udp", ":80", ("", 80)),
        ("inet/raw", "10.0.0.1", ("10.0.0.1", 0)),
        ("inet6/udp", "[::1]:9999", ("::1", 9999)),
        ("inet6/udp", "[fe80::1%lo]:9", ("fe80::1", 9, 0, 1)),
        ("inet6/raw", "::1", ("::1", 0)),
        ("unix/stream", "/tmp/x.sock", "/tmp/x.sock"),
        ("unix/stream", r"@a\x00b", b"\0a\0b"),
        ("unix/stream", "", ""),
        ("unix/stream", "b'\\0x'", b"\0x"),
        ("netlink/route", "LINK|IPV4_IFADDR", (0, 0x11)),
        ("netlink/route", "7:0x3", (7, 3)),
        ("packet/raw", "lo", ("lo", 3)),
        ("packet/raw", "lo:ETH_P_IP", ("lo", 0x800)),
        ("vsock/stream", "any:1234", (0xFFFFFFFF, 1234)),
        ("vsock/stream", "2:any", (2, 0xFFFFFFFF)),
    ],
)
def test_plain_forms_that_people_type(name: str, text: str, address: object) -> None:
    each = family(name.partition("/")[0])
    assert each.read(each.protocol(name.partition("/")[2]), text) == address


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("inet/udp", "127.0.0.1", ""),
        ("inet/udp", "127.0.0.1:http", "port"),
        ("inet6/udp", "::1:9999", ""),
        ("inet6/udp", "[fe80::1%nosuch0]:9", "scope_id"),
        ("inet6/udp", "[fe80::1%\0]:9", "scope_id"),
        ("unix/stream", r"@\q", "path"),
        ("netlink/route", "LNIK", "groups"),
        ("packet/raw", ":3", "ifname"),
        ("vsock/stream", "2:x", "port"),
    ],
)
def test_plain_forms_that_are_wrong_name_the_field(name: str, text: str, field: str) -> None:
    each = family(name.partition("/")[0])
    with pytest.raises(FieldError) as caught:
        each.read(each.protocol(name.partition("/")[2]), text)
    assert caught.value.field == field
    assert caught.value.reason


@given(HOSTS4, PORTS)
def test_trailing_defaults_are_left_out(host: str, port: int) -> None:
    inet6 = family("inet6")
    values = {"host": host, "port": port, "flowinfo": 0, "scope_id": 0}
    assert inet6.build(inet6.protocols[0], values) == (host, port)
    assert inet6.build(inet6.protocols[0], {**values, "scope_id": 3}) == (host, port, 0, 3)


@every_family
@given(data=st.data())
def test_what_is_written_is_read_as_the_same_address(each: Family, data: st.DataObject) -> None:
    for protocol in each.protocols if each.name == "can" else each.protocols[:1]:
        address = (
            data.draw(GOOD[each.constant])
            if protocol is each.protocols[0]
            else ast.literal_eval(each.example(protocol))
        )
        assert each.read(protocol, each.written(protocol, address)) == address
        assert each.written(protocol, address).isprintable()


@every_family
@given(data=st.data())
def test_what_a_row_shows_of_an_address_can_be_typed(each: Family, data: st.DataObject) -> None:
    """Rows leave out what is seldom of interest; what they show is read back as it was."""
    protocol = each.protocols[0]
    try:
        address = each.unpack(protocol, each.pack(protocol, data.draw(GOOD[each.constant])))
    except OSError:
        return  # an interface that this host does not have
    shown = each.text(address)
    if each.name == "alg" or "\0" in shown:
        return  # a name with a colon in it is ambiguous, and no algorithm has one
    assert each.text(each.read(protocol, shown)) == shown


@pytest.mark.parametrize(
    ("path", "text", "address"),
    [
        ("netlink/route", "kernel", (0, 0)),
        ("netlink/kobject-uevent", "kernel groups 0x1", (0, 1)),
        ("netlink/route", "pid 77 groups 0x11", (77, 0x11)),
        ("packet/raw", "lo ALL", ("lo", 3)),
        ("packet/raw", "eth0 0x0806 02:00:00:00:00:01", ("eth0", 0x806, 0, 0, b"\2\0\0\0\0\1")),
        ("can/raw", "any", ("",)),
        ("can/isotp", "vcan0 rx 7e8 tx 7e0", ("vcan0", 0x7E8, 0x7E0)),
        ("can/j1939", "vcan0 pgn 0fef1 addr 20", ("vcan0", 0, 0xFEF1, 0x20)),
        ("tipc/rdm", "node 1001 ref 5", (3, 0x1001, 5, 0)),
        ("system/control", "control 7 unit 0", (7, 0)),
        ("bluetooth/l2cap", "AA:BB:CC:DD:EE:FF 0x1001", ("AA:BB:CC:DD:EE:FF", 0x1001)),
        ("alg/hash", "hmac(sha256)", ("hash", "hmac(sha256)")),
        ("alg/hash", "skcipher:cbc(aes)", ("skcipher", "cbc(aes)")),
        ("unix/dgram", "(unnamed)", ""),
    ],
)
def test_forms_of_rows(path: str, text: str, address: object) -> None:
    head, _, tail = path.partition("/")
    assert family(head).read(family(head).protocol(tail), text) == address
