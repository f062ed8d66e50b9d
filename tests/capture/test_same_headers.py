"""The origins of many rows at once are those of each by itself, whatever differs in their headers."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockexplorer.capture import pcapng, provenance, same_headers
from sockexplorer.capture.header_hashes import Hashing
from sockexplorer.capture.index import Index
from sockexplorer.capture.link_types import ETHERNET, EXPORTED_PDU, Origin, wrap
from sockexplorer.capture.provenance import origin
from sockexplorer.capture.same_headers import of_rows
from sockexplorer.core.literal import read_literal

ETHERNET_FROM = 6
"""Interfaces from this number on are of Ethernet."""
PATHS = ("inet/udp", "inet6/udp", "inet/tcp", "rds/seqpacket", "unix/dgram", "")
hosts = st.sampled_from(("127.0.0.1", "10.1.2.3", "::1", "fd00::7", "::ffff:10.1.2.3"))
rows = st.tuples(
    st.integers(0, ETHERNET_FROM + 1), hosts, st.integers(0, 65535), st.sampled_from((None, True, False)),
    st.sampled_from(([], [], ["a comment"], ["peer: ('10.9.9.9', 1)"], ["peer: 'x'", "flags: OWN"])),
    st.binary(max_size=5) | st.binary(min_size=13, max_size=20),
)  # fmt: skip


def frame(number: int, row: tuple[int, str, int, bool | None, list[str], bytes]) -> bytes:
    which, host, port, outgoing, comments, payload = row
    if which >= ETHERNET_FROM:
        return pcapng.packet(which, number, (payload,), len(payload), outgoing, comments)
    peer = (host, port, 0, 0) if ":" in host else (host, port)
    local = ("192.0.2.1", port & 3)
    head = wrap(Origin(PATHS[which] or "inet/udp", 0, local), peer, payload, outgoing=bool(outgoing))[1]
    return pcapng.packet(which, number, (head, payload), len(head) + len(payload), outgoing, comments)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.booleans(), st.lists(rows, min_size=1, max_size=40), st.integers(0, 3))
def test_rows_of_any_headers(tmp_path: Path, ours: bool, told: list, cut: int) -> None:  # type: ignore[type-arg]
    (path := tmp_path / "any.pcapng").write_bytes(
        pcapng.section("sockexplorer 1" if ours else "another", "")
        + b"".join(pcapng.interface(EXPORTED_PDU, each) for each in PATHS)
        + b"".join(pcapng.interface(ETHERNET, each) for each in ("eth0", ""))
        + b"".join(frame(number, row) for number, row in enumerate(told))
    )
    index = Index(path, 0)
    for _ in index.steps():
        pass
    # An index that was kept may say anything of where records are.
    for row in range(min(cut, index.count)):
        index.columns.offset[-1 - row] = (0, index.file.size - 1, 2**63)[row]  # type: ignore[index]
    with patch.object(same_headers, "FEWEST", 2), patch.object(same_headers, "MOST_KINDS", 5):
        every = list(range(index.count))
        assert of_rows(index, every, Hashing(index, 1)) == [same_headers.of_row(index, row) for row in every]
    index.close()


def test_of_thousands_of_peers_one_is_read(tmp_path: Path) -> None:
    told = [(0, f"10.0.{each >> 8}.{each & 255}", each & 3, False, [], b"x") for each in range(3000)]
    (path := tmp_path / "many.pcapng").write_bytes(
        pcapng.section("sockexplorer 1", "")
        + pcapng.interface(EXPORTED_PDU, "inet/udp")
        # The ports of this end are told as well: four of them.
        + b"".join(frame(number, row) for number, row in enumerate(told))
    )
    index = Index(path, 0)
    for _ in index.steps():
        pass
    wanted = [origin(index.record(row)) for row in range(3000)]
    with patch.object(same_headers, "origin", side_effect=provenance.origin) as read:
        assert of_rows(index, range(3000), Hashing(index, 1)) == wanted
    assert read.call_count == 4
    assert len({each.peer for each in wanted}) == 3000
    index.close()


def test_of_thousands_of_senders_on_a_link_none_is_read(tmp_path: Path) -> None:
    (path := tmp_path / "many.pcapng").write_bytes(
        pcapng.section("another", "")
        + pcapng.interface(ETHERNET, "eth0")
        + b"".join(
            pcapng.packet(0, each, (bytes(6) + each.to_bytes(6, "big") + b"\x08\0" + bytes(46),), 60, False)
            for each in range(3000)
        )
    )
    index = Index(path, 0)
    for _ in index.steps():
        pass
    wanted = [origin(index.record(row)) for row in range(3000)]
    with patch.object(same_headers, "origin", side_effect=AssertionError):
        assert of_rows(index, range(3000), Hashing(index, 1)) == wanted
    assert len({each.peer for each in wanted}) == 3000
    index.close()


@pytest.mark.parametrize("text", ["('10.0.0.1', 53)", "('::1', 53, 0, 0)", "(2, 1234)", "('', 0)", "(0, 0)"])
def test_simple_literals_are_what_python_reads(text: str) -> None:
    value = read_literal(text)
    assert value == eval(text)
    assert type(value) is tuple
    assert list(map(type, value)) == list(map(type, eval(text)))


@given(st.from_regex(r"\(('[\w.]{0,3}'|[01]{1,3})(,? ?[0-9_']{1,3}){1,2},?\)", fullmatch=True))
def test_any_literal_is_what_python_reads(text: str) -> None:
    import ast

    try:
        wanted = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        with pytest.raises(ValueError, match="is not a Python literal"):
            read_literal(text)
    else:
        assert read_literal(text) == wanted


@given(
    st.tuples(
        st.sampled_from(("eth0", "?", "", "a'b")), st.integers(0, 65535), st.integers(0, 4), st.binary(max_size=8)
    )
)
def test_the_literal_of_an_address_with_bytes_is_read(address: tuple[str, int, int, bytes]) -> None:
    assert read_literal(repr(address)) == address


def test_the_literals_of_senders_are_read_without_a_compiler() -> None:
    with patch("ast.literal_eval", side_effect=AssertionError):
        assert read_literal(repr(("eth0", 2048, 0, 1, bytes(range(33, 39)) + b"\0\n\\~"))) == (
            "eth0", 2048, 0, 1, b"!\"#$%&\0\n\\~",
        )  # fmt: skip
