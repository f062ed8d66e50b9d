"""A family that nobody declared: AF_KEY, the kernel's interface to IPsec's key management (RFC 2367)."""

from __future__ import annotations

import json
import signal
import struct
from collections.abc import Callable
from typing import Any

import pytest
from support import Desk

from sockexplorer.client.client import Refused

PF_KEY_V2 = 2
SADB_FLUSH = 9
"""Answered at once: for SADB_REGISTER the kernel starts modprobe for every algorithm that it knows of."""
SADB_SATYPE_ESP = 3


def message(kind: int, satype: int = 0) -> bytes:
    """``struct sadb_msg``: version, type, errno, satype, length in words of 8 bytes, reserved, sequence, pid."""
    return struct.pack("=BBBBHHII", PF_KEY_V2, kind, 0, satype, 2, 0, 7, 0)


def test_the_kernel_answers(desk: Desk) -> None:
    session = desk.open("key/raw", "open", proto=PF_KEY_V2)
    assert session.by_number
    desk.send(session, message(SADB_FLUSH, SADB_SATYPE_ESP))
    frame = desk.incoming(session, 1)[0]
    version, kind, failed, satype, _, _, sequence, _ = struct.unpack_from("=BBBBHHII", frame.payload)
    assert (version, kind, failed, satype, sequence) == (PF_KEY_V2, SADB_FLUSH, 0, SADB_SATYPE_ESP, 7)


def test_it_has_no_names(desk: Desk) -> None:
    session = desk.open("15/raw", "open", proto=PF_KEY_V2)
    assert session.local is None
    with pytest.raises(Refused) as caught:
        desk.open("15/raw", local=(15, b""), proto=PF_KEY_V2)
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "EOPNOTSUPP")


def test_its_protocol_number_is_needed(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("15/raw", "open")
    assert (caught.value.problem.stage, caught.value.problem.name) == ("socket", "EPROTONOSUPPORT")


def test_from_the_command_line(run: Callable[..., Any]) -> None:
    request = message(SADB_FLUSH, SADB_SATYPE_ESP).hex()
    send = run("send", "key/raw", "--proto", "2", "--wait", "600", "--json", "--hex", request)
    _, answer = map(json.loads, send.printed(2))
    assert answer["payload"].startswith("02090003")
    assert send.end(signal.SIGINT) == 0
