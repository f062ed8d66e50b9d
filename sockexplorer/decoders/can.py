"""CAN: frames in can-utils' notation, error frames in words, broadcast manager messages, J1939's address claims.

Source: <linux/can.h>, <linux/can/error.h>, <linux/can/bcm.h>; SAE J1939-81 for the NAME.
"""

from __future__ import annotations

from sockexplorer.core import canframes
from sockexplorer.core.canframes import (
    BCM_FLAGS,
    BCM_HEAD,
    BCM_ID,
    BCM_INTERVALS,
    CLASSIC,
    EFF,
    EFF_MASK,
    ERR,
    FD,
    HEAD,
    OPCODES,
    RTR,
    SFF_MASK,
    XL_HEAD,
    XLF,
)  # fmt: skip
from sockexplorer.decoders import j1939
from sockexplorer.decoders.tree import Node

_XL_FLAGS = {"XLF": XLF, "SEC": 1, "RRS": 2}
_FD_FLAGS = {"BRS": 1, "ESI": 2, "FDF": 4}
_ERRORS = {
    0x1: "transmission timed out", 0x2: "arbitration lost", 0x4: "controller", 0x8: "protocol", 0x10: "transceiver",
    0x20: "nobody acknowledged", 0x40: "bus off", 0x80: "bus error", 0x100: "controller restarted",
    0x200: "error counters",
}  # fmt: skip
_CONTROLLER = {
    0x1: "receive buffer overflow", 0x2: "send buffer overflow", 0x4: "receive warning", 0x8: "send warning",
    0x10: "receive passive", 0x20: "send passive", 0x40: "active again",
}  # fmt: skip
_PROTOCOL = {
    0x1: "single bit", 0x2: "frame format", 0x4: "bit stuffing", 0x8: "dominant bit not sent",
    0x10: "recessive bit not sent", 0x20: "overload", 0x40: "active error announced", 0x80: "while sending",
}  # fmt: skip
_NAME_PARTS = (
    ("identity", 0, 21), ("manufacturer", 21, 11), ("ecu_instance", 32, 3), ("function_instance", 35, 5),
    ("function", 40, 8), ("vehicle_system", 49, 7), ("vehicle_system_instance", 56, 4), ("industry_group", 60, 3),
    ("arbitrary_address", 63, 1),
)  # fmt: skip
"""The parts of a 64-bit NAME: the lowest bit and how many."""
ADDRESS_CLAIMED = 0xEE00
"""The parameter group of address claims."""
_ERROR_BYTES = ("lost_bit", "controller", "protocol", "location", "transceiver", "more", "tx_errors", "rx_errors")
"""What the bytes of an error frame are about."""
FIELDS = (
    "id", "format", "id_flags", "len", "len8_dlc", "flags", "data", "error", "vcid", "sdt", "af", *_ERROR_BYTES,
)  # fmt: skip
"""The fields of frames, by the names that are looked for."""


def decode_can(protocol: str, payload: bytes, peer: object) -> Node | None:
    """The tree of a payload; None where its bytes are the person's own. Never raises."""
    if protocol == "raw" and _is_xl(payload):
        return _xl(payload)
    if protocol == "raw" and len(payload) in (CLASSIC, FD):
        root = Node("can", "", 0, len(payload))
        root.value = _frame(root, payload, 0, len(payload))
        return root
    if protocol == "raw" and HEAD.size <= len(payload) < FD and not payload[4] & XLF:
        return _cut(payload)
    if protocol == "bcm" and len(payload) >= BCM_HEAD.size:
        return _bcm(payload)
    if protocol == "j1939" and len(payload) == 8 and isinstance(peer, tuple) and peer[2:3] == (ADDRESS_CLAIMED,):
        return _claim(payload, peer)
    return None


