"""What tells who speaks to whom in frames of Ethernet, as bytes of their headers: frames with the same say the same.

Those bytes are the addresses, the ethertype, and behind it those of IPv4 and IPv6, the protocol, the ports and the
flags of TCP that begin and end a connection. Lengths, checksums and whatever counts are left out. Source:
<linux/if_ether.h>, RFC 791, 8200, 9293.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

WORDS = 18
"""Words of 32 bits that hold all of it."""
TAGGED = (0x8100, 0x88A8)
IPV4, IPV6 = 0x0800, 0x86DD
WITH_PORTS, TCP = (6, 17, 33, 132, 136), 6
ETHERNET, FLAGS = 14, 7
FIXED = {IPV4: 20, IPV6: 40}
"""Bytes of a header of IP without options."""
LEAST = {"ports": 8, "tcp": 20}
"""Bytes behind it that have to be there."""


def _masks() -> list[bytes]:
    """Which bits tell something: of frames that are none of IP; of IPv4 without ports, with ports, of TCP; of IPv6."""
    found = [_mask(range(ETHERNET))]
    for begins, protocol, addresses in ((0xFF, 9, range(12, 20)), (0xF0, 6, range(8, 40))):
        inside = range(ETHERNET + addresses.start, ETHERNET + addresses.stop)
        plain = _mask((*range(ETHERNET), ETHERNET + protocol, *inside))
        plain[ETHERNET] = begins
        ports = plain.copy()
        ports[inside.stop : inside.stop + 4] = b"\xff" * 4
        tcp = ports.copy()
        tcp[inside.stop + 13] = FLAGS
        found += [plain, ports, tcp]
    return [bytes(each) for each in found]


def _mask(places: Iterable[int]) -> bytearray:
    mask = bytearray(4 * WORDS)
    for each in places:
        mask[each] = 0xFF
    return mask


def told(data: Array, begin: Array, size: Array) -> tuple[Array, Array]:
    """Which of the frames at ``begin``, of ``size`` bytes, can be told apart that way, and the words that tell those.

    Not among them are frames with tags of VLANs, options of IPv4, fragments, and what is cut off or has wrong lengths.
    """
    from sockexplorer.capture.arrays import numpy

    inside = numpy.flatnonzero((size >= ETHERNET) & (begin + 4 * WORDS <= len(data)))
    part = data[begin[inside, None] + numpy.arange(4 * WORDS)]
    size = size[inside]

    def number(at: int) -> Array:
        return part[:, at].astype("i8") << 8 | part[:, at + 1]

    kind, first = number(12), part[:, ETHERNET]
    plain = ~numpy.isin(kind, (*TAGGED, *FIXED))
    which = numpy.where(plain, 0, -1)
    of_ip = (
        (IPV4, (first == 0x45) & (number(20) & 0x1FFF == 0), part[:, 23], number(16), 1),
        (IPV6, first >> 4 == 6, part[:, 20], number(18) + FIXED[IPV6], 4),
    )
    for ethertype, clear, protocol, total, at in of_ip:
        ports, tcp = numpy.isin(protocol, WITH_PORTS), protocol == TCP
        room = numpy.minimum(size - ETHERNET, numpy.where(ports, total, size)) - FIXED[ethertype]
        least = numpy.where(tcp, LEAST["tcp"], numpy.where(ports, LEAST["ports"], 0))
        clear &= (kind == ethertype) & (room >= least)
        which = numpy.where(clear, at + ports + tcp, which)
    clear = which >= 0
    masks = numpy.frombuffer(b"".join(_masks()), "u1").reshape(-1, 4 * WORDS)
    words: Array = (part[clear] & masks[which[clear]]).view("u4")
    return inside[clear], words
