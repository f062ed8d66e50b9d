"""A block recorded at once is, byte for byte, what its rows are when they are recorded one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ring_blocks import HOST, OUTGOING, Sent, ring_block

from sockexplorer.capture import bulk
from sockexplorer.capture.block import LONG, OF_RINGS
from sockexplorer.capture.link_types import Origin
from sockexplorer.capture.log import Log
from sockexplorer.capture.pcapng import PACKET
from sockexplorer.capture.recording import Recording
from sockexplorer.capture.sink import pieces
from sockexplorer.core.frames import RING, Flag, Traffic, pack_header
from sockexplorer.engine.spool import Spool

HERE = ("127.0.0.1", 9)
ETHERNETS = [bytes(6) + bytes([2, 0, 0, 0, 0, at]) + b"\x08\x00" for at in range(3)]
PEERS: dict[str, list[object]] = {
    "inet/udp": [None, ("127.0.0.1", 53), ("192.0.2.7", 4444)],
    "inet6/udp": [("::1", 53, 0, 0), ("fe80::1", 4, 0, 2), None],
    "unix/dgram": [None, "/tmp/a", b"\0abstract"],
    "netlink/route": [(0, 0), (0, 1), None],
    "vsock/stream": [(2, 1234), (3, 5), None],
    "packet/raw": [("lo", 2048, 0, 772, b"\2\0\0\0\0\0"), ("lo", 2048, 4, 772, b"\2\0\0\0\0\1"), ("x", 1, 0, 1, b"")],
    "packet/dgram": [("lo", 2048, 0, 772, b"\2\0\0\0\0\0"), ("lo", 2048, 4, 772, b"\2\0\0\0\0\1"), None],
}
TIMES = st.integers(0, 2**63)
OUT = int(Flag.OUT)


def recorded(path: str, log: Log, *, at_once: bool) -> list[bytes]:
    """The blocks of the file, those of interfaces first: where they stand between frames is no matter."""
    written: list[bytes] = []
    recording = Recording(lambda blocks: written.extend(map(bytes, pieces(blocks))))
    origin, peers = Origin(path, 17, HERE), PEERS[path]

    def who(number: int) -> tuple[object, str | None]:
        address = peers[number % OF_RINGS % len(peers)]
        return address, None if address is None else repr(address)

    for block in log.blocks(log.first, log.end):
        if at_once:
            assert recording.add_block("key", origin, block, who)
        else:
            for number in range(block.first, block.last):
                frame = log.frame(number)
                recording.add("key", origin, frame, *who(frame.peer))
    recording.flush()
    assert recording.written == len(log)
    data, at, blocks = b"".join(written), 0, list[bytes]()
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        blocks.append(data[at : at + size])
        assert blocks[-1][-4:] == blocks[-1][4:8]
        at += size
    return sorted(blocks, key=lambda block: block[:4] == PACKET.to_bytes(4, "little"))


def a_log(rows: list[tuple[int, bytes, int, int]]) -> Log:
    log, spool = Log(), Spool()
    for time, payload, peer, flags in rows:
        spool.add(payload, flags, peer, stamp=time)
    log.append(spool.take())
    return log


@pytest.mark.parametrize("path", PEERS)
@given(data=st.data())
def test_rows_of_every_kind(path: str, data: st.DataObject) -> None:
    payloads = st.binary(max_size=70)
    if path == "packet/raw":
        payloads = st.builds(bytes.__add__, st.sampled_from(ETHERNETS), payloads)
    rows = st.tuples(TIMES, payloads, st.integers(0, 2), st.sampled_from([0, 0, OUT]))
    # Many rows have their numbers put in place by columns, few are made one by one.
    log = a_log(data.draw(st.lists(rows, max_size=20)) * data.draw(st.sampled_from([1, 8])))
    assert recorded(path, log, at_once=True) == recorded(path, log, at_once=False)


@given(st.integers(0, 90), st.integers(1, 60), st.integers(0, 2), st.sampled_from([0, OUT]), st.data())
def test_rows_that_are_alike(length: int, count: int, peer: int, flags: int, data: st.DataObject) -> None:
    payload = st.binary(min_size=length, max_size=length)
    log = a_log([(data.draw(TIMES), data.draw(payload), peer, flags) for _ in range(count)])
    assert recorded("inet/udp", log, at_once=True) == recorded("inet/udp", log, at_once=False)


@pytest.mark.parametrize("lengths", [[LONG], [LONG - 1, LONG + 1], [3 * LONG, 1, 0], [250_001]])
def test_rows_of_long_payloads(lengths: list[int]) -> None:
    log = a_log([(at, bytes([at + 1]) * length, at % 3, OUT * (at % 2)) for at, length in enumerate(lengths)])
    assert next(log.blocks(1, 2)).long == (sum(lengths) >= LONG * len(lengths))
    assert recorded("inet/udp", log, at_once=True) == recorded("inet/udp", log, at_once=False)


@pytest.mark.parametrize("lengths", [[40], [40, 41, 0, 3]])
def test_rows_that_take_more_room_than_there_is(lengths: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_log([(at, bytes([at]) * length, 1, 0) for at in range(100) for length in lengths])
    one_by_one = recorded("inet/udp", log, at_once=False)
    monkeypatch.setattr(bulk, "ROOM", 1000)
    assert recorded("inet/udp", log, at_once=True) == one_by_one


SENT = st.builds(
    Sent, kept=st.builds(bytes.__add__, st.sampled_from(ETHERNETS), st.binary(max_size=70)),
    nanoseconds=st.integers(0, 999_999_999), pkttype=st.sampled_from([HOST, OUTGOING]), mac=st.just(82),
)  # fmt: skip


@given(st.lists(SENT, min_size=1, max_size=6), st.integers(1, 60), st.sampled_from([14, 30, 84]))
def test_packets_of_a_ring(sent: list[Sent], times: int, most: int) -> None:
    # Those that are cut to one length are a table, whose rows may still be of different senders.
    frames = [replace(each, kept=each.kept[:most], length=len(each.kept[:most])) for each in sent * times]
    data = ring_block(frames)
    data += bytes(-len(data) % 8)
    log = Log()
    log.append(pack_header(RING, len(frames), len(data), Traffic(len(frames), 0, len(data), 0)) + data)
    assert [log.frame(row).payload for row in range(1, log.end)] == [each.kept for each in frames]
    assert recorded("packet/raw", log, at_once=True) == recorded("packet/raw", log, at_once=False)


@pytest.mark.parametrize(
    "more", [{"length": 9}, {"meta": {"ttl": 1}}, {"flags": int(Flag.TRUNCATED)}, {"flags": int(Flag.EVENT)}]
)
def test_what_a_header_can_not_tell_is_left_to_be_recorded_one_by_one(more: dict[str, object]) -> None:
    spool, log = Spool(), Log()
    spool.add(b"plain")
    spool.add(b"other", **more)  # type: ignore[arg-type]
    log.append(spool.take())
    recording = Recording(lambda blocks: None)
    (block,) = log.blocks(1, 3)
    assert not recording.add_block("key", Origin("inet/udp"), block, lambda number: (None, None))
    assert recording.waiting == 0
