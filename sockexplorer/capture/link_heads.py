"""What tells who speaks to whom in frames of Ethernet, as bytes of their headers: frames with the same say the same.

Those bytes are the addresses, the tags of VLANs, the ethertype, and behind it those of IPv4 and IPv6, the protocol, the
place of a fragment, the ports and the flags of TCP that a row tells. Lengths, checksums and whatever
counts are left out. Source: <linux/if_ether.h>, IEEE 802.1Q, RFC 791, 8200, 9293.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

WORDS = 19
"""Words of 32 bits that hold all of it."""
TAGGED = (0x8100, 0x88A8)
TAG, MOST_TAGS = 4, 2
IPV4, IPV6 = 0x0800, 0x86DD
WITH_PORTS, TCP = (6, 17, 33, 132, 136), 6
ETHERNET, FLAGS = 14, 23
FIXED = {IPV4: 20, IPV6: 40}
"""Bytes of a header of IP without options."""
LEAST = {"ports": 8, "tcp": 20}
"""Bytes behind it that have to be there."""
OFFSET, FRAGMENT = 6, 0x1FFF
"""Where a header of IPv4 has the place of a fragment, and its bits."""


def _masks(tags: int) -> list[bytes]:
    """Which bits tell something: of frames that are none of IP; of IPv4 without ports, with ports, of TCP; of IPv6.

    A fragment of IPv4 has its place, as only the first has ports.
    """
    link = ETHERNET + TAG * tags
    found = [_mask(range(link))]
    for begins, protocol, addresses in ((0xFF, 9, range(12, 20)), (0xF0, 6, range(8, 40))):
        inside = range(link + addresses.start, link + addresses.stop)
        plain = _mask((*range(link), link + protocol, *inside))
        plain[link] = begins
        if protocol == 9:
            plain[link + OFFSET : link + OFFSET + 2] = FRAGMENT.to_bytes(2, "big")
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

    Not among them are frames with more tags of VLANs than `MOST_TAGS`, options of IPv4, and what is cut off or has
    wrong lengths.
    """
    from sockexplorer.capture.arrays import numpy

    inside = numpy.flatnonzero((size >= ETHERNET) & (begin + 4 * WORDS <= len(data)))
    found, told_by = [], []
    for tags in range(MOST_TAGS + 1):
        part = data[begin[inside, None] + numpy.arange(4 * WORDS)]
        kind = _number(part, ETHERNET + TAG * tags - 2)
        tagged = numpy.isin(kind, TAGGED)
        last = inside
        if tagged.any():
            last, part, kind = (each[~tagged] for each in (inside, part, kind))
        clear, words = _untagged(part, kind, size[last], tags)
        found.append(last[clear])
        told_by.append(words)
        inside = inside[tagged]
        inside = inside[size[inside] >= ETHERNET + TAG * (tags + 1)]
        if not len(inside):
            break
    return numpy.concatenate(found), numpy.concatenate(told_by)


def _untagged(part: Array, kind: Array, size: Array, tags: int) -> tuple[Array, Array]:
    """Which of the frames behind whose ``tags`` none follows can be told apart, and the words that tell those; ``part``
    are the first bytes of each, ``kind`` their ethertypes."""
    from sockexplorer.capture.arrays import numpy

    link = ETHERNET + TAG * tags
    first, which = part[:, link], numpy.where(numpy.isin(kind, tuple(FIXED)), -1, 0)
    fragment = _number(part, link + OFFSET) & FRAGMENT != 0
    of_ip = (
        (IPV4, first == 0x45, part[:, link + 9], _number(part, link + 2), ~fragment, 1),
        (IPV6, first >> 4 == 6, part[:, link + 6], _number(part, link + 4) + FIXED[IPV6], True, 4),
    )
    for ethertype, clear, protocol, total, whole, at in of_ip:
        ports, tcp = whole & numpy.isin(protocol, WITH_PORTS), whole & (protocol == TCP)
        room = numpy.minimum(size - link, numpy.where(ports, total, size)) - FIXED[ethertype]
        least = numpy.where(tcp, LEAST["tcp"], numpy.where(ports, LEAST["ports"], 0))
        clear &= (kind == ethertype) & (room >= least)
        which = numpy.where(clear, at + ports + tcp, which)
    clear = which >= 0
    masks = numpy.frombuffer(b"".join(_masks(tags)), "u1").reshape(-1, 4 * WORDS)
    words: Array = (part[clear] & masks[which[clear]]).view("u4")
    return clear, words


def _number(part: Array, at: int) -> Array:
    number: Array = part[:, at].astype("i8") << 8 | part[:, at + 1]
    return number