def _cut(payload: bytes) -> Node:
    """A frame of which a capture has the beginning; no socket gives such."""
    root = Node("can", "", 0, len(payload))
    can_id, length, flags, _, _ = HEAD.unpack_from(payload)
    _identifier(root, can_id, 0)
    data = payload[HEAD.size : HEAD.size + length]
    whole = len(data) == length
    root.add("len", length if whole else f"{length}, {len(data)} of them captured", 4, 5, length)
    root.add("data", data.hex(" "), HEAD.size, HEAD.size + len(data))
    sign = f"##{flags & 0xF & ~canframes.FDF:X}" if len(payload) > CLASSIC or length > CLASSIC - HEAD.size else "#"
    root.value = f"{canframes.id_text(can_id)}{sign}{data.hex().upper()}{'' if whole else '…'}"
    return root


def _is_xl(payload: bytes) -> bool:
    """Whether it is a frame of CAN XL: those say so where others have a length, and their size is their own."""
    if len(payload) <= XL_HEAD.size or not payload[4] & XLF:
        return False
    return bool(XL_HEAD.unpack_from(payload)[3] == len(payload) - XL_HEAD.size)


def _xl(payload: bytes) -> Node:
    root = Node("can", "", 0, len(payload))
    prio, flags, sdt, length, af = XL_HEAD.unpack_from(payload)
    identifier = root.add("can_id", f"{prio & SFF_MASK:03X}", 0, 4, prio & SFF_MASK)
    identifier.add("format", "XL", 0, 4)
    identifier.add("vcid", prio >> 16 & 0xFF, 0, 4)
    root.add("flags", canframes.flag_names(flags, _XL_FLAGS), 4, 5, flags)
    root.add("sdt", f"0x{sdt:02x}", 5, 6)
    root.add("len", length, 6, 8)
    root.add("af", f"0x{af:08x}", 8, 12)
    data = payload[XL_HEAD.size :]
    root.add("data", data.hex(" "), XL_HEAD.size, len(payload))
    network = f"{prio >> 16 & 0xFF:02X}" if prio >> 16 & 0xFF else ""
    root.value = f"{network}{prio & SFF_MASK:03X}#{flags:02X}:{sdt:02X}:{af:08X}#{data.hex().upper()}"
    return root


def _identifier(node: Node, can_id: int, at: int) -> None:
    """The id, with its flags and, where it is one of 29 bits, what J1939 reads in it."""
    number = can_id & (EFF_MASK if can_id & (EFF | ERR) else SFF_MASK)
    identifier = node.add("can_id", canframes.id_text(can_id), at, at + 4, number)
    words = "error" if can_id & ERR else "EFF, 29 bits" if can_id & EFF else "SFF, 11 bits"
    identifier.add("format", words, at, at + 4)
    kinds = [word for bit, word in ((EFF, "EFF"), (RTR, "RTR"), (ERR, "ERR")) if can_id & bit]
    identifier.add("id_flags", "|".join(kinds) or "0", at, at + 4, can_id >> 29)
    if not can_id & EFF or can_id & (RTR | ERR):
        return
    told = j1939.read_identifier(can_id)
    identifier.add("prio", told.priority, at, at + 4)
    identifier.add("pgn", j1939.group_text(told.pgn), at, at + 4, told.pgn)
    if told.destination is not None:
        identifier.add("dst", told.destination, at, at + 4)
    identifier.add("src", told.source, at, at + 4)


def _frame(node: Node, payload: bytes, at: int, size: int) -> str:
    frame = payload[at : at + size]
    can_id, length, flags, _, raw_dlc = HEAD.unpack_from(frame)
    _identifier(node, can_id, at)
    most = size - HEAD.size
    node.add("len", length if length <= most else f"{length}, more than {most}", at + 4, at + 5, length)
    if size == FD:
        node.add("flags", canframes.flag_names(flags, _FD_FLAGS), at + 5, at + 6, flags)
    elif length == most and most < raw_dlc <= 15:
        node.add("len8_dlc", raw_dlc, at + 7, at + 8)
    start = at + HEAD.size
    if can_id & ERR and size == CLASSIC:
        said = _error(can_id & EFF_MASK, frame[HEAD.size :])
        node.children[0].add("error", said, at, at + 4, can_id & EFF_MASK)
        details = node.add("data", frame[HEAD.size :].hex(" "), start, at + size)
        for index, name in enumerate(_ERROR_BYTES):
            details.add(name, _detail(name, frame[HEAD.size + index]), start + index, start + index + 1,
                        frame[HEAD.size + index])  # fmt: skip
        return f"error: {said}"
    if not (can_id & RTR and size == CLASSIC):
        data = frame[HEAD.size : HEAD.size + min(length, most)]
        node.add("data", data.hex(" "), start, start + len(data))
    return canframes.frame_text(frame)


