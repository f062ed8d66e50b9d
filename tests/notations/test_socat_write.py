"""What is written for socat: read back it is the endpoint again, and nothing in it acts on a terminal."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from addresses import ANYTHING, BDADDRS, GOOD
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families, find
from sockexplorer.notations import read, socat_command
from sockexplorer.notations.reading import accepts
from sockexplorer.notations.socat_syntax import printf, quoted, words

PROTOCOLS = [(family, protocol) for family in all_families() for protocol in family.protocols]
every_protocol = pytest.mark.parametrize(
    ("family", "protocol"), PROTOCOLS, ids=[f"{family.name}-{protocol.name}" for family, protocol in PROTOCOLS]
)
WITHOUT = ("AF_ALG", "AF_HYPERV", "AF_RDS")


def command(path: str, operation: str, *addresses: object, **more: object) -> str | None:
    family, protocol = find(path)
    payload = more.pop("payload", None)
    endpoint = Endpoint(family.constant, protocol.name, operation, *addresses, **more)  # type: ignore[arg-type]
    return socat_command(family, protocol, endpoint, payload)  # type: ignore[arg-type]


def raw(family: Family, protocol: Protocol, address: object) -> object:
    """The kernel's bytes of an address as far as they count; the address where this host can't tell them."""
    try:
        packed = b"" if address is None else family.pack(protocol, address)
    except (OSError, ValueError):
        return address
    # A path ends at its first NUL.
    return packed[2:].partition(b"\0")[0] if family.constant == "AF_UNIX" and packed[2:3] != b"\0" else packed


def addresses(family: Family, protocol: Protocol) -> st.SearchStrategy[object]:
    """Addresses of every protocol; `GOOD` has those of a family's first one."""
    word = st.integers(0, 2**32 - 1)
    more: dict[tuple[str, str], st.SearchStrategy[object]] = {
        ("AF_CAN", "isotp"): st.tuples(st.just("lo"), word, word),
        ("AF_CAN", "j1939"): st.tuples(st.just("lo"), st.integers(0, 2**64 - 1), word, st.integers(0, 255)),
        ("AF_BLUETOOTH", "hci"): st.integers(0, 0xFFFF).map(lambda device: (device,)),
        ("AF_BLUETOOTH", "sco"): BDADDRS.map(str.encode),
    }
    taken = more.get((family.constant, protocol.name), GOOD[family.constant])
    return taken.filter(lambda address: accepts(family, protocol, address))


@st.composite
def endpoints(draw: st.DrawFn, family: Family, protocol: Protocol) -> Endpoint:
    operation = draw(st.sampled_from([*protocol.operations, *([] if protocol.connections else ["open"])]))
    local = draw(addresses(family, protocol)) if operation in ("bind", "listen") or draw(st.booleans()) else None
    wanted = operation in ("connect", "open") or (operation == "bind" and draw(st.booleans()))
    remote = draw(addresses(family, protocol)) if wanted else None
    options = [
        SetOption(each.level, each.name, draw(st.integers(0, 1) if each.flag else st.integers(-1, 2**31 - 1)))
        for each in protocol.options
        if draw(st.booleans())
    ]
    proto = draw(st.integers(0, 255)) if protocol.proto_choices and draw(st.booleans()) else None
    return Endpoint(
        family.constant, protocol.name, operation, None if operation == "open" else local, remote,
        tuple(options), proto,
    )  # fmt: skip


@every_protocol
@settings(max_examples=30)  # of each of some sixty protocols
@given(data=st.data())
def test_what_is_written_is_read_back(family: Family, protocol: Protocol, data: st.DataObject) -> None:
    endpoint = data.draw(endpoints(family, protocol))
    payload = data.draw(st.none() | st.binary(max_size=200))
    line = socat_command(family, protocol, endpoint, payload)
    if line is None:
        assume(family.constant in WITHOUT or family.foreign or not packs(family, protocol, endpoint))
        return
    assert line.isascii()
    assert line.isprintable()
    found = read(line)
    assert found
    first = found[0]
    assert (first.family, first.protocol, first.operation) == (family, protocol, endpoint.operation)
    assert raw(family, protocol, first.local) == raw(family, protocol, endpoint.local)
    if endpoint.remote is not None and not (protocol.sends_bound and first.remote is None):
        assert raw(family, protocol, first.remote) == raw(family, protocol, endpoint.remote)
    if protocol.proto_choices:
        assert first.proto == (protocol.proto_number if endpoint.proto is None else endpoint.proto)
    assert sorted(map(numbers, first.options)) == sorted(map(numbers, endpoint.options))


