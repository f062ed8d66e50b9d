"""Statistics of a live session, by its blocks, are those that are counted frame by frame."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.capture.log import Frame, Log
from sockexplorer.capture.statistics import DecodedStatistics, Statistics
from sockexplorer.client.session import Peer, Session
from sockexplorer.core.canframes import BCM_HEAD, EFF, ERR, RTR
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import Flag
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find
from sockexplorer.ui.kinds import kind_of

FOREVER = 60.0
IDS = st.sampled_from((0x123, 0x7FF, 0x18FEF100 | EFF, 0x18EAFF00 | EFF, 0x18EAFF01 | EFF, 5 | RTR, 4 | ERR))
FRAME = st.builds(
    lambda number, length, data: struct.pack("=IB3x8s", number, length, data),
    IDS, st.sampled_from((0, 8)), st.sampled_from((b"", b"payload!")),
)  # fmt: skip
FD_FRAME = st.builds(
    lambda number, flags: struct.pack("=IBB2x64s", number, 8, flags, b""), IDS, st.sampled_from((4, 5))
)
MESSAGE = st.builds(
    lambda length, kind, data: struct.pack("=IHHII", length, kind, 1, 2, 3) + data,
    st.sampled_from((16, 20, 0, 15, 999)), st.sampled_from((2, 3, 16, 17, 18, 99)), st.binary(max_size=8),
)  # fmt: skip
PAYLOADS = {
    "can/raw": FRAME | FD_FRAME,
    "can/bcm": st.builds(
        lambda opcode, frame: BCM_HEAD.pack(opcode, *bytes(len(BCM_HEAD.unpack(bytes(BCM_HEAD.size))) - 2), 1) + frame,
        st.integers(1, 12), FRAME,
    ),
    "can/j1939": st.binary(max_size=9),
    "can/isotp": st.binary(max_size=9),
    "netlink/route": MESSAGE | st.lists(MESSAGE, max_size=3).map(b"".join),
    "netlink/generic": MESSAGE,
    "netlink/kobject-uevent": st.sampled_from(("add", "remove", "change")).map(
        lambda action: f"{action}@/x\0ACTION={action}\0DEVPATH=/x\0".encode()
    ),
    "tipc/dgram": st.binary(max_size=4),
    "inet/udp": st.binary(max_size=4),
}  # fmt: skip
PEERS = {
    number: Peer(number, ("can0", 0x20, pgn, number), "", f"peer {number}") for number, pgn in enumerate((0xF004, 9))
}


def a_session(name: str, batches: list[list[tuple[bytes, int, int]]]) -> Session:
    """A session with these rows: payload, flags, the number of the peer."""
    family, protocol = find(name)
    log, spool = Log(), Spool()
    for batch in batches:
        for payload, flags, peer in batch:
            meta = {"event": "closed"} if flags & Flag.EVENT else {"ttl": 7} if flags & Flag.META else None
            spool.add(payload, flags, peer, len(payload), 0, meta)
        log.append(spool.take())
    endpoint = Endpoint(family.constant, protocol.name, "bind")
    return Session(1, endpoint, family, protocol, log, "bound", peers=dict(PEERS))


@pytest.mark.parametrize("name", PAYLOADS)
@given(st.data())
def test_counts_are_those_of_frames(name: str, data: st.DataObject) -> None:
    flags = st.sampled_from((0, 0, int(Flag.OUT), int(Flag.META), int(Flag.TRUNCATED), int(Flag.EVENT | Flag.META)))
    frames = st.tuples(st.binary(max_size=20) | PAYLOADS[name], flags, st.integers(0, len(PEERS)))
    session = a_session(name, data.draw(st.lists(st.lists(frames, max_size=20), max_size=4)))
    found = session.statistics(
        lambda frame: str(kind_of(frame, session)),
        lambda peer: str(kind_of(Frame(1, 0, 0, peer, 0, b"", {}), session)),
    )
    by_frame = Statistics(session.log, lambda frame: str(kind_of(frame, session)))
    assert found.go_on(FOREVER) == by_frame.go_on(FOREVER)
    for each in ("total", "peers", "lengths", "kinds", "behind"):
        assert getattr(found, each) == getattr(by_frame, each), each


def test_one_frame_is_read_of_all_that_are_alike() -> None:
    """A bus of thousands of frames a second is counted faster than each of them could be decoded."""
    payloads = [struct.pack("=IB3xQ", 0x100 + number % 4, 8, number) for number in range(3000)]
    session = a_session("can/raw", [[(payload, 0, 1) for payload in payloads]])
    asked = []

    def kind(frame: Frame) -> str:
        asked.append(frame.number)
        return "of one kind"

    found = session.statistics(kind, lambda peer: "")
    found.go_on(FOREVER)
    assert len(asked) == 4
    assert {name: tally.frames for name, tally in found.kinds.items()} == {"of one kind": 3000}


def test_what_has_to_be_decoded_one_by_one_gives_way_within_a_block() -> None:
    payloads = [struct.pack("=IB3x8s", number, 8, b"") for number in range(1000)]
    session = a_session("can/raw", [[(payload, 0, 1) for payload in payloads]])
    found = session.statistics(lambda frame: "any", lambda peer: "")
    assert isinstance(found, DecodedStatistics)
    assert found.go_on(-1)
    assert found.behind == 1000 - found.rows_together
    while found.behind:
        assert found.go_on(-1)
    assert found.total.frames == 1000
