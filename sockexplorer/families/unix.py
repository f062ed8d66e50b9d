"""AF_UNIX: sockets on this machine. Source: unix(7); socketmodule.c, ``case AF_UNIX`` (Linux rules)."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockexplorer.core.advice import Advice
from sockexplorer.core.family import Family, Protocol, Role
from sockexplorer.core.fields import Field, FieldError, Invalid, Kind, Notice, Offers, typed
from sockexplorer.core.payload import PayloadError, from_text
from sockexplorer.core.text import preview

ORDER = 30
PATH_MAX = 107
"""Bytes of a path: ``sun_path`` has 108, the last one is the NUL."""
ABSTRACT_MAX = 108
LOCAL = {"path": "/tmp/sockexplorer.sock"}


def raw(address: object) -> bytes:
    """The bytes of ``sun_path``. Raises `Invalid` as CPython raises TypeError, ValueError or BufferError."""
    if isinstance(address, str):
        try:
            return os.fsencode(address)
        except UnicodeEncodeError:
            raise Invalid("can't be encoded for the file system", "take the lone surrogate out") from None
    try:
        view = memoryview(address)  # type: ignore[arg-type]
    except TypeError:
        raise Invalid(f"{typed(address)} is not a path", "write a str, or bytes for an abstract name") from None
    if not view.contiguous:
        raise Invalid("is a buffer with gaps", "write bytes")
    return view.tobytes()


@dataclass(frozen=True)
class Path(Kind):
    """A path; ``@name`` in the form is an abstract name, nothing at all asks the kernel for one (autobind)."""

    offers: Offers = "unix-sockets"

    def parse(self, text: str) -> object:
        value: object
        if text.startswith("@"):
            try:
                value = b"\0" + from_text(text[1:])
            except PayloadError as error:
                raise Invalid(str(error)) from None
        else:
            value = text
        self.check(value)
        return value

    def show(self, value: object) -> str:
        data = raw(value)
        if data[:1] == b"\0":
            return "@" + preview(data[1:])
        path = value if isinstance(value, str) else os.fsdecode(data)
        # A file called @name needs another spelling of the same path, for @ stands for an abstract name.
        return f"./{path}" if path.startswith("@") else path

    def check(self, value: object) -> None:
        data = raw(value)
        if data[:1] in (b"", b"\0"):
            if len(data) > ABSTRACT_MAX:
                raise Invalid(f"has {len(data)} bytes", f"an abstract name has at most {ABSTRACT_MAX}, NUL included")
        elif len(data) > PATH_MAX:
            raise Invalid(f"has {len(data)} bytes", f"a path has at most {PATH_MAX}; choose a shorter directory")

    def notices(self, value: object) -> Iterator[str]:
        data = raw(value)
        if data[:1] == b"@":
            yield "this is a file whose name starts with @; an abstract name starts with a NUL: b'\\0name'"
        elif data[:1] not in (b"", b"\0") and b"\0" in data:
            yield f"the kernel stops at the NUL: {preview(data.partition(bytes(1))[0])!r}"
        elif data[:1] not in (b"", b"\0", b"/"):
            yield "a relative path depends on where the engine was started; an absolute one does not"


class Unix(Family):
    constant = "AF_UNIX"
    title = "UNIX"
    summary = "local sockets: a path, an abstract name (@name), or one that the kernel chooses"
    availability = "Unix (abstract names and autobind: Linux)"
    help = (
        "The address is a str path of at most 107 bytes. On Linux b'\\0name' is an abstract name: no file, gone with "
        "the socket. '' asks the kernel for a free abstract name. In the form, @name stands for b'\\0name'."
    )
    advice = {
        ("bind", "EADDRINUSE"): Advice(
            "There is a file, or a socket with that abstract name, already.",
            (
                "see who has it: ss -xlp",
                "if nobody does, the file is a leftover: remove it with rm",
                "choose another path",
            ),
        ),
        ("*", "ENOENT"): Advice(
            "There is no such path.", ("start the server first", "check that the directory exists")
        ),
        ("*", "ECONNREFUSED"): Advice(
            "Nobody listens there: the file is a leftover, or no socket has the abstract name.", ("start the server",)
        ),
        ("*", "EPROTOTYPE"): Advice(
            "The peer's socket has another type.", ("choose the peer's type: ss -xlp shows u_str, u_dgr or u_seq",)
        ),
        ("*", "EACCES"): Advice(
            "The permissions of the socket file or of its directory forbid it.", ("look at: ls -ld PATH",)
        ),
        ("connect", "EINVAL"): Advice("An empty address is for bind only.", ("give the server's path or @name",)),
        ("send", "EMSGSIZE"): Advice("The message is larger than the send buffer.", ("send less at once",)),
        ("send", "EAGAIN"): Advice("The peer's queue is full: it does not read.", ("let the peer read first",)),
    }  # fmt: skip
    protocols = (
        Protocol(
            "stream", "SOCK_STREAM", "0", "byte streams", ("listen", "connect"),
            messages=False, connections=True, local=LOCAL,
            help="Listen accepts any number of peers; connect opens one stream. The kernel tells who the peer is.",
            try_it="socat - UNIX-CONNECT:{path}",
        ),
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "datagrams", ("bind", "connect"), local=LOCAL, snaplen=262144,
            help="Whole messages, in order, none lost: a full queue makes the sender wait.",
            try_it="echo hello | socat - UNIX-SENDTO:{path}",
        ),
        Protocol(
            "seqpacket", "SOCK_SEQPACKET", "0", "connected messages", ("listen", "connect"),
            connections=True, local=LOCAL, snaplen=262144,
            help="A connection as with stream, and message boundaries as with dgram.",
            try_it="socat - UNIX-CONNECT:{path},type=5",
        ),
    )  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (Field("path", Path(), "", "a path, @name for an abstract name, or nothing for one of the kernel's"),)

    def build(self, protocol: Protocol, values: Mapping[str, object]) -> object:
        return values["path"]

    def texts(self, protocol: Protocol, address: object) -> dict[str, str]:
        self.check(protocol, address)
        return {"path": Path().show(address)}

    def check(self, protocol: Protocol, address: object) -> None:
        try:
            Path().check(address)
        except Invalid as error:
            raise FieldError("path", address, error.reason, error.remedy) from None

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        for text in Path().notices(address):
            yield Notice("path", text)
        if role == "local" and not raw(address):
            yield Notice("path", "the kernel chooses an abstract name of five hexadecimal digits")
        if role == "remote" and not raw(address):
            yield Notice("path", "an empty address can be bound, not reached")

    def try_it(self, protocol: Protocol, local: object) -> str:
        command = super().try_it(protocol, local)
        return re.sub(r"UNIX-(CONNECT|SENDTO):@", r"ABSTRACT-\1:", command)

    def text(self, address: object) -> str:
        if address in (None, "", b""):
            return "(unnamed)"
        try:
            return Path().show(address)
        except Invalid:
            return repr(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        try:
            return Path().parse(text)
        except Invalid as error:
            raise FieldError("path", text, error.reason, error.remedy) from None

    def pack(self, protocol: Protocol, address: object) -> bytes:
        data = raw(address)
        tail = b"" if data[:1] in (b"", b"\0") else b"\0"
        return struct.pack("=H", self.number) + data + tail

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        path = sockaddr[2:]
        if not path:
            return "" if sockaddr else None
        if path[:1] == b"\0":
            return path
        return os.fsdecode(path.partition(b"\0")[0])


FAMILY = Unix()
