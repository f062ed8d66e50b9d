"""Variants of pcap with the magic number of pcap: their records have longer heads, or times in another unit.

Which one it is can only be guessed, by reading the first records as each would have them: wiretap/libpcap.c of
Wireshark. They are not read here, only told from pcap, of which they would be taken for a damaged one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from sockexplorer.capture.others import CONVERTS

HEADER = 24
LOOKED_AT = 3
"""Records that are looked at."""
MOST_KEPT, MOST_LENGTH = 262_144, 128 * 2**20
"""Bytes of a record that is hardly one: wtap_max_snaplen_for_encap(), and as libpcap.c has it."""
MOST_INTERFACES = 10_000
MICROSECONDS = 1_000_000
AIX_VERSION, AIX_TYPES = (2, 2), (6, 9, 15, 24)
"""AIX tells interfaces by their ifType (RFC 1573), and times in nanoseconds."""
Read = Callable[[int, int], bytes]
"""So many bytes from a byte of the file on, fewer at its end."""


class _Variant(NamedTuple):
    name: str
    more: int
    """Bytes that a record's head has beyond the 16 of pcap."""
    odd: Callable[[str, bytes], int] = lambda order, more: 0
    """How many of them can hardly be what they ought to be."""


def _odd_patched(order: str, more: bytes) -> int:
    """An interface's index, an ethertype and a packet type, as Alexey Kuznetsov's patches of 1999 had them."""
    index, protocol, kind = struct.unpack_from(f"{order}IHB", more)
    known = protocol >= 0x600 or protocol <= 0x17 or protocol in (0x60, 0x200, 0x400)
    return sum((index > MOST_INTERFACES, not known, kind > 4))


def _odd_nokia(order: str, more: bytes) -> int:
    """What was seen there; Wireshark itself writes zeros."""
    (word,) = struct.unpack(f"{order}I", more)
    seen = word & 0x0FFF00F0 == 0x0FBF0000 and word >> 28 in (9, 11) and word >> 12 & 15 in (11, 13)
    return not (word == 0 or (seen and word >> 8 & 15 in (6, 9) and word & 15 in (1, 2)))


PCAP = _Variant("", 0)
VARIANTS = (
    _Variant("the pcap of Red Hat 6.1, with 8 further bytes a record", 8, _odd_patched),
    _Variant("the pcap of Nokia's, with 4 further bytes a record", 4, _odd_nokia),
)


def refusal(read: Read, *, live: bool = False) -> str:
    """What a file with the magic number of pcap is instead, and what converts it; "" for pcap, and where that can't be
    told of what there is. Where it is ``live``, more may come: what is torn is no sign."""
    head = read(0, HEADER)
    if len(head) < HEADER or head[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"):
        return ""
    order = "<" if head[0] == 0xD4 else ">"
    major, minor, snaplen, link = struct.unpack_from(f"{order}4xHH8xII", head)
    if (major, minor) == AIX_VERSION and link in AIX_TYPES:
        return CONVERTS.format("the pcap of AIX")
    if (major, minor) != (2, 4):
        return ""
    told = _look(read, order, snaplen, PCAP)
    if not told.figure:
        return ""
    found = [(_look(read, order, snaplen, each), each.name) for each in VARIANTS]
    best, name = min(found, key=lambda each: each[0].figure)
    # What is torn alone is another's only if that explains all of it: a frame of zeros is like a head of any kind.
    explained = told.faults or (not live and best == _Look(0, 0, ""))
    return CONVERTS.format(name) if explained and not best.faults and best.figure < told.figure else ""


class _Look(NamedTuple):
    """How much of the first records can hardly be what it ought to be, of what all variants have, and of what is
    ``odd`` in the rest of their heads; and what is behind them: nothing, ``more``, or what is ``torn`` of one."""

    faults: int
    odd: int
    end: str

    @property
    def figure(self) -> int:
        """What Wireshark calls the figure of merit: the less the better."""
        return self.faults + self.odd + (self.end == "torn")


def _look(read: Read, order: str, snaplen: int, variant: _Variant) -> _Look:
    at, faults, odd, size = HEADER, 0, 0, 16 + variant.more
    for _ in range(LOOKED_AT):
        head = read(at, size)
        if len(head) < 16:
            return _Look(faults, odd, "torn" if head else "")
        _, fraction, kept, length = struct.unpack_from(f"{order}4I", head)
        faults += (fraction >= MICROSECONDS) + (length > MOST_LENGTH) + (kept > length) + (kept > MOST_KEPT)
        # Writers of any kind keep more than they say: of wrong heads that is no proof.
        odd += kept > (snaplen or MOST_KEPT)
        if len(head) < size:
            return _Look(faults, odd, "torn")
        # Zeros are no frame of another kind.
        odd += variant.odd(order, head[16:]) + (variant is not PCAP and not kept)
        if kept > MOST_KEPT:
            return _Look(faults, odd, "more")
        at += size + kept
        if kept and not read(at - 1, 1):
            return _Look(faults, odd, "torn")
    return _Look(faults, odd, "more" if read(at, 1) else "")
