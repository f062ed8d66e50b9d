"""Tables of a family's own facts, for ``tests/families/test_<family>.py``: each function makes a test of its rows.

::

    NETLINK = family("netlink")
    test_plain_forms = reads(NETLINK, ("route", "7:0x3", (7, 3)))

The first element of a row is the protocol's name, where the fact depends on one. A family made for another version of
Python than the one running (``Bluetooth(Interpreter((3, 14)))``) is judged by its declaration alone.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Raises
from sockexplorer.core.interpreter import RUNNING
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.verdict import Verdict
from sockexplorer.engine.verdict import judge

OK = None
Test = Callable[..., None]


def _rows(names: str, rows: tuple[tuple[Any, ...], ...]) -> pytest.MarkDecorator:
    assert rows, "a table without rows tests nothing"
    return pytest.mark.parametrize(names.split(), rows, ids=lambda value: re.sub(r"[^ -~]", "?", repr(value))[:40])


def _judged(each: Family, protocol: str, address: object, role: Role) -> Verdict:
    """What the running interpreter says, or the declaration where it stands for another one."""
    declared = each.protocol(protocol)
    if each.python == RUNNING:
        verdict = judge(each, declared, address, role)
        by = "cpython" if hasattr(socket, each.constant) and not (each.foreign or each.by_bytes) else "model"
        assert verdict.decided_by == by
        declares = _declared(each, declared, address)
        # Only the parser knows the interfaces of this host.
        if "No such device" not in verdict.message:
            assert (declares.exception, declares.message) == (
                verdict.exception,
                verdict.message.replace("connect()", "bind()"),
            )
        return verdict
    verdict = _declared(each, declared, address)
    return replace(verdict, notices=tuple(each.notices(declared, address, role))) if verdict.accepted else verdict


def _declared(each: Family, declared: Protocol, address: object) -> Verdict:
    """The verdict of the declaration alone, without warnings."""
    try:
        each.check(declared, address)
    except FieldError as error:
        raises = error.raises or Raises("ValueError", error.reason)
        return Verdict(
            False, "model", raises.exception, raises.text("bind"), error.field, error.told, error.remedy
        )  # fmt: skip
    return Verdict(True, "model")


# --- text --------------------------------------------------------------------------------------------------


def reads(each: Family, *rows: tuple[str, str, object]) -> Test:
    """(protocol, text, address): what people type, or copy from a row of traffic, is read as that address."""

    @_rows("protocol text address", rows)
    def test(protocol: str, text: str, address: object) -> None:
        # ascii() tells 1 from True and str from bytes.
        assert ascii(each.read(each.protocol(protocol), text)) == ascii(address)

    return test


def misreads(each: Family, *rows: tuple[str, str, str, str]) -> Test:
    """(protocol, text, field, says): what is typed is no address, and the error says so of that field."""

    @_rows("protocol text field says", rows)
    def test(protocol: str, text: str, field: str, says: str) -> None:
        with pytest.raises(FieldError) as caught:
            each.read(each.protocol(protocol), text)
        assert caught.value.field == field
        assert says in str(caught.value)

    return test


def shows(each: Family, *rows: tuple[object, str]) -> Test:
    """(address, text): what a row of traffic has of an address."""

    @_rows("address text", rows)
    def test(address: object, text: str) -> None:
        assert each.text(address) == text

    return test


def fields_read(each: Family, *rows: tuple[str, str, str, object]) -> Test:
    """(protocol, field, text, value): what the input of a form makes of a text; None where it refuses it."""

    @_rows("protocol field text value", rows)
    def test(protocol: str, field: str, text: str, value: object) -> None:
        found = next(declared for declared in each.fields(each.protocol(protocol)) if declared.name == field)
        if value is None:
            with pytest.raises(FieldError):
                found.parse(text)
        else:
            assert ascii(found.parse(text)) == ascii(value)

    return test


# --- verdicts ----------------------------------------------------------------------------------------------


def decides(each: Family, *rows: tuple[str, object, str | None]) -> Test:
    """(protocol, address, OK or the exception): CPython's verdict; ``Exception: message`` tells its words too."""

    @_rows("protocol address expected", rows)
    def test(protocol: str, address: object, expected: str | None) -> None:
        verdict = _judged(each, protocol, address, "local")
        exception, _, message = (expected or "").partition(": ")
        assert (verdict.accepted, verdict.exception or "") == (expected is OK, exception), verdict.message
        assert verdict.accepted or verdict.message
        assert message in ("", verdict.message)

    return test


