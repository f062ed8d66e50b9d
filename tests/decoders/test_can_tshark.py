"""tshark agrees with the tree of CAN frames: identifiers and their flags, lengths, data, errors, and J1939's parts."""

from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path

import pytest
from pdml import Seen, Sent, read

from sockexplorer.capture.link_types import Origin
from sockexplorer.core.canframes import EFF, ERR, FD_LENGTHS, HEAD, RTR
from sockexplorer.decoders import decode
from sockexplorer.decoders.tree import Node

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

FIELDS = {
    "can.id": "can_id", "can.len": "len", "can.err.lostarb.bitnum": "lost_bit", "can.err.prot.location": "location",
    "j1939.priority": "prio", "j1939.pgn": "pgn", "j1939.src_addr": "src", "j1939.dst_addr": "dst",
}  # fmt: skip
"""tshark's name of a field, and ours."""
BITS = {
    "can.flags.xtd": ("id_flags", 4), "can.flags.rtr": ("id_flags", 2), "can.flags.err": ("id_flags", 1),
    "canfd.flags.brs": ("flags", 1), "canfd.flags.esi": ("flags", 2),
    "can.err.tx_timeout": ("error", 0x1), "can.err.lostarb": ("error", 0x2), "can.err.ctrl": ("error", 0x4),
    "can.err.prot": ("error", 0x8), "can.err.trx": ("error", 0x10), "can.err.ack": ("error", 0x20),
    "can.err.busoff": ("error", 0x40), "can.err.buserror": ("error", 0x80), "can.err.restarted": ("error", 0x100),
    "can.err.ctrl.rx_overflow": ("controller", 0x1), "can.err.ctrl.tx_overflow": ("controller", 0x2),
    "can.err.ctrl.rx_warning": ("controller", 0x4), "can.err.ctrl.tx_warning": ("controller", 0x8),
    "can.err.ctrl.rx_passive": ("controller", 0x10), "can.err.ctrl.tx_passive": ("controller", 0x20),
    "can.err.ctrl.active": ("controller", 0x40), "can.err.prot.type.bit": ("protocol", 0x1),
    "can.err.prot.type.form": ("protocol", 0x2), "can.err.prot.type.stuff": ("protocol", 0x4),
    "can.err.prot.type.bit0": ("protocol", 0x8), "can.err.prot.type.bit1": ("protocol", 0x10),
    "can.err.prot.type.overload": ("protocol", 0x20), "can.err.prot.type.active": ("protocol", 0x40),
    "can.err.prot.type.tx": ("protocol", 0x80),
}  # fmt: skip
"""A bit that tshark shows, the field of ours that has it, and its place there."""
DATA = "data.data"


def number_of(node: Node) -> int:
    return int(node.value) if node.number is None else node.number


def disagreements(root: Node, seen: list[Seen], *, remote: bool) -> list[str]:
    """What tshark and the tree tell differently, a line each."""
    ours = {node.name: node for _, node in root.walk()}
    wrong = []
    for each in seen:
        name, bit = BITS.get(each.name, (FIELDS.get(each.name), 0))
        if each.name == DATA:
            if remote:
                continue  # tshark shows the bytes behind a remote request, which carries none.
            node = ours.get("data")
            if node is None or (node.start, node.end, node.value.replace(" ", ":")) != (
                each.start,
                each.end,
                each.show,
            ):
                wrong.append(f"data {each.show} at {each.start}:{each.end}: the tree has {node}")
        elif name is not None:
            node = ours.get(name)
            told = None if node is None else bool(number_of(node) & bit) if bit else number_of(node)
            # What tshark computes of the identifier, J1939's parts, has no bytes there; the identifier's are ours.
            place = (0, 4) if each.name.startswith("j1939.") else (each.start, each.end)
            if node is None or told != each.number or (node.start, node.end) != place:
                wrong.append(f"{each.name} {each.show} at {each.start}:{each.end}: the tree has {node}")
    return wrong


def sent(payload: bytes) -> Sent:
    return Sent(Origin("can/raw", 1, ("vcan0",)), ("vcan0",), payload)


def agree(frames: list[bytes], path: Path, *options: str) -> list[list[Seen]]:
    """Compare all; a failure has every disagreement."""
    every = read(path, [sent(each) for each in frames], 0, *options)
    told = []
    for payload, seen in zip(frames, every, strict=True):
        remote = bool(HEAD.unpack_from(payload)[0] & RTR) and len(payload) == 16
        root = decode("AF_CAN", "raw", payload)
        told += [f"{root.value}: {each}" for each in disagreements(root, seen, remote=remote)]
    assert not told, "\n".join(told)
    return every


def identifier(chance: random.Random) -> int:
    return chance.randrange(0x800) if chance.randrange(2) else chance.randrange(1 << 29) | EFF


def classic(chance: random.Random, can_id: int) -> bytes:
    length = chance.randrange(9)
    return HEAD.pack(can_id, length, 0, 0, 0) + chance.randbytes(length).ljust(8, b"\0")


def test_frames_and_remote_requests(tmp_path: Path) -> None:
    chance = random.Random(11)
    frames = [classic(chance, identifier(chance) | chance.choice([0, 0, RTR])) for _ in range(100)]
    every = agree(frames, tmp_path / "classic.pcapng")
    assert {each.name for seen in every for each in seen} >= {"can.id", "can.flags.xtd", "can.flags.rtr", DATA}


def test_frames_of_can_fd(tmp_path: Path) -> None:
    chance = random.Random(12)
    frames = []
    for length in FD_LENGTHS:
        for flags in range(4):
            head = HEAD.pack(identifier(chance), length, flags | 4, 0, 0)
            frames.append(head + chance.randbytes(length).ljust(64, b"\0"))
    every = agree(frames, tmp_path / "fd.pcapng")
    assert all("canfd.flags.brs" in {each.name for each in seen} for seen in every)


def test_error_frames(tmp_path: Path) -> None:
    chance = random.Random(13)
    classes = [1 << bit for bit in range(10)] + [chance.randrange(0x400) for _ in range(60)]
    frames = [struct.pack("=IB3x8s", ERR | each, 8, chance.randbytes(8)) for each in classes]
    every = agree(frames, tmp_path / "errors.pcapng")
    assert set(BITS) - {"canfd.flags.brs", "canfd.flags.esi", "can.flags.xtd", "can.flags.rtr"} <= {
        each.name for seen in every for each in seen
    }


def test_identifiers_of_j1939(tmp_path: Path) -> None:
    chance = random.Random(14)
    known = [0x18F00401, 0x18EAFF03, 0x18EEFF80, 0x0CF00400, 0x18FECA27, 0x1CECFF00, 0x1DF01122, 0x18EF2701]
    frames = [classic(chance, each | EFF) for each in known + [chance.randrange(1 << 29) for _ in range(100)]]
    every = agree(frames, tmp_path / "j1939.pcapng", "-d", "can.subdissector,j1939")
    names = {each.name for seen in every for each in seen}
    assert {"j1939.priority", "j1939.pgn", "j1939.src_addr", "j1939.dst_addr"} <= names