def _detail(name: str, value: int) -> str:
    words = {"controller": _CONTROLLER, "protocol": _PROTOCOL}.get(name)
    if words is None:
        return f"0x{value:02x}" if name in ("location", "transceiver", "more") else str(value)
    return ", ".join(text for bit, text in words.items() if value & bit) or "0"


def _error(classes: int, data: bytes) -> str:
    said = []
    for bit, word in _ERRORS.items():
        if not classes & bit:
            continue
        details = ""
        if bit == 0x2 and data[0]:
            details = f"bit {data[0]}"
        elif bit == 0x4:
            details = ", ".join(text for each, text in _CONTROLLER.items() if data[1] & each)
        elif bit == 0x8:
            details = ", ".join(text for each, text in _PROTOCOL.items() if data[2] & each)
        elif bit == 0x10 and data[4]:
            details = f"0x{data[4]:02x}"
        elif bit == 0x200:
            details = f"send {data[6]}, receive {data[7]}"
        said.append(f"{word} ({details})" if details else word)
    rest = classes & ~sum(_ERRORS)
    return ", ".join([*said, *([f"0x{rest:x}"] if rest else [])]) or "none"


def _bcm(payload: bytes) -> Node:
    root = Node("bcm", "", 0, len(payload))
    opcode, flags, count, sec1, usec1, sec2, usec2, can_id, nframes = BCM_HEAD.unpack_from(payload)
    name = next((name for name, number in OPCODES.items() if number == opcode), f"opcode {opcode}")
    first, second = BCM_INTERVALS, (BCM_INTERVALS + BCM_ID) // 2
    intervals = [canframes.interval_text(sec1, usec1), canframes.interval_text(sec2, usec2)]
    root.add("opcode", name, 0, 4, opcode)
    root.add("flags", canframes.flag_names(flags, BCM_FLAGS), 4, 8, flags)
    root.add("count", count, 8, 12)
    root.add("ival1", intervals[0], first, second)
    root.add("ival2", intervals[1], second, BCM_ID)
    _identifier(root, can_id, BCM_ID)
    root.add("nframes", nframes, BCM_ID + 4, BCM_ID + 8)
    said = [name]
    size = FD if flags & BCM_FLAGS["CAN_FD_FRAME"] else CLASSIC
    for number in range(min(nframes, 257, (len(payload) - BCM_HEAD.size) // size)):
        at = BCM_HEAD.size + number * size
        node = root.add(f"frame {number}", "", at, at + size)
        node.value = _frame(node, payload, at, size)
        if number < 3:
            said.append(node.value)
    if nframes > 3:
        said.append(f"and {nframes - 3} more")
    if not nframes:
        said.append(f"id={canframes.id_text(can_id)}")
    said += [f"count={count}"] * bool(count)
    said += [f"{name}={text}" for name, text in zip(("ival1", "ival2"), intervals, strict=True) if text != "0s"]
    root.value = " ".join(said)
    return root


def _claim(payload: bytes, peer: tuple[object, ...]) -> Node:
    root = Node("j1939", "", 0, len(payload))
    name = int.from_bytes(payload, "little")
    parts = {each: name >> low & ((1 << bits) - 1) for each, low, bits in _NAME_PARTS}
    whole = root.add("NAME", f"0x{name:016x}", 0, 8)
    for each, low, bits in _NAME_PARTS:
        whole.add(each, parts[each], low // 8, (low + bits + 7) // 8)
    address = peer[3] if len(peer) > 3 and isinstance(peer[3], int) else 0xFF
    # Address 254 is nobody's: who sends from it could not claim one.
    what = "cannot claim an address" if address == 0xFE else f"claims address 0x{address:02x}"
    root.value = f"NAME 0x{name:016x} {what}"
    return root