def packs(family: Family, protocol: Protocol, endpoint: Endpoint) -> bool:
    """Whether this host knows the sockaddrs (an interface that is not there has no index)."""
    return all(
        each is None or isinstance(raw(family, protocol, each), bytes) for each in (endpoint.local, endpoint.remote)
    )


@given(
    st.sampled_from(PROTOCOLS), ANYTHING, ANYTHING, st.sampled_from(["bind", "connect", "listen", "open"]), st.data()
)
def test_whatever_stands_in_the_form(
    kind: tuple[Family, Protocol], local: object, remote: object, operation: str, data: st.DataObject
) -> None:
    family, protocol = kind
    options = data.draw(st.lists(st.builds(SetOption, st.text(), st.text(), st.integers(-9, 9)), max_size=1))
    proto = data.draw(st.none() | st.integers(-1, 70000))
    endpoint = Endpoint(family.constant, protocol.name, operation, local, remote, tuple(options), proto)  # type: ignore[arg-type]
    line = socat_command(family, protocol, endpoint, data.draw(st.none() | st.binary(max_size=9)))
    assert line is None or (line.isascii() and line.isprintable())


def numbers(option: SetOption) -> tuple[int, int, int]:
    return number(option.level), number(option.name), option.value


@every_protocol
def test_the_example_of_every_protocol_has_a_command(family: Family, protocol: Protocol) -> None:
    address = family.read(protocol, family.example(protocol))
    operation = protocol.operations[0]
    ends = (None, address) if operation == "connect" else (address, None)
    line = socat_command(family, protocol, Endpoint(family.constant, protocol.name, operation, *ends))
    unknown_here = not isinstance(raw(family, protocol, address), bytes)
    assert (line is None) == (family.constant in WITHOUT or family.foreign or unknown_here)


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("socat -u -b65536 UDP4-RECV:9,bind=127.0.0.1 -", ("inet/udp", "bind", ("127.0.0.1", 9))),
        ("socat -u -b65536 UDP6-RECV:9999 -", ("inet6/udp", "bind", ("", 9999))),
        ("socat -b65536 - UDP4-DATAGRAM:1.1.1.2:5,bind=0.0.0.0:4", ("inet/udp", "bind", ("", 4), ("1.1.1.2", 5))),
        ("socat -b65536 - 'UDP6-CONNECT:[::1]:53'", ("inet6/udp", "connect", None, ("::1", 53))),
        ("socat - TCP4-LISTEN:80,fork", ("inet/tcp", "listen", ("0.0.0.0", 80))),
        ("socat - TCP4-CONNECT:example.org:80", ("inet/tcp", "connect", None, ("example.org", 80))),
        ("socat - TCP4-CONNECT:127.0.0.1:80,prototype=262", ("inet/mptcp", "connect", None, ("127.1", 80))),
        ("socat -u -b65536 UDP4-RECV:1,prototype=136 -", ("inet/udplite", "bind", ("", 1))),
        ("socat -b65536 - SCTP4-LISTEN:5,fork", ("inet/sctp", "listen", ("", 5))),
        (f"socat -b65536 - SOCKET-LISTEN:2:33:x0005{'00' * 12},type=6,fork", ("inet/dccp", "listen", ("", 5))),
        (f"socat -b65536 - SOCKET-SENDTO:2:2:1:x00007f000001{'00' * 8}", ("inet/icmp", "open", None, ("127.0.0.1", 0))),
        ("socat -b65536 - IP4-SENDTO:127.0.0.1:1", ("inet/raw", "open", None, ("127.0.0.1", 0))),
        ("socat -u -b65536 'IP6-RECV:58,bind=[::1]' -", ("inet6/raw", "bind", ("::1", 0))),
        ("socat -u -b65536 SOCKET-RECV:2:3:1:x0000000000000000000000000000 -", ("inet/raw", "bind", ("", 0))),
        ("socat - UNIX-LISTEN:/tmp/x,umask=177,fork", ("unix/stream", "listen", "/tmp/x")),
        ("socat - 'UNIX-CONNECT:/a b\\,c'", ("unix/stream", "connect", None, "/a b,c")),
        ("socat -b262144 - UNIX-CONNECT:/x,type=5", ("unix/seqpacket", "connect", None, "/x")),
        ("socat -b262144 - UNIX-SENDTO:/x", ("unix/dgram", "open", None, "/x")),
        ("socat -u -b262144 ABSTRACT-RECV:name -", ("unix/dgram", "bind", b"\0name")),
        ("socat - SOCKET-CONNECT:1:0:x00610062", ("unix/stream", "connect", None, b"\0a\0b")),
        ("socat -u -b262144 SOCKET-RECV:1:2:0:x -", ("unix/dgram", "bind", "")),
        ("socat - VSOCK-LISTEN:1234,fork", ("vsock/stream", "listen", (0xFFFFFFFF, 1234))),
        ("socat -b65536 - VSOCK-CONNECT:2:1234,type=5", ("vsock/seqpacket", "connect", None, (2, 1234))),
        ("socat -u -b65536 INTERFACE:lo -", ("packet/raw", "bind", ("lo", 3))),
    ],
)  # fmt: skip
def test_the_addresses_that_socat_has_names_for(line: str, arguments: tuple[str, str, object]) -> None:
    assert command(*arguments) == line


