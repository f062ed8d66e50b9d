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


def a_session(
    name: str, batches: list[list[tuple[bytes, int, int]]], peers: dict[int, Peer] = PEERS
) -> Session:  # fmt: skip
    """A session with these rows: payload, flags, the number of the peer."""
    family, protocol = find(name)
    log, spool = Log(), Spool()
    for batch in batches:
        for payload, flags, peer in batch:
            meta = {"event": "closed"} if flags & Flag.EVENT else {"ttl": 7} if flags & Flag.META else None
            spool.add(payload, flags, peer, len(payload), 0, meta)
        log.append(spool.take())
    endpoint = Endpoint(family.constant, protocol.name, "bind")
    return Session(1, endpoint, family, protocol, log, "bound", peers=dict(peers))


IN_LINES = (
    "123#", "123#11", "123#1122", "123#12", "123#11.22", "123#11.22.33", "123#11223344", "124#1122", "18FEF100#11",
    "18FEF101#11", "18FEF1#11", "123#R", "123#R8", "123#R2", "123#r", "123##111", "123##011", "123##1",
    "20000080#0000000000000000", "20000004#0004000000000000",
    "123#1122334455667788_9", "123#1122334455667788_A", "123#1122334455667788",
    "45123#81:00:12345678#11223344", "45123#81:01:12345678#11223344", "123#81:00:12345678#1122",
)  # fmt: skip
LINES = st.lists(
    st.builds(
        "({}.{}){}{}{}{}{}{}".format,
        st.sampled_from(("0", "12", "1436509052")), st.sampled_from(("000001", "249713", "249713000")),
        st.sampled_from((*" " * 9, "  ", "\t")), st.sampled_from((*("can0",) * 9, "can1", "can#1", "c", "a" * 15)),
        st.sampled_from((*" " * 9, "   ", " " * 40)), st.sampled_from(IN_LINES),
        st.sampled_from((*("",) * 9, " T", " R", "  T", " ", "\r")),
        st.sampled_from(("\n", "\n\n", "\n# (a comment) can0 5#11\n")),
    ),
    max_size=30,
)  # fmt: skip
"""Lines of logs of candump, as it writes them and as people do."""


def frames_of(name: str) -> st.SearchStrategy[tuple[bytes, int, int]]:
    """Rows for `a_session`."""
    flags = st.sampled_from((0, 0, int(Flag.OUT), int(Flag.META), int(Flag.TRUNCATED), int(Flag.EVENT | Flag.META)))
    return st.tuples(st.binary(max_size=20) | PAYLOADS[name], flags, st.integers(0, len(PEERS)))
