"""Asks the running interpreter's own C parser whether it takes an address, without side effect.

A Python socket object may be given any family over a descriptor of another: ``sendto`` on a connected UNIX stream runs
``getsockaddrarg()`` for the claimed family and then always fails with EISCONN, the address unseen by the kernel.
So EISCONN means accepted, and anything else is the parser's own exception. Only a host that is a well-formed name, or
".", would be looked up (glibc refuses any other without a query), hence it is replaced by a number before the question.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError, Raises
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Decider, Verdict

CALLS = {"local": "bind", "remote": "connect"}
"""The method that an address of each role is for, whose name stands in CPython's messages."""


def ask_cpython(family: int, kind: int, proto: int, address: Any) -> Exception | None:
    """None when the parser takes ``address``, else what it raised. Raises LookupError where it lacks the family."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with here, there, socket.socket(family, kind, proto, fileno=here.detach()) as claimed:
        try:
            with _no_word_of_masking():
                claimed.sendto(b"", address)
        except OSError as error:
            if error.errno == errno.EISCONN:
                return None
            if str(error).endswith("bad family"):
                raise LookupError(str(error)) from None
            return error
        except (TypeError, ValueError, OverflowError, BufferError, SystemError, MemoryError) as error:
            return error
    return None


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# Python 3.15 warns of a number that it masks; the declaration says so as well.
_no_word_of_masking: Callable[[], AbstractContextManager[None]]
_no_word_of_masking = _silenced if sys.version_info >= (3, 15) else contextlib.nullcontext


def parses(family: Family, protocol: Protocol) -> bool:
    """Whether this interpreter's parser has a case for the family, and for the protocol where it looks at that.

    Raises OSError where no descriptor is left to ask with.
    """
    if family.foreign or family.by_bytes:
        return False
    return _has_case(family.number, protocol.type_number, protocol.proto_number)


@cache
def _has_case(family: int, kind: int, proto: int) -> bool:
    try:
        refused = ask_cpython(family, kind, proto, ())
    except LookupError:
        return False
    # C headers that are older than a protocol: the constant is missing as well.
    return not str(refused).endswith(("unsupported CAN protocol", "unknown Bluetooth protocol"))


def judge(family: Family, protocol: Protocol, address: object, role: Role, proto: int | None = None) -> Verdict:
    """The verdict of this interpreter, explained by the family's declaration, with its warnings."""
    fault = None
    try:
        family.check(protocol, address)
    except FieldError as error:
        fault = error
    number = protocol.proto_number if proto is None else proto
    try:
        if not parses(family, protocol):
            raise LookupError(f"this Python has no case for {family.constant} {protocol.proto}")
        refused = ask_cpython(family.number, protocol.type_number, number, family.without_lookup(address))
    except LookupError:
        if fault is None:
            return _accepted(family, protocol, address, role, "model")
        raises = fault.raises or Raises("ValueError", fault.reason)
        return _refused("model", raises.exception, raises.text(CALLS[role]), fault, address)
    if refused is None:
        return _accepted(family, protocol, address, role, "cpython")
    if isinstance(refused, OSError) and refused.errno == errno.ENODEV:
        fault = _no_interface(family, protocol, address) or fault
    # The parser names the method it was called by, which for a person is another one.
    message = str(refused).replace("sendto()", f"{CALLS[role]}()", 1)
    return _refused("cpython", type(refused).__name__, message, fault, address)


def judge_unsupported(family: Family, proto: int, address: object, role: Role) -> Verdict:
    """The verdict where the family's parser has no case for the protocol: it looks at no address then."""
    raises = family.unsupported(proto)
    assert raises is not None
    known = ", ".join(each.proto for each in family.protocols)
    reason = f"the parser knows no protocol {proto} of {family.constant}"
    fault = FieldError("", proto, reason, f"choose one of {known}")
    by: Decider = "cpython"
    try:
        if family.foreign:
            raise LookupError
        ask_cpython(family.number, socket.SOCK_RAW, proto, address)
    except LookupError:
        by = "model"
    return _refused(by, raises.exception, raises.text(CALLS[role]), fault, address)


def judge_unknown(family: int, kind: int, proto: int, address: object, role: Role) -> Verdict:
    """The verdict on an address of a family that nobody declared: Python has no form of address for those."""
    try:
        refused: Exception | None = ask_cpython(family, kind, proto, address)
    except LookupError as error:
        refused = OSError(str(error))
    except (OSError, OverflowError) as error:
        refused = error
    if refused is None:
        return Verdict(True, "cpython", address=address)
    message = str(refused).replace("sendto()", f"{CALLS[role]}()", 1)
    fault = FieldError("", family, f"Python has no form of address for the family {family}", "choose another family")
    return _refused("cpython", type(refused).__name__, message, fault, address)


def _refused(by: Decider, exception: str, message: str, fault: FieldError | None, address: object) -> Verdict:
    return Verdict(
        False,
        by,
        exception,
        message,
        fault.field if fault else "",
        fault.told if fault else message,
        fault.remedy if fault else "",
        address=address,
    )


def _no_interface(family: Family, protocol: Protocol, address: object) -> FieldError | None:
    """The parser looks interfaces up itself, and is the only one to know that there is none of that name."""
    if isinstance(address, tuple):
        for each, value in zip(family.fields(protocol), address, strict=False):
            if each.kind.offers in ("interfaces", "can-interfaces"):
                reason = f"there is no interface {escape(repr(value), 40)} on this host"
                fixes = family.explain(protocol, "bind", "ENODEV").fixes
                return FieldError(each.name, value, reason, fixes[0] if fixes else "choose one: ip link")
    return None


def _accepted(family: Family, protocol: Protocol, address: object, role: Role, by: Decider) -> Verdict:
    notices = tuple(family.notices(protocol, address, role))
    sockaddr = None
    if family.host_name(address) is None:
        try:
            sockaddr = family.pack(protocol, address)
        except (OSError, ValueError, TypeError):
            sockaddr = None
    return Verdict(True, by, notices=notices, sockaddr=sockaddr, address=address)
