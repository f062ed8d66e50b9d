"""Files that are no captures for this program, but can become one: what they are, by their beginnings, and how."""

from __future__ import annotations

import re

COMPRESSED = (
    (b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zX", "xz"), (b"\x04\x22\x4d\x18", "lz4"),
    (b"BZh", "bzip2"),
)  # fmt: skip
OTHERS = (
    (b"\x34\xcd\xb2\xa1", "modified pcap"), (b"\xa1\xb2\xcd\x34", "modified pcap"), (b"snoop\0\0\0", "snoop"),
    (b"btsnoop\0", "btsnoop"), (b"GMBU", "Network Monitor"), (b"RTSS", "Network Monitor"), (b"LOGG", "BLF"),
    (b"\xaa\xaa\xaa\xaa", "5View"), (b"\xac\x01\x00\x1c", "Ixia lcap"), (b"\x1c\x00\x01\xac", "Ixia lcap"),
    (b"\xab\x01\x00\x1c", "Ixia lcap"), (b"\x1c\x00\x01\xab", "Ixia lcap"), (b"TRSNIFF ", "Sniffer"),
    (b"XCP\0", "NetXRay"), (b"\x05VNF", "Visual Networks"), (b"\x01\x10\x4c\x00", "LANalyzer"),
)  # fmt: skip
"""Files that Wireshark reads, by their beginnings: wiretap/*.c of Wireshark."""
CONVERTS = "it is a capture of another kind, {}: editcap -F pcapng FILE FILE.pcapng converts it"
LOGS = (
    (rb"\s*(\([^)]{1,40}\)\s+)?\S{1,15}\s+([TR]X \S \S\s+)?[0-9A-F]{3,8}\s+(\[\d{1,4}\]|\{[0-9A-F]\})",
     "it is what candump shows a person: candump -L or -l writes a log"),
    (rb"date ", "it is a log of CANalyzer: asc2log < FILE > FILE.log converts it"),
    (rb"Time Stamp,ID,", "it is a log of SavvyCAN, which saves one that can be opened as Candump/Kayak"),
    (rb"\*\*\*BUSMASTER ", CONVERTS.format("BUSMASTER")),
    (rb";\$FILEVERSION=",
     "it is a trace of PEAK's: python -m can.logconvert FILE.trc FILE.log, of python-can, converts it"),
    (rb'\{"n": ', "it is JSON lines, which are not read back: --write and convert write pcapng"),
)  # fmt: skip
"""Texts by their first lines. Sources: candump.c and log2asc.c of can-utils, framefileio.cpp of SavvyCAN,
wiretap/busmaster.c of Wireshark, can/io/trc.py of python-can."""
COLOUR = re.compile(rb"\x1b\[[0-9;]{0,8}m")
"""What candump -c puts into its lines, also into those of a file."""


def how_to_convert(magic: bytes) -> str:
    """What a file is whose first bytes, eight or more, are these, and what makes a capture of it; "" for others."""
    if compressed := next((name for start, name in COMPRESSED if magic.startswith(start)), ""):
        return f"it is compressed: {compressed} -d < FILE | sockexplorer open -"
    if magic.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is text in UTF-16: iconv -f UTF-16 -t UTF-8 < FILE > FILE.log converts it"
    if other := next((name for start, name in OTHERS if magic.startswith(start)), ""):
        return CONVERTS.format(other)
    return ""


def is_text(magic: bytes) -> bool:
    """Whether a file that begins so may be one of `LOGS`."""
    return magic.isascii() and all(byte >= 0x20 or byte in b"\t\r\n\x1b" for byte in magic)


def log_to_convert(line: bytes) -> str:
    """What a text is whose first line is this, and what makes a log of it that is read; "" for others."""
    plain = COLOUR.sub(b"", line)
    return next((what for pattern, what in LOGS if re.match(pattern, plain)), "")
