"""AF_CAN: an interface, and ids or names by protocol. Source: Linux' can.rst, j1939.rst; ``case AF_CAN``."""

from __future__ import annotations

import pathlib

import pytest
from addresses import WORDS
from family_tables import (
    OK,
    accepts_silently,
    decides,
    explains,
    lacks_protocol,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    warns,
)
from hypothesis import given

from sockexplorer.core.interpreter import Interpreter
from sockexplorer.families import family
from sockexplorer.families.can import Can

CAN = family("can")
EFF = 0x80000000
NO_PGN = 0x40000

test_plain_forms = reads(
    CAN,
    ("raw", "vcan0", ("vcan0",)),
    ("raw", "", ("",)),
    ("isotp", "vcan0:7e8:0x7e0", ("vcan0", 0x7E8, 0x7E0)),
    ("j1939", "vcan0:0:0fef1:20", ("vcan0", 0, 0xFEF1, 0x20)),
    # As rows have it.
    ("raw", "any", ("",)),
    ("isotp", "vcan0 rx 7e8 tx 7e0", ("vcan0", 0x7E8, 0x7E0)),
    ("j1939", "vcan0 pgn 0fef1 addr 20", ("vcan0", 0, 0xFEF1, 0x20)),
)
test_wrong_plain_forms = misreads(
    CAN,
    ("raw", "vcan0:7e8", "", "has 2 parts, not 1"),
    ("isotp", "vcan0", "", "write ('vcan0', 2024, 2016)"),
    ("isotp", "vcan0:7e8:xyz", "tx_addr", "is not a number"),
    ("j1939", "vcan0 rx 7e8 tx 7e0", "", "has 3 parts, not 4"),
    ("j1939", "vcan0:0:zz:20", "pgn", "J1939_NO_PGN"),
)
test_rows = shows(
    CAN,
    (("vcan0",), "vcan0"),
    (("",), "any"),
    (("vcan0", 0x7E8, 0x7E0), "vcan0 rx 7e8 tx 7e0"),
    (("vcan0", EFF | 0x123, 0), "vcan0 rx 80000123 tx 0"),
    # Of an unbound socket.
    (("", 0, 0), "any"),
    (("vcan0", 0, 0xFEF1, 0x20), "vcan0 pgn 0fef1 addr 20"),
    ((b"vcan0",), "vcan0"),
    ((7,), "(7,)"),
)
test_the_parser = decides(
    CAN,
    ("raw", ("lo",), OK),
    ("raw", (b"lo",), OK),
    ("raw", (pathlib.PurePosixPath("lo"),), OK),
    ("raw", ("",), OK),
    ("raw", ("x" * 16,), "OSError: AF_CAN interface name too long"),
    ("raw", ("nosuch0",), "OSError: [Errno 19] No such device"),
    ("raw", "lo", "TypeError: bind(): AF_CAN address must be tuple, not str"),
    ("raw", ("lo", 1), "TypeError: AF_CAN address must be a tuple (interface, )"),
    ("raw", ("lo\0",), "ValueError: embedded null byte"),
    # The branches of isotp and j1939 lack the words, and the look at the tuple.
    ("isotp", ["lo", 1, 2], "SystemError: new style getargs format but argument is not a tuple"),
    ("j1939", "lo", "SystemError: new style getargs format but argument is not a tuple"),
    ("isotp", ("lo", 1), "TypeError: function takes exactly 3 arguments (2 given)"),
    ("j1939", ("lo", 0, 0), "TypeError: function takes exactly 4 arguments (3 given)"),
    # All numbers are masked.
    ("isotp", ("lo", 2**70, -1), OK),
    ("j1939", ("lo", 2**70, 2**40, 256), OK),
    ("isotp", ("lo", 1.0, 2), "TypeError"),
)
# Which interfaces there are only the parser knows: here is what it says of one that exists.
test_the_declaration = decides(
    Can(Interpreter((3, 14))),
    ("raw", ("x" * 15,), OK),
    ("raw", ("é" * 8,), "OSError: AF_CAN interface name too long"),
    ("raw", (b"nosuch0",), OK),
)
test_protocols_that_the_parser_lacks = lacks_protocol(
    CAN, (0, "OSError: bind(): unsupported CAN protocol"), (3, "OSError: bind(): unsupported CAN protocol")
)
test_refusals = refuses(
    CAN,
    ("raw", ("nosuch0",), "interface", "vcan0 type vcan"),
    ("raw", ("x" * 16,), "interface", "at most 15"),
    ("isotp", ("lo", "0x7e8", 1), "rx_addr", "a whole number"),
    ("j1939", ("lo", 0, 0), "", "(interface, name, pgn, addr)"),
)
test_warnings = warns(
    CAN,
    ("raw", ("lo:1",), "local", "interface", "colon"),
    ("raw", (b"lo:1",), "local", "interface", "colon"),
    ("isotp", ("", 1, 2), "local", "interface", "isotp needs one"),
    ("j1939", ("", 0, NO_PGN, 1), "local", "interface", "j1939 needs one"),
    ("isotp", ("lo", 0x800, 1), "local", "rx_addr", "add CAN_EFF_FLAG"),
    ("isotp", ("lo", 1, 0x1FFFFFFF), "local", "tx_addr", "add CAN_EFF_FLAG"),
    ("isotp", ("lo", 1, 0x40000123), "local", "tx_addr", "no id has"),
    ("isotp", ("lo", 1, EFF | 0x20000000), "local", "tx_addr", "no id has"),
    ("isotp", ("lo", 1, 0x100000001), "local", "tx_addr", "same id"),
    ("isotp", ("lo", 2**70, 1), "local", "rx_addr", "passes 0"),
    ("j1939", ("lo", 0, 0x1201, 1), "local", "pgn", "PDU1"),
    ("j1939", ("lo", 0, 0x1EF01, 1), "local", "pgn", "PDU1"),
    ("j1939", ("lo", 0, -1, 1), "local", "pgn", "passes 4294967295"),
    ("j1939", ("lo", 0, 0, 256), "local", "addr", "passes 0"),
    ("j1939", ("lo", 2**64, 0, 1), "local", "name", "passes 0"),
)
test_nothing_odd = accepts_silently(
    CAN,
    ("raw", ("",), "local"),
    ("raw", ("lo",), "local"),
    ("isotp", ("lo", 0x7FF, 0x7E0), "local"),
    ("isotp", ("lo", EFF | 0x1FFFFFFF, EFF), "local"),
    ("j1939", ("lo", 0, NO_PGN, 0xFF), "local"),
    # PDU1 with an empty last byte, and PDU2, whose last byte is a part of the group.
    ("j1939", ("lo", 0, 0x1EF00, 1), "local"),
    ("j1939", ("lo", 0, 0xF001, 1), "local"),
    ("j1939", ("lo", 2**64 - 1, 0x1FEF1, 1), "remote"),
)
test_bytes = packs(
    CAN,
    ("raw", ("lo",), "1d00 0000 01000000 00000000000000000000000000000000", ("lo",)),
    ("raw", ("",), "1d00 0000 00000000 00000000000000000000000000000000", ("",)),
    ("isotp", ("lo", 0x7E8, -1), "1d00 0000 01000000 e8070000 ffffffff 0000000000000000", ("lo", 0x7E8, 2**32 - 1)),
    (
        "j1939", (b"lo", 2**64 + 5, 0xFEF1, 0x120), "1d00 0000 01000000 0500000000000000 f1fe0000 20 000000",
        ("lo", 5, 0xFEF1, 0x20),
    ),
)  # fmt: skip
test_advice = explains(
    CAN,
    ("raw", "bind", "ENODEV", "no such CAN interface", "type vcan"),
    ("raw", "socket", "EAFNOSUPPORT", "no CAN sockets", "modprobe can"),
    ("isotp", "bind", "EADDRNOTAVAIL", "the same", "two different ids"),
    ("isotp", "bind", "EINVAL", "CAN_EFF_FLAG", "0x80000000"),
    ("raw", "send", "EINVAL", "16 bytes", "=IB3x8s"),
    ("raw", "send", "ENETDOWN", "down", "ip link set"),
)


@given(WORDS, WORDS)
def test_the_plain_form_of_isotp_comes_back(rx: int, tx: int) -> None:
    isotp = CAN.protocol("isotp")
    assert CAN.plain(isotp, f"vcan0:{rx:x}:{tx:x}") == ("vcan0", rx, tx)
    if rx or tx:
        assert CAN.plain(isotp, CAN.text(("vcan0", rx, tx))) == ("vcan0", rx, tx)


class Indexed:
    """A number by ``__index__`` alone."""

    def __index__(self) -> int:
        return 0x7E8


@pytest.mark.parametrize(("version", "accepted"), [((3, 11), False), ((3, 13), False), ((3, 14), True)])
def test_ids_take_whatever_has_an_index_since_3_14(version: tuple[int, int], accepted: bool) -> None:
    can = Can(Interpreter(version))
    address = ("lo", Indexed(), 1)
    if accepted:
        can.check(can.protocol("isotp"), address)
    else:
        with pytest.raises(ValueError, match="rx_addr"):
            can.check(can.protocol("isotp"), address)
