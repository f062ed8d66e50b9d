"""CAN frames, filters and broadcast manager messages: their bytes, and how people write them.

Frames and filters are in can-utils' notation (candump(1), cansend(1), lib.c of can-utils):

    123#DEADBEEF        an id of 11 bits (three digits) or 29 bits (eight), and the data; dots between bytes may stand
    123#R4              a remote request for four bytes
    123#1122334455667788_B    eight bytes, or R8, whose length code on the bus was one of 9 to F
    123##1DEADBEEF      a CAN FD frame: one digit of flags (1 BRS, 2 ESI) before the data; the kernel adds 4, FDF
    123:7FF,200~700     receive ids that match under a mask, or all but those

A message of the broadcast manager is its command and what follows, ``TX_SETUP 123#DEADBEEF ival2=100ms``.
Source of the structures: <linux/can.h>, <linux/can/bcm.h>, in the machine's byte order.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from sockexplorer.core.payload import PayloadError

CLASSIC, FD = 16, 72
"""CAN_MTU and CANFD_MTU: the bytes of ``struct can_frame`` and ``struct canfd_frame``."""
HEAD = struct.Struct("=IBBBB")
"""The id with its flags, the length, the flags of CAN FD, and two bytes."""
EFF, RTR, ERR = 0x80000000, 0x40000000, 0x20000000
XLF = 0x80
"""CANXL_XLF: a frame of CAN XL has it where others have their length."""
XL_HEAD = struct.Struct("=IBBHI")
"""``struct canxl_frame``: the priority (its upper bytes the virtual network), flags, the type of the data, the length,
the acceptance field."""
FDF = 4
"""CANFD_FDF, which can_send() of the kernel sets in every frame of 72 bytes."""
SFF_MASK, EFF_MASK = 0x7FF, 0x1FFFFFFF
INVERTED = 0x20000000
"""CAN_INV_FILTER, in the id of a filter."""
FILTER = struct.Struct("=II")
FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)
BCM_HEAD = struct.Struct("@3I4l2I0q")
"""``struct bcm_msg_head``: opcode, flags, count, two intervals (seconds, microseconds), can_id, nframes."""
BCM_INTERVALS, BCM_ID = struct.calcsize("@3I0l"), struct.calcsize("@3I4l")
"""Where the intervals and the id stand in it."""
OPCODES = {
    "TX_SETUP": 1, "TX_DELETE": 2, "TX_READ": 3, "TX_SEND": 4, "RX_SETUP": 5, "RX_DELETE": 6, "RX_READ": 7,
    "TX_STATUS": 8, "TX_EXPIRED": 9, "RX_STATUS": 10, "RX_TIMEOUT": 11, "RX_CHANGED": 12,
}  # fmt: skip
BCM_FLAGS = {
    "SETTIMER": 0x1, "STARTTIMER": 0x2, "TX_COUNTEVT": 0x4, "TX_ANNOUNCE": 0x8, "TX_CP_CAN_ID": 0x10,
    "RX_FILTER_ID": 0x20, "RX_CHECK_DLC": 0x40, "RX_NO_AUTOTIMER": 0x80, "RX_ANNOUNCE_RESUME": 0x100,
    "TX_RESET_MULTI_IDX": 0x200, "RX_RTR_FRAME": 0x400, "CAN_FD_FRAME": 0x800,
}  # fmt: skip
_UNITS = {"us": 1, "ms": 1000, "s": 1_000_000}
_FRAME = re.compile(r"([0-9a-fA-F]{3}|[0-9a-fA-F]{8})(##?)(.*)")
_FILTER = re.compile(r"(0x)?([0-9a-fA-F]{1,8})([:~])(?:0x)?([0-9a-fA-F]{1,8})")


# --- frames --------------------------------------------------------------------------------------------------


def id_text(can_id: int) -> str:
    """An id as three digits, or eight where it has 29 bits."""
    return f"{can_id & EFF_MASK:08X}" if can_id & EFF else f"{can_id & SFF_MASK:03X}"


def read_id(text: str) -> int:
    """The reverse of `id_text`, with CAN_EFF_FLAG for eight digits. Raises `PayloadError`."""
    digits = text.removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{1,8}", digits):
        raise PayloadError(f"{text!r} is no id: write three hexadecimal digits, or eight for 29 bits")
    number = int(digits, 16)
    if len(digits) < 8 and number > SFF_MASK:
        raise PayloadError(f"{text!r} is above 7FF: write eight digits for an id of 29 bits")
    if number & ~EFF_MASK:
        raise PayloadError(f"{text!r} has more than 29 bits")
    return number | (EFF if len(digits) == 8 else 0)


def frame_text(frame: bytes) -> str:
    """``123#DEADBEEF`` for a frame of 16 or 72 bytes; "" for other lengths. Never raises."""
    if len(frame) not in (CLASSIC, FD):
        return ""
    can_id, length, flags, _, code = HEAD.unpack_from(frame)
    name = f"{can_id & EFF_MASK:08X}" if can_id & ERR else id_text(can_id)
    data = frame[HEAD.size : HEAD.size + min(length, len(frame) - HEAD.size)].hex().upper()
    if len(frame) == FD:
        return f"{name}##{flags & 0xF & ~FDF:X}{data}"
    more = f"_{code:X}" if length == 8 < code <= 15 else ""
    return f"{name}#R{length or ''}{more}" if can_id & RTR else f"{name}#{data}{more}"


