"""Asks the running interpreter's own C parser whether it takes an address, without side effect.

A Python socket object may be given any family over a descriptor of another: ``sendto`` on a connected UNIX stream runs
``getsockaddrarg()`` for the claimed family and then always fails with EISCONN, the address unseen by the kernel.
So EISCONN means accepted, and anything else is the parser's own exception. Only a host that is a well-formed name
would be looked up (glibc refuses any other without a query), hence it is replaced by a number before the question.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.fields import FieldError
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict


def ask_cpython(family: int, kind: int, proto: int, address: Any) -> Exception | None:
    """None when the parser takes ``address``, else what it raised. Raises LookupError where it lacks the family."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with here, there:
        claimed = socket.socket(family, kind, proto, fileno=here.detach())
        with claimed:
            try:
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


def judge(family: Family, protocol: Protocol, address: object, role: Role, proto: int | None = None) -> Verdict:
    """The verdict of this interpreter, explained by the family's declaration, with its warnings."""
    fault = None
    try:
        family.check(protocol, address)
    except FieldError as error:
        fault = error
    try:
        refused = ask_cpython(
            family.number, protocol.type_number, protocol.proto_number if proto is None else proto,
            family.without_lookup(address),
        )  # fmt: skip
    except LookupError:
        if fault is not None:
            return Verdict(
                False, "model", "ValueError", str(fault), fault.field, fault.reason, fault.remedy, address=address
            )
        return _accepted(family, protocol, address, role, "model")
    if refused is None:
        return _accepted(family, protocol, address, role, "cpython")
    # The parser names the method it was called by, which for a person is another one.
    message = str(refused).replace("sendto()", "bind()" if role == "local" else "connect()", 1)
    if fault is None and isinstance(refused, OSError) and refused.errno == errno.ENODEV:
        fault = _no_interface(family, protocol, address)
    return Verdict(
        False,
        "cpython",
        type(refused).__name__,
        message,
        fault.field if fault else "",
        fault.reason if fault else message,
        fault.remedy if fault else "",
        address=address,
    )


def _no_interface(family: Family, protocol: Protocol, address: object) -> FieldError | None:
    """The parser looks interfaces up itself, and is the only one to know that there is none of that name."""
    if isinstance(address, tuple):
        for each, value in zip(family.fields(protocol), address, strict=False):
            if each.kind.offers == "interfaces":
                reason = f"there is no interface {escape(repr(value), 40)} on this host"
                return FieldError(each.name, value, reason, "choose one: ip link")
    return None


def _accepted(family: Family, protocol: Protocol, address: object, role: Role, by: str) -> Verdict:
    try:
        notices = tuple(family.notices(protocol, address, role))
    except (ValueError, TypeError):
        notices = ()
    sockaddr = None
    if family.host_name(address) is None:
        try:
            sockaddr = family.pack(protocol, address)
        except (OSError, ValueError, TypeError):
            sockaddr = None
    return Verdict(True, "cpython" if by == "cpython" else "model", notices=notices, sockaddr=sockaddr, address=address)