def test_a_payload() -> None:
    assert command("inet/udp", "open", None, ("127.0.0.1", 9), payload=b"-100%\\'\n\0!") == (
        r"printf '\055100%%\\\047\012\000\041' | dd bs=10 iflag=fullblock 2>/dev/null"
        " | socat -t5 -b65536 - UDP4-SENDTO:127.0.0.1:9"
    )
    assert command("inet/tcp", "listen", ("", 9), payload=b"hi") == "printf 'hi' | socat -t5 - TCP4-LISTEN:9"
    assert command("inet/udp", "bind", ("", 9), payload=b"hi") == "printf 'hi' | socat -t5 -b65536 - UDP4-RECVFROM:9"
    assert command("inet/tcp", "connect", None, ("::", 9)) is None
    long = command("inet/udp", "open", None, ("127.0.0.1", 9), payload=bytes(5000))
    assert long is not None
    assert "' | dd bs=5000 iflag=fullblock 2>/dev/null | socat" in long
    assert command("inet/udp", "open", None, ("127.0.0.1", 9), payload=bytes(65537)) is None


@pytest.mark.parametrize(
    ("path", "operation", "local", "remote"),
    [
        ("inet/udp", "open", None, None),  # nowhere to send
        ("inet/udp", "bind", None, None),
        ("inet/udp", "bind", ("not a host", 1), None),
        ("rds/seqpacket", "bind", ("127.0.0.1", 1), None),  # its sockaddr says AF_INET
        ("alg/hash", "bind", ("hash", "sha256"), None),
        ("packet/raw", "bind", ("nosuch0", 0x88B5), None),
        ("inet/icmp", "connect", None, ("example.org", 0)),  # no sockaddr without a lookup
    ],
)
def test_what_socat_cannot_do(path: str, operation: str, local: object, remote: object) -> None:
    assert command(path, operation, local, remote) is None


@given(st.binary(max_size=300))
def test_a_shell_writes_the_payload(payload: bytes) -> None:
    for shell in ("sh", "bash"):
        done = subprocess.run([shell, "-c", printf(payload)], capture_output=True, check=True)
        assert done.stdout == payload


@given(st.binary(max_size=100).filter(lambda raw: b"\0" not in raw))
def test_a_shell_reads_the_word(word: bytes) -> None:
    written = quoted(word)
    assert written.isascii()
    assert written.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {written}"], capture_output=True, check=True)
    assert done.stdout == word
    assert words(written) == [word.decode("utf-8", "surrogateescape")]
    if re.fullmatch(rb"[\x20-\x7e]*", word):
        assert shlex.split(written) == [word.decode()]
