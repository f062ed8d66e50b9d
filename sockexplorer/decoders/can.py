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
)  # fmt: skip
from sockexplorer.decoders.tree import Node

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


def decode_can(protocol: str, payload: bytes, peer: object) -> Node | None:
    """The tree of a payload; None where its bytes are the person's own. Never raises."""
    if protocol == "raw" and len(payload) in (CLASSIC, FD):
        root = Node("can", "", 0, len(payload))
        root.value = _frame(root, payload, 0, len(payload))
        return root
    if protocol == "bcm" and len(payload) >= BCM_HEAD.size:
        return _bcm(payload)
    if protocol == "j1939" and len(payload) == 8 and isinstance(peer, tuple) and peer[2:3] == (ADDRESS_CLAIMED,):
        return _claim(payload, peer)
    return None


def _frame(node: Node, payload: bytes, at: int, size: int) -> str:
    frame = payload[at : at + size]
    can_id, length, flags, _, _ = HEAD.unpack_from(frame)
    node.add("can_id", canframes.id_text(can_id), at, at + 4)
    kinds = [word for bit, word in ((EFF, "EFF"), (RTR, "RTR"), (ERR, "ERR")) if can_id & bit]
    node.add("id_flags", "|".join(kinds) or "0", at, at + 4)
    node.add("len", length, at + 4, at + 5)
    if size == FD:
        node.add("flags", canframes.flag_names(flags, _FD_FLAGS), at + 5, at + 6)
    data = frame[HEAD.size : HEAD.size + min(length, size - HEAD.size)]
    node.add("data", data.hex(" "), at + HEAD.size, at + HEAD.size + len(data))
    if can_id & ERR and size == CLASSIC:
        said = _error(can_id & EFF_MASK, frame[HEAD.size :])
        node.add("error", said, at, at + size)
        return f"error: {said}"
    return canframes.frame_text(frame)


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
    root.add("opcode", name, 0, 4)
    root.add("flags", canframes.flag_names(flags, BCM_FLAGS), 4, 8)
    root.add("count", count, 8, 12)
    root.add("ival1", intervals[0], first, second)
    root.add("ival2", intervals[1], second, BCM_ID)
    root.add("can_id", canframes.id_text(can_id), BCM_ID, BCM_ID + 4)
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
    root.add("NAME", f"0x{name:016x}", 0, 8)
    for each, low, bits in _NAME_PARTS:
        root.add(each, parts[each], low // 8, (low + bits + 7) // 8)
    address = peer[3] if len(peer) > 3 and isinstance(peer[3], int) else 0xFF
    # Address 254 is nobody's: who sends from it could not claim one.
    what = "cannot claim an address" if address == 0xFE else f"claims address 0x{address:02x}"
    root.value = f"NAME 0x{name:016x} {what}"
    return root
