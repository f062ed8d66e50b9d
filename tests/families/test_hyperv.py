"""AF_HYPERV: (vm_id, service_id). Source: Microsoft's <hvsocket.h>; ``case AF_HYPERV``, read.

The declaration decides alone where this is not Windows with Python 3.12 or later.
"""

from __future__ import annotations

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
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.interpreter import Interpreter
from sockexplorer.families import family
from sockexplorer.families.hyperv import GUIDS, HyperV

HYPERV = family("hyperv")
ZERO, PARENT = GUIDS["HV_GUID_ZERO"], GUIDS["HV_GUID_PARENT"]
VM = "00112233-4455-6677-8899-aabbccddeeff"
SERVICE = "00001234-facb-11e6-bd58-64006a7986d3"
NOT_STRINGS = "TypeError: AF_HYPERV address must be a str tuple (vm_id, service_id)"

test_plain_forms = reads(
    HYPERV,
    ("raw", f"{VM} {SERVICE}", (VM, SERVICE)),
    ("raw", f"  hv_guid_parent\t{SERVICE}", (PARENT, SERVICE)),
)
test_wrong_plain_forms = misreads(
    HYPERV,
    ("raw", "", "", "has no vm_id and service_id"),
    ("raw", VM, "", "has no vm_id and service_id"),
    ("raw", f"{VM} {SERVICE} more", "", "has no vm_id and service_id"),
)
test_rows = shows(
    HYPERV,
    ((VM, SERVICE), f"{VM} {SERVICE}"),
    ((PARENT.lower(), SERVICE), f"HV_GUID_PARENT {SERVICE}"),
    ((VM, 7), f"('{VM}', 7)"),
)
test_fields = fields_read(
    HYPERV,
    ("raw", "vm_id", "HV_GUID_ZERO", ZERO),
    ("raw", "vm_id", f"{{{VM}}}", None),
    # Only machines have names.
    ("raw", "service_id", "HV_GUID_ZERO", None),
)
test_the_parser = decides(
    HYPERV,
    ("raw", (VM, SERVICE), OK),
    ("raw", (VM.upper(), SERVICE.upper()), OK),
    ("raw", VM, "TypeError: bind(): AF_HYPERV address must be tuple, not str"),
    ("raw", (VM,), NOT_STRINGS),
    ("raw", (VM, SERVICE, 0), NOT_STRINGS),
    ("raw", (VM.encode(), SERVICE), NOT_STRINGS),
    # Stricter than uuid.UUID(); both are strings before either is read.
    ("raw", (VM.replace("-", ""), SERVICE), "ValueError: bind(): AF_HYPERV address vm_id is not a valid UUID string"),
    ("raw", (f"{{{VM}}}", SERVICE), "ValueError: bind(): AF_HYPERV address vm_id is not a valid UUID string"),
    ("raw", (VM, f"urn:uuid:{VM}"), "ValueError: bind(): AF_HYPERV address service_id is not a valid UUID string"),
    ("raw", (VM, SERVICE + "\n"), "ValueError: bind(): AF_HYPERV address service_id is not a valid UUID string"),
    ("raw", ("x", "y"), "ValueError: bind(): AF_HYPERV address vm_id is not a valid UUID string"),
    ("raw", ("x", 7), NOT_STRINGS),
)
test_protocols_that_the_parser_lacks = lacks_protocol(
    HYPERV,
    (0, "OSError: bind(): unsupported AF_HYPERV protocol: 0"),
    (6, "OSError: bind(): unsupported AF_HYPERV protocol: 6"),
)
test_refusals = refuses(
    HYPERV,
    ("raw", ("parent", SERVICE), "vm_id", "without braces"),
    ("raw", (VM, 7), "service_id", "in quotes"),
    ("raw", (VM,), "", "(vm_id, service_id)"),
)
test_warnings = warns(HYPERV, ("raw", (ZERO, SERVICE), "remote", "vm_id", "is for bind"))
test_nothing_odd = accepts_silently(
    HYPERV, ("raw", (ZERO, SERVICE), "local"), ("raw", (PARENT, SERVICE), "remote"), ("raw", (VM, SERVICE), "remote")
)
test_bytes = packs(
    HYPERV,
    # The first three numbers of a GUID are little-endian, and it comes back in lower case.
    (
        "raw", (VM.upper(), SERVICE),
        "2200 0000 33221100 5544 7766 8899aabbccddeeff 34120000 cbfa e611 bd5864006a7986d3",
        (VM, SERVICE),
    ),
)  # fmt: skip
test_advice = explains(
    HYPERV,
    ("raw", "connect", "ECONNREFUSED", "Nobody listens to that service", "start the server"),
    ("raw", "bind", "EACCES", "Windows", "register its GUID"),
)
test_in_an_older_python = warns(
    HyperV(Interpreter((3, 11))), ("raw", (VM, SERVICE), "local", "", "came with Python 3.12; this is")
)
test_in_the_python_that_brought_it = accepts_silently(HyperV(Interpreter((3, 12))), ("raw", (VM, SERVICE), "local"))


@given(st.uuids().map(str), st.uuids().map(str))
def test_bytes_come_back(vm: str, service: str) -> None:
    assert HYPERV.unpack(HYPERV.protocols[0], HYPERV.pack(HYPERV.protocols[0], (vm, service))) == (vm, service)
