"""Sessions whose logs are written by a test, with payloads that decoders read."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from sockexplorer.capture.log import Log
from sockexplorer.client.session import Peer, Session
from sockexplorer.core.canframes import BCM_HEAD, EFF, ERR, RTR
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import Flag
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find

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


def frames_of(name: str) -> st.SearchStrategy[tuple[bytes, int, int]]:
    """Rows for `a_session`."""
    flags = st.sampled_from((0, 0, int(Flag.OUT), int(Flag.META), int(Flag.TRUNCATED), int(Flag.EVENT | Flag.META)))
    return st.tuples(st.binary(max_size=20) | PAYLOADS[name], flags, st.integers(0, len(PEERS)))
