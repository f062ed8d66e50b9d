"""Which way a frame went, where its header says so: few capture programs tell it beside a frame.

One byte of the header tells. Headers: https://www.tcpdump.org/linktypes.html; packet types: <linux/if_packet.h>;
opcodes of the Bluetooth monitor: monitor/btsnoop.h of BlueZ. What a tap of netlink (nlmon) gives is marked as outgoing
whichever way it went, so that netlink's packet types tell nothing.
"""

from __future__ import annotations

from sockexplorer.capture.link_types import BLUETOOTH_MONITOR, H4_DIRECTION, OUTGOING, SLL, SLL2
from sockexplorer.capture.pcapng import INBOUND, OUTBOUND


def _codes(inbound: tuple[int, ...], outbound: tuple[int, ...]) -> bytes:
    """By the byte's value the direction as of EPB_FLAGS, 0 where it tells none."""
    codes = bytearray(256)
    for values, code in ((inbound, INBOUND), (outbound, OUTBOUND)):
        for value in values:
            codes[value] = code
    return bytes(codes)


_PACKET_TYPE = _codes((0, 1, 2, 3), (OUTGOING,))
TELLING = {
    SLL: (1, _PACKET_TYPE),
    SLL2: (10, _PACKET_TYPE),
    H4_DIRECTION: (3, _codes((1,), (0,))),
    # Events and what was received; commands and what was sent: ACL, SCO, ISO.
    BLUETOOTH_MONITOR: (3, _codes((3, 5, 7, 19), (2, 4, 6, 18))),
}
"""By link type which byte of a frame tells, and what its values mean."""
_OUTGOING = {0: None, INBOUND: False, OUTBOUND: True}


def outgoing(link_type: int, data: bytes) -> bool | None:
    """Whether a frame was sent, as far as its header tells."""
    place, codes = TELLING.get(link_type, (len(data), b""))
    return _OUTGOING[codes[data[place]]] if place < len(data) else None