def read_frame(text: str) -> bytes:
    """The 16 or 72 bytes of a frame in can-utils' notation. Raises `PayloadError`."""
    found = _FRAME.fullmatch(text.strip())
    if found is None:
        raise PayloadError(f"{text.strip()!r} is no frame: write 123#DEADBEEF, 12345678#11.22, 123#R or 123##0AABB")
    can_id, rest = read_id(found[1]), found[3]
    if found[2] == "##":
        if not re.match(r"[0-9a-fA-F]", rest):
            raise PayloadError("a CAN FD frame has one digit of flags after ##, such as 123##1AABB")
        data = _data(rest[1:], 64)
        # What stands between two lengths of CAN FD is filled with zeros.
        length = next(each for each in FD_LENGTHS if each >= len(data))
        return HEAD.pack(can_id, length, int(rest[0], 16), 0, 0) + data.ljust(64, b"\0")
    rest, mark, code = rest.partition("_")
    if rest[:1] in ("R", "r"):
        if not re.fullmatch(r"[0-8]?", rest[1:]):
            raise PayloadError(f"{rest!r}: a remote request is R, or R and a length from 0 to 8")
        length, data, can_id = int(rest[1:] or "0"), b"", can_id | RTR
    else:
        data = _data(rest, 8)
        length = len(data)
    if mark and (length != 8 or not re.fullmatch(r"[9a-fA-F]", code)):
        raise PayloadError(f"_{code}: a length code from 9 to F follows eight bytes, or R8")
    return HEAD.pack(can_id, length, 0, 0, int(code or "0", 16)) + data.ljust(8, b"\0")


def _data(text: str, longest: int) -> bytes:
    digits = text.replace(".", "")
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", digits):
        raise PayloadError(f"{text!r} are no bytes: two hexadecimal digits make one, dots may stand between them")
    if len(digits) > 2 * longest:
        raise PayloadError(f"{len(digits) // 2} bytes are too many: such a frame has {longest} at most")
    return bytes.fromhex(digits)


# --- filters -------------------------------------------------------------------------------------------------


def filters_text(filters: bytes) -> str:
    """``123:7FF,200~700`` for the value of CAN_RAW_FILTER; ``none`` where nothing is received."""
    shown = []
    for at in range(0, len(filters) - FILTER.size + 1, FILTER.size):
        can_id, mask = FILTER.unpack_from(filters, at)
        relation = "~" if can_id & INVERTED else ":"
        can_id &= ~INVERTED
        # Eight digits mean 29 bits; a number with other flags is written as it is.
        plain = can_id <= SFF_MASK or (can_id & EFF and not can_id & RTR)
        name = id_text(can_id) if plain else f"0x{can_id:X}"
        shown.append(f"{name}{relation}{mask:X}")
    return ",".join(shown) or "none"


def read_filters(text: str) -> bytes:
    """The ``struct can_filter`` of each ``id:mask`` (what matches) or ``id~mask`` (all but that).

    An id of eight digits has CAN_EFF_FLAG; one with ``0x`` is taken as it is. Raises `PayloadError`.
    """
    if text.strip().lower() == "none":
        return b""
    filters = b""
    for part in text.split(","):
        found = _FILTER.fullmatch(part.strip())
        if found is None:
            raise PayloadError(f"{part.strip()!r} is no filter: write id:mask or id~mask, such as 123:7FF, or none")
        can_id, mask = int(found[2], 16), int(found[4], 16)
        if not found[1] and len(found[2]) == 8:
            can_id |= EFF
        filters += FILTER.pack(can_id | (INVERTED if found[3] == "~" else 0), mask)
    return filters


