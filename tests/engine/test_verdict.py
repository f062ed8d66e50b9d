"""The verdict is this interpreter's own, the declaration agrees with it, and nobody is asked for a name."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from addresses import ANYTHING, GOOD
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.family import Family
from sockexplorer.core.verdict import Verdict
from sockexplorer.engine.verdict import ask_cpython, judge
from sockexplorer.families import all_families, family, find

every_family = pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)


def parser_has(each: Family) -> bool:
    """Whether this interpreter was built with the family."""
    try:
        ask_cpython(each.number, 1, each.protocols[0].proto_number, None)
    except LookupError:
        return False
    return not each.foreign


KNOWN = [each for each in all_families() if parser_has(each)]
every_known_family = pytest.mark.parametrize("each", KNOWN, ids=lambda each: each.name)
NAMES = [
    ".",
    "localhost",
    "no-such-host.invalid",
    "example.com",
    b"no-such-host.invalid",
    "münchen.invalid",
    "a_b",
    "x.",
]


@pytest.fixture
def no_lookups(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let numbers through `getaddrinfo`, and nothing else; what it was asked is kept."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def guarded(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        asked.append(host)
        assert flags & socket.AI_NUMERICHOST, f"a resolver would have been asked for {host!r}"
        return real(host, port, family, type, proto, flags)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    return asked


@every_known_family
@given(address=ANYTHING)
def test_the_verdict_is_the_parsers_with_a_reason(each: Family, address: object) -> None:
    protocol = each.protocols[-1]
    refused = ask_cpython(each.number, protocol.type_number, protocol.proto_number, each.without_lookup(address))
    for role in ("local", "remote"):
        verdict = judge(each, protocol, address, role)  # type: ignore[arg-type]
        assert verdict.accepted == (refused is None)
        assert verdict.exception == (type(refused).__name__ if refused else None)
        assert verdict.sentence()
        assert verdict.accepted or verdict.reason


@every_family
@given(data=st.data())
def test_it_travels_as_json(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    verdict = judge(each, each.protocols[0], address, "local")
    assert verdict.accepted
    assert verdict.sockaddr == each.pack(each.protocols[0], address)
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("host", NAMES, ids=repr)
@pytest.mark.parametrize("name", ["inet", "inet6"])
def test_a_name_is_accepted_with_a_warning_and_never_looked_up(
    name: str, host: object, no_lookups: list[object]
) -> None:
    # A lookup by the C parser would be a gaierror for the names that do not exist, so acceptance proves its absence.
    verdict = judge(family(name), family(name).protocols[0], (host, 80), "remote")
    assert verdict.accepted, verdict
    assert verdict.sockaddr is None
    assert [each.field for each in verdict.notices] == ["host"]
    assert "lookup" in verdict.notices[0].text
    assert no_lookups


@given(address=ANYTHING | GOOD["AF_INET"] | GOOD["AF_INET6"])
def test_no_address_is_looked_up(no_lookups: list[object], address: object) -> None:
    for each in all_families():
        judge(each, each.protocols[0], address, "local")


@pytest.mark.parametrize(
    ("path", "address", "role", "field", "says"),
    [
        ("inet/udp", ("010.0.0.1", 1024), "remote", "host", "8.0.0.1"),
        ("inet/udp", ("１２７.0.0.1", 1024), "remote", "host", "127.0.0.1"),
        ("inet/tcp", ("127.0.0.1", 80), "local", "port", "CAP_NET_BIND_SERVICE"),
        ("inet/udp", ("127.0.0.1", 0), "remote", "port", "nobody"),
        ("inet6/udp", ("fe80::1%lo", 1024), "remote", "host", "put it in scope_id"),
        ("inet6/udp", ("fe80::1", 1024), "local", "scope_id", "interface's index"),
        ("inet6/udp", ("::1", 1024, 0, 2**32 + 1), "remote", "scope_id", "passes 1"),
        ("tipc/rdm", (1, 1000, 0, 10, -1), "local", "scope", "withdraws"),
        ("tipc/rdm", (1, 1000, 0, 10, 258), "local", "scope", "the kernel gets 2"),
        ("tipc/rdm", (1, 1, 0, 10), "local", "v1", "reserved"),
        ("inet6/udp", ("ff01::1", 8000), "local", "scope_id", "interface's index"),
        ("inet6/udp", ("fe80::1%1", 8000, 0, 7), "remote", "host", "scope_id 7 wins"),
        ("inet6/udp", ("::1", 8000, 2**32 + 1), "remote", "flowinfo", "passes 1 silently (3.15 warns)"),
        ("inet/udp", ("::ffff:1.2.3.4", 8000), "remote", "host", "read as 1.2.3.4"),
        ("can/isotp", ("lo", 0x800, 1), "local", "rx_addr", "add CAN_EFF_FLAG"),
        ("can/isotp", ("lo", 1, 0x40000123), "local", "tx_addr", "no id has"),
        ("can/isotp", ("lo", 1, 0x100000001), "local", "tx_addr", "same id"),
        ("can/j1939", ("lo", 0, 0x1201, 1), "local", "pgn", "PDU1"),
        ("can/j1939", ("lo", 0, -1, 1), "local", "pgn", "passes 4294967295"),
        ("can/raw", ("lo:1",), "local", "interface", "colon"),
        ("packet/raw", ("lo", 0), "local", "proto", "keeps the protocol"),
        ("qipcrtr/dgram", (1, -1), "remote", "port", "passes 4294967295"),
        ("alg/hash", ("hash", "sha256", 0x10000), "local", "feat", "passes 0"),
        ("alg/hash", ("cipher", "aes"), "local", "type", "types hash"),
        ("rds/seqpacket", ("224.0.0.1", 8080), "local", "host", "multicast"),
        ("netlink/route", (-1, 1), "local", "pid", "4294967295"),
        ("packet/raw", ("lo:nonsense-that-is-long", 3), "local", "ifname", "15 bytes"),
        ("packet/raw", ("lo", 3, 256), "local", "pkttype", "passes 0"),
        ("unix/stream", "@name", "local", "path", "starts with @"),
        ("unix/stream", "/tmp/a\0b", "local", "path", "stops at the NUL"),
        ("unix/stream", "name", "local", "path", "relative"),
        ("unix/stream", "", "remote", "path", "not reached"),
        ("vsock/stream", (2**32 + 2, 1234), "remote", "cid", "passes 2"),
    ],
)
def test_what_is_accepted_but_rarely_meant(path: str, address: object, role: Any, field: str, says: str) -> None:
    verdict = judge(*find(path), address, role)
    assert verdict.accepted, verdict
    assert any(each.field == field and says in each.text for each in verdict.notices), verdict.notices


@pytest.mark.parametrize(
    ("path", "address", "field", "remedy"),
    [
        ("inet/udp", ("127.0.0.1", 65536), "port", "0 to 65535"),
        ("inet/udp", ("127.0.0.1", "80"), "port", "without quotes"),
        ("inet/udp", ("256.0.0.1", 80), "host", "192.0.2.1"),
        ("inet/udp", ("::1", 80), "host", "choose that family"),
        ("inet/udp", (None, 80), "host", "127.0.0.1"),
        ("inet/udp", ["127.0.0.1", 80], "", "(host, port)"),
        ("inet6/udp", ("::1", 80, 0x100000), "flowinfo", "1048575"),
        ("inet6/udp", ("::1", 80, 0, "lo"), "scope_id", "without quotes"),
        ("packet/raw", ("nosuch-iface", 3), "ifname", "ip link"),
        ("packet/raw", ("lo", 3, 0, 0, b"123456789"), "addr", "at most 8"),
        ("unix/stream", "x" * 108, "path", "at most 107"),
        ("unix/stream", b"\0" * 109, "path", "at most 108"),
        ("netlink/route", (0,), "", "(pid, groups)"),
        ("vsock/stream", ("2", 1), "cid", "without quotes"),
    ],
)
def test_a_refusal_names_the_field_and_what_would_be_right(path: str, address: object, field: str, remedy: str) -> None:
    verdict = judge(*find(path), address, "local")
    assert not verdict.accepted
    assert verdict.decided_by == "cpython"
    assert verdict.field == field
    assert remedy in verdict.remedy, verdict


class Elsewhere(type(find("inet/udp")[0])):  # type: ignore[misc]
    """AF_INET under a number that no interpreter knows: the declaration has to decide alone."""

    constant = "250"


def test_where_the_interpreter_lacks_the_family_the_declaration_decides() -> None:
    each = Elsewhere()
    good = judge(each, each.protocols[0], ("127.0.0.1", 80), "remote")
    assert (good.accepted, good.decided_by) == (True, "model")
    bad = judge(each, each.protocols[0], ("127.0.0.1", 70000), "remote")
    assert (bad.accepted, bad.decided_by, bad.field) == (False, "model", "port")