def refuses(each: Family, *rows: tuple[str, object, str, str]) -> Test:
    """(protocol, address, field, remedy): a refusal names the field, and what would be right."""

    @_rows("protocol address field remedy", rows)
    def test(protocol: str, address: object, field: str, remedy: str) -> None:
        verdict = _judged(each, protocol, address, "local")
        assert not verdict.accepted
        assert verdict.field == field
        assert remedy in verdict.remedy, verdict

    return test


def warns(each: Family, *rows: tuple[str, object, Role, str, str]) -> Test:
    """(protocol, address, role, field, says): accepted, but rarely meant."""

    @_rows("protocol address role field says", rows)
    def test(protocol: str, address: object, role: Role, field: str, says: str) -> None:
        verdict = _judged(each, protocol, address, role)
        assert verdict.accepted, verdict
        assert any(notice.field == field and says in notice.text for notice in verdict.notices), verdict.notices

    return test


def accepts_silently(each: Family, *rows: tuple[str, object, Role]) -> Test:
    """(protocol, address, role): accepted, and nothing odd about it: the near side of a warning's limit."""

    @_rows("protocol address role", rows)
    def test(protocol: str, address: object, role: Role) -> None:
        verdict = _judged(each, protocol, address, role)
        assert verdict.accepted, verdict
        told = [notice for notice in verdict.notices if " came with Python " not in notice.text]
        assert not told

    return test


# --- the kernel ---------------------------------------------------------------------------------------------


def packs(each: Family, *rows: tuple[str, object, str, object]) -> Test:
    """(protocol, address, sockaddr, found): the bytes in hex, little-endian, and what ``getsockname()`` gives."""

    @_rows("protocol address sockaddr found", rows)
    def test(protocol: str, address: object, sockaddr: str, found: object) -> None:
        declared = each.protocol(protocol)
        assert each.pack(declared, address).hex() == bytes.fromhex(sockaddr).hex()
        assert ascii(each.unpack(declared, bytes.fromhex(sockaddr))) == ascii(found)
        shown = each.rows(declared, bytes.fromhex(sockaddr))
        assert b"".join(row.raw for row in shown) == bytes.fromhex(sockaddr)
        assert all(row.name and row.meaning != "cut short" for row in shown)

    return test


def explains(each: Family, *rows: tuple[str, str, str, str, str]) -> Test:
    """(protocol, operation, errno, says, remedy): what an error of the kernel means here, and what helps."""

    @_rows("protocol operation errno says remedy", rows)
    def test(protocol: str, operation: str, errno: str, says: str, remedy: str) -> None:
        advice = each.explain(each.protocol(protocol), operation, errno)
        assert says in advice.what
        assert remedy in " | ".join(advice.fixes)

    return test


def suggests(each: Family, *rows: tuple[str, object, str]) -> Test:
    """(protocol, local address, command): the shell command that makes traffic for a socket there."""

    @_rows("protocol local command", rows)
    def test(protocol: str, local: object, command: str) -> None:
        assert each.try_it(each.protocol(protocol), local) == command

    return test


def lacks_protocol(each: Family, *rows: tuple[int, str]) -> Test:
    """(number, exception and message): the parser has no case for the protocol, whatever the address."""

    @_rows("number raises", rows)
    def test(number: int, raises: str) -> None:
        assert each.protocol_of(each.protocols[0].type_number, number) is None
        found = each.unsupported(number)
        assert found is not None
        assert f"{found.exception}: {found.text('bind')}" == raises

    return test
