"""PF_SYSTEM: the name of a kernel control, or (id, unit). Source: <sys/kern_control.h>; ``case PF_SYSTEM``, read.

The declaration decides alone where this is not macOS.
"""

from __future__ import annotations

import pytest
from family_tables import (
    OK,
    accepts_silently,
    decides,
    explains,
    fields_read,
    lacks_protocol,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    warns,
)

from sockexplorer.families import family

SYSTEM = family("system")
UTUN = "com.apple.net.utun_control"
SHAPE = "TypeError: bind(): PF_SYSTEM address must be a str or a pair (id, unit)"

test_plain_forms = reads(
    SYSTEM, ("control", UTUN, UTUN), ("control", f" {UTUN} ", UTUN), ("control", "(7, 0)", (7, 0)),
    ("control", "control 7 unit 0", (7, 0)),
)  # fmt: skip
test_wrong_plain_forms = misreads(SYSTEM, ("control", "", "name", f"write {UTUN}"), ("control", "(7,", "", "write "))
test_rows = shows(SYSTEM, ((7, 0), "control 7 unit 0"), (UTUN, UTUN), (None, "None"))
test_fields = fields_read(
    SYSTEM,
    # No name at all leaves it to id and unit.
    ("control", "name", "", ""),
    ("control", "name", "com.apple.nonesuch", None),
    ("control", "id", "4294967295", 2**32 - 1),
)
test_the_parser = decides(
    SYSTEM,
    ("control", UTUN, OK),
    ("control", (7, 0), OK),
    ("control", (-1, 2**70), OK),
    # One word for all that is no str and no pair of numbers.
    ("control", UTUN.encode(), SHAPE),
    ("control", [7, 0], SHAPE),
    ("control", (7,), SHAPE),
    ("control", (7, 0, 0), SHAPE),
    ("control", ("7", 0), SHAPE),
    ("control", None, SHAPE),
    ("control", UTUN + "\0", "ValueError: embedded null byte"),
    # 96 bytes pass, and then no control has the name.
    ("control", "x" * 97, "ValueError: provided string is too long"),
    ("control", "x" * 96, "OSError: cannot find kernel control with provided name"),
    ("control", "é" * 48, "OSError: cannot find kernel control with provided name"),
    ("control", "é" * 49, "ValueError: provided string is too long"),
)
test_protocols_that_the_parser_lacks = lacks_protocol(
    SYSTEM,
    (0, "OSError: bind(): unsupported PF_SYSTEM protocol"),
    (1, "OSError: bind(): unsupported PF_SYSTEM protocol"),
)
test_refusals = refuses(
    SYSTEM,
    ("control", "com.apple.nonesuch", "name", f"choose one such as {UTUN}"),
    ("control", "x" * 97, "name", "at most 95"),
    ("control", (7,), "", "write (id, unit)"),
    ("control", 7, "", "write a name or (id, unit)"),
    ("control", ("7", 0), "id", "without quotes"),
    ("control", (7, "0"), "unit", "without quotes"),
)
test_warnings = warns(
    SYSTEM,
    ("control", (2**32 + 7, 0), "remote", "id", "passes 7"),
    ("control", (7, -1), "remote", "unit", "passes 4294967295"),
)
test_nothing_odd = accepts_silently(SYSTEM, ("control", (7, 0), "remote"), ("control", UTUN, "remote"))
test_bytes = packs(
    SYSTEM,
    (
        "control", (7, 3), f"00 20 0200 07000000 03000000 {'00' * 20}", (7, 3),
    ),
    ("control", (-1, 2**32 + 3), f"00 20 0200 ffffffff 03000000 {'00' * 20}", (2**32 - 1, 3)),
)  # fmt: skip
test_advice = explains(
    SYSTEM,
    ("control", "connect", "EPERM", "for root", "sudo"),
    ("control", "connect", "EBUSY", "unit is taken", "unit 0"),
    ("control", "connect", "ENOENT", "no control", "its name"),
)


def test_a_name_has_no_bytes() -> None:
    """Only macOS' kernel knows the id behind it."""
    with pytest.raises(ValueError, match="only macOS"):
        SYSTEM.pack(SYSTEM.protocols[0], UTUN)


def test_in_the_form_a_name_wins_over_the_numbers() -> None:
    control = SYSTEM.protocols[0]
    assert SYSTEM.build(control, {"name": UTUN, "id": 7, "unit": 3}) == UTUN
    assert SYSTEM.build(control, {"name": "", "id": 7, "unit": 3}) == (7, 3)
    assert SYSTEM.texts(control, UTUN) == {"name": UTUN, "id": "0", "unit": "0"}
    assert SYSTEM.texts(control, (7, 3)) == {"name": "", "id": "7", "unit": "3"}
