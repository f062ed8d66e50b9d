"""SAE J1939 on CAN: what a 29-bit identifier says, and the names of parameter groups that engineers know by heart.

Source: SAE J1939-21 for the identifier, J1939-71 and -73 for the groups; <linux/can/j1939.h>.
"""

from __future__ import annotations

from typing import NamedTuple

from sockexplorer.core.canframes import EFF_MASK

PARTS = ("prio", "pgn", "dst", "src")
"""What an identifier is read as."""
PDU2 = 240
"""The PDU format from which on a message goes to everybody, its specific byte a part of the group's number."""
NAMES = {
    0: "TSC1 torque/speed control 1", 256: "TC1 transmission control 1", 51456: "RQST2 request 2", 51712: "transfer",
    56832: "DM7 command test", 57088: "DM8 test results", 59392: "ACKM acknowledgement", 59904: "RQST request",
    60160: "TP.DT transport data", 60416: "TP.CM transport connection", 60928: "AC address claimed",
    61184: "PropA proprietary A", 61440: "ERC1 retarder 1", 61441: "EBC1 brakes 1", 61442: "ETC1 transmission 1",
    61443: "EEC2 engine 2", 61444: "EEC1 engine 1", 61445: "ETC2 transmission 2", 65132: "TCO1 tachograph",
    65215: "EBC2 wheel speeds", 65226: "DM1 active faults", 65227: "DM2 earlier faults", 65228: "DM3 clear faults",
    65240: "CA commanded address", 65242: "SOFT software", 65247: "EEC3 engine 3", 65248: "VD vehicle distance",
    65251: "EC1 engine configuration", 65253: "HOURS engine hours", 65254: "TD time and date",
    65257: "LFC fuel consumption", 65259: "CI component", 65260: "VI vehicle identification",
    65262: "ET1 engine temperature", 65263: "EFL/P1 engine fluids", 65265: "CCVS1 cruise control, vehicle speed",
    65266: "LFE fuel economy", 65267: "VP vehicle position", 65269: "AMB ambient conditions",
    65270: "IC1 inlet and exhaust", 65271: "VEP1 electrical power", 65276: "DD dash display",
}  # fmt: skip


class Identifier(NamedTuple):
    """An identifier's parts. ``destination`` is None where the message goes to everybody."""

    priority: int
    pgn: int
    destination: int | None
    source: int


def read_identifier(can_id: int) -> Identifier:
    """The parts of an identifier of 29 bits; flags above them are ignored."""
    can_id &= EFF_MASK
    page, form, specific = can_id >> 24 & 3, can_id >> 16 & 0xFF, can_id >> 8 & 0xFF
    pgn = page << 16 | form << 8 | (specific if form >= PDU2 else 0)
    return Identifier(can_id >> 26, pgn, specific if form < PDU2 else None, can_id & 0xFF)


def group_text(pgn: int) -> str:
    """``61444 EEC1 engine 1``: a parameter group's number, and its name where it is well known."""
    name = "PropB proprietary B" if 0xFF00 <= pgn <= 0xFFFF else NAMES.get(pgn, "")
    return f"{pgn} {name}".rstrip()