# --- the broadcast manager -----------------------------------------------------------------------------------


def read_bcm(text: str) -> bytes:
    """``TX_SETUP 123#DEADBEEF ival2=100ms``: a command, frames, and fields of ``struct bcm_msg_head``.

    The fields are ``id``, ``count``, ``ival1`` and ``ival2`` (``100ms``, ``1s``, ``500us``) and ``flags``
    (``RX_CHECK_DLC|…``). The id is the first frame's unless given; an interval sets and starts the timer; RX_SETUP
    without a frame filters by id alone. Raises `PayloadError`.
    """
    command, *words = text.split()[:300] or [""]
    if command.upper() not in OPCODES:
        raise PayloadError(f"{command!r} is no command: write one of {', '.join(OPCODES)}")
    fields: dict[str, str] = {}
    frames = []
    for word in words:
        if "#" in word:
            frames.append(read_frame(word))
            continue
        name, equals, value = word.partition("=")
        if not equals or name not in ("id", "count", "ival1", "ival2", "flags"):
            raise PayloadError(f"{word!r} is no frame, and none of id=, count=, ival1=, ival2=, flags=")
        fields[name] = value
    if not frames and "id" not in fields:
        raise PayloadError("a frame or id= is missing: write TX_SETUP 123#AA ival2=100ms, or TX_DELETE id=123")
    if len({len(each) for each in frames}) > 1:
        raise PayloadError("classic and CAN FD frames don't go together in one message")
    can_id = read_id(fields["id"]) if "id" in fields else HEAD.unpack_from(frames[0])[0]
    opcode = OPCODES[command.upper()]
    flags = _flags(fields.get("flags", "0"))
    if "ival1" in fields or "ival2" in fields:
        flags |= BCM_FLAGS["SETTIMER"] | BCM_FLAGS["STARTTIMER"]
    if frames and len(frames[0]) == FD:
        flags |= BCM_FLAGS["CAN_FD_FRAME"]
    if opcode == OPCODES["RX_SETUP"] and not frames:
        flags |= BCM_FLAGS["RX_FILTER_ID"]
    intervals = [divmod(_microseconds(fields.get(name, "0")), 1_000_000) for name in ("ival1", "ival2")]
    if not re.fullmatch(r"[0-9]{1,9}", fields.get("count", "0")):
        raise PayloadError(f"count={fields['count']} is no number")
    count = int(fields.get("count", "0"))
    head = BCM_HEAD.pack(opcode, flags, count, *intervals[0], *intervals[1], can_id, len(frames))
    return head + b"".join(frames)


def _flags(text: str) -> int:
    value = 0
    for part in text.upper().split("|"):
        if part in BCM_FLAGS:
            value |= BCM_FLAGS[part]
        elif re.fullmatch(r"0X[0-9A-F]{1,8}|[0-9]{1,9}", part):
            value |= int(part, 0)
        else:
            raise PayloadError(f"{part!r} is no flag: write a number, or names joined by |: {', '.join(BCM_FLAGS)}")
    return value


def _microseconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(us|ms|s)?", text)
    if found is None or (found[2] is None and float(found[1])):
        raise PayloadError(f"{text!r} is no interval: write 100ms, 1s or 500us")
    return round(float(found[1]) * _UNITS[found[2] or "us"])


def interval_text(seconds: int, microseconds: int) -> str:
    """``100ms``: an interval as `read_bcm` takes it."""
    total = seconds * 1_000_000 + microseconds
    unit = next((name for name in ("s", "ms") if total % _UNITS[name] == 0), "us")
    return f"{total // _UNITS[unit]}{unit}"


def flag_names(value: int, names: Mapping[str, int]) -> str:
    """Names joined by ``|``, with the rest as a number; ``0`` for none."""
    shown = [name for name, bit in names.items() if value & bit]
    rest = value & ~sum(names.values())
    return "|".join([*shown, *([f"0x{rest:x}"] if rest else [])]) or "0"
