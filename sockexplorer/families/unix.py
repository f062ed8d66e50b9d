"""AF_UNIX: sockets on this machine. Source: unix(7); socketmodule.c, ``case AF_UNIX`` (Linux rules)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sockexplorer.core import cformats
from sockexplorer.core.advice import Advice
from sockexplorer.core.demo import OTHER, End, conversation
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LOOK_UP, FieldError, Invalid, Notice, Raises
from sockexplorer.core.fields import Field, Kind
from sockexplorer.core.payload import PayloadError, from_text
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, named
from sockexplorer.core.text import preview

ORDER = 30
PATH_MAX = 107
"""Bytes of a path: ``sun_path`` has 108, the last one is the NUL."""
ABSTRACT_MAX = 108
LOCAL = {"path": "/tmp/sockexplorer.sock"}
_AMBIGUOUS = re.compile(r"[@\\('\"]|[bB]['\"]")
"""How a path begins that would be read as something else."""
UNNAMED = "(unnamed)"
"""What a row shows of a socket without an address."""
TOO_LONG = Raises("OSError", "AF_UNIX path too long", LOOK_UP)


def raw(address: object) -> bytes:
    """The bytes of ``sun_path``. Raises `Invalid` as CPython raises TypeError, ValueError or BufferError."""
    if not isinstance(address, str):
        return cformats.buffer(address)
    try:
        return os.fsencode(address)
    except UnicodeEncodeError as error:
        raise Invalid(
            "can't be encoded for the file system", "take the lone surrogate out", cformats.encode_error(error)
        ) from None


@dataclass(frozen=True)
class Path(Kind):
    """A path; ``@name`` in the form is an abstract name, nothing at all asks the kernel for one (autobind)."""

    offers: str = "unix-sockets"

    def read(self, text: str) -> object:
        if text.startswith("@"):
            try:
                return b"\0" + from_text(text[1:])
            except PayloadError as error:
                raise Invalid(str(error)) from None
        if re.match(r"\\(0|x00)", text):
            return self.read("@" + re.sub(r"\\(0|x00)", "", text, count=1))
        return text[1:] if text[:1] == "\\" and _AMBIGUOUS.match(text[1:]) else text

    def show(self, value: object) -> str:
        data = raw(value)
        if data[:1] == b"\0":
            return "@" + preview(data[1:])
        path = value if isinstance(value, str) else os.fsdecode(data)
        # A backslash before what would else be an abstract name, or be read as a literal.
        return f"\\{path}" if _AMBIGUOUS.match(path) else path

    def check(self, value: object) -> None:
        data = raw(value)
        if data[:1] in (b"", b"\0"):
            if len(data) > ABSTRACT_MAX:
                most = f"an abstract name has at most {ABSTRACT_MAX}, NUL included"
                raise Invalid(f"has {len(data)} bytes", most, TOO_LONG)
        elif len(data) > PATH_MAX:
            most = f"a path has at most {PATH_MAX}; choose a shorter directory"
            raise Invalid(f"has {len(data)} bytes", most, TOO_LONG)

    def takes(self) -> str:
        return f"a path of at most {PATH_MAX} bytes, @name for an abstract name, or nothing to have one chosen"

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
    systems = ("linux", "darwin", "freebsd", "netbsd", "openbsd")
    title = "UNIX"
    summary = "local sockets: a path, an abstract name (@name), or one that the kernel chooses"
    availability = "Unix; abstract names and autobind on Linux only, and Python for Windows has none of it"
    help = (
        "The address is a str path of at most 107 bytes. On Linux b'\\0name' is an abstract name: no file, gone with "
        "the socket. '' asks the kernel for a free abstract name. In the form, @name stands for b'\\0name'."
    )
    pitfalls = (
        "The file of a socket stays when the program ends: remove it before you bind again.",
        "'@name' is a file of that name; the abstract name is b'\\0name'.",
        "A path counts in bytes, and a Path object or a tuple is refused.",
    )
    advice = {
        ("socket", "EPROTONOSUPPORT"): Advice("UNIX sockets have the protocol 0 only.", ("write proto 0",)),
        ("socket", "ESOCKTNOSUPPORT"): Advice(
            "UNIX sockets are streams, datagrams or sequenced packets.", ("choose stream, dgram or seqpacket",)
        ),
        ("bind", "EADDRINUSE"): Advice(
            "There is a file, a directory, or a socket with that abstract name, already: bind makes a new file always.",
            (
                "see who has it: ss -xlp",
                "if nobody does, the file is a leftover: remove it with rm",
                "choose another path",
            ),
        ),
        ("bind", "ENOENT"): Advice(
            "The directory of the path does not exist: bind makes the socket's file, never a directory.",
            (
                "make it: mkdir -p DIRECTORY",
                "a relative path starts where the engine was started: write an absolute one",
            ),
        ),
        ("bind", "EACCES"): Advice(
            "The permissions of the directory forbid a new file there, or to pass through one above it.",
            ("look at: namei -l PATH", "choose a directory of your own, such as $XDG_RUNTIME_DIR"),
        ),
        ("bind", "EPERM"): Advice(
            "The file system of that directory has no socket files (vfat, /sys and some network file systems).",
            ("choose another directory, such as /tmp", "use an abstract name: @name"),
        ),
        ("bind", "EINVAL"): Advice("The socket is bound already.", ("close it and open another",)),
        ("bind", "ENOSPC"): Advice(
            "The file system is full, or out of inodes; or no abstract name is free.",
            ("look at: df -h PATH; df -i PATH",),
        ),
        ("*", "ENOTDIR"): Advice(
            "A part of the path before the last is a file, not a directory.", ("look at: namei -l PATH",)
        ),
        ("listen", "EINVAL"): Advice("The socket has no address, or is connected.", ("bind it, then listen",)),
        ("*", "ENOENT"): Advice(
            "There is no such path: the server is not running, or has its socket elsewhere.",
            ("start the server first", "see what listens: ss -xl", "check the spelling: ls -l PATH"),
        ),
        ("*", "ECONNREFUSED"): Advice(
            "Nobody listens there: the file is a leftover or no socket at all, no socket has the abstract name, or it "
            "is "
            "bound but does not listen.",
            ("start the server", "see what listens: ss -xlp"),
        ),
        ("*", "EPROTOTYPE"): Advice(
            "The peer's socket has another type: stream, dgram and seqpacket do not mix.",
            ("choose the peer's type: ss -xlp shows u_str, u_dgr or u_seq",),
        ),
        ("*", "EACCES"): Advice(
            "The permissions of the socket file (it wants write) or of a directory above it (search) forbid it.",
            (
                "look at: ls -ld PATH; namei -l PATH",
                "let the server's owner widen them: chmod 666 PATH",
                "sockexplorer --via sudo",
            ),
        ),
        ("connect", "EPERM"): Advice(
            "The peer's socket is connected to somebody else, and takes datagrams from there only.",
            ("use the server's own socket: ss -xap shows who is connected",),
        ),
        ("connect", "EAGAIN"): Advice(
            "The server's queue of connections is full: it does not accept as fast as peers come.",
            ("try again", "see the queue, Recv-Q of Send-Q: ss -xl", "let the server listen with a longer backlog"),
        ),
        ("connect", "EINVAL"): Advice("An empty address is for bind only.", ("give the server's path or @name",)),
        ("send", "EINVAL"): Advice("The peer has no address to answer to.", ("write a path or @name",)),
        ("send", "EPIPE"): Advice("The peer closed, or shut its reading side.", ("connect again",)),
        ("send", "ETOOMANYREFS"): Advice(
            "Too many descriptors are on their way through sockets.", ("let the peers read first", "ulimit -n 4096")
        ),
        ("read", "ECONNRESET"): Advice(
            "The peer closed, or ended, with data unread that was sent to it.",
            ("look at the peer's log", "connect again"),
        ),
    }
    protocol_advice = {
        "stream": {
            ("send", "EISCONN"): Advice("A connected stream sends to its peer only.", ("send without an address",)),
            ("send", "EOPNOTSUPP"): Advice("A stream does not send to an address.", ("connect first",)),
        },
        "dgram": {
            ("send", "ENOTCONN"): Advice(
                "The socket is not connected, or its peer is gone, so each message needs a destination.",
                ("give a peer with the message", "connect first"),
            ),
            ("send", "EPERM"): Advice(
                "The peer's socket is connected to somebody else, and takes datagrams from there only.",
                ("use the server's own socket: ss -xap shows who is connected",),
            ),
            ("send", "EMSGSIZE"): Advice(
                "The message is larger than the send buffer, less 32 bytes: a datagram goes in one piece.",
                ("send less at once", "set SO_SNDBUF higher; the limit: sysctl net.core.wmem_max"),
            ),
            ("send", "EAGAIN"): Advice(
                "The peer's queue is full: it does not read. It holds net.unix.max_dgram_qlen messages.",
                ("let the peer read first", "let new receivers hold more: sudo sysctl net.unix.max_dgram_qlen=512"),
            ),
            ("send", "ECONNREFUSED"): Advice(
                "Nobody has that address any more: the receiver closed, the file is a leftover, or no socket has the "
                "abstract name.",
                ("start the receiver", "see what is bound: ss -xap"),
            ),
        },
        "seqpacket": {
            ("send", "EMSGSIZE"): Advice(
                "The message is larger than the send buffer, less 32 bytes: a packet goes in one piece.",
                ("send less at once", "set SO_SNDBUF higher; the limit: sysctl net.core.wmem_max"),
            ),
            ("send", "EAGAIN"): Advice("The peer's queue is full: it does not read.", ("let the peer read first",)),
        },
    }
    protocols = (
        Protocol(
            "stream", "SOCK_STREAM", "0", "byte streams", ("listen", "connect"),
            messages=False, connections=True, local=LOCAL,
            help="Listen accepts any number of peers; connect opens one stream. The kernel tells who the peer is.",
            try_it="socat - UNIX-CONNECT:{path}",
        ),
        Protocol(
            "dgram", "SOCK_DGRAM", "0", "datagrams", ("bind", "connect"), local=LOCAL, snaplen=262144,
            sender_waits=True,
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

    demos = {
        "stream": conversation(
            "An abstract socket listens, another connects: see who it is by SO_PEERCRED.",
            End("listen", ""), End("connect", remote=OTHER),
        ),
        "dgram": conversation(
            "Two abstract sockets, one connected to the other: every datagram tells its sender's process.",
            End("bind", ""), End("connect", "", OTHER),
        ),
        "seqpacket": conversation(
            "A connection that keeps the messages apart.", End("listen", ""), End("connect", remote=OTHER)
        ),
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (Field("path", Path(), "", "a path, or @name for an abstract name; nothing to bind one of the kernel's",
                      names_a_peer=True,
                      pitfall="A relative path is looked up from where the engine was started."),)  # fmt: skip

    def build(self, protocol: Protocol, values: Mapping[str, object]) -> object:
        return values["path"]

    def texts(self, protocol: Protocol, address: object) -> dict[str, str]:
        self.check(protocol, address)
        return {"path": Path().show(address)}

    def check(self, protocol: Protocol, address: object) -> None:
        try:
            Path().check(address)
        except Invalid as error:
            raise FieldError("path", address, error.reason, error.remedy, error.raises) from None

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
            return UNNAMED
        try:
            return Path().show(address)
        except Invalid:
            return repr(address)

    def read(self, protocol: Protocol, text: str) -> object:
        return "" if text.strip() == UNNAMED else super().read(protocol, text)

    def plain(self, protocol: Protocol, text: str) -> object:
        try:
            return Path().read(text)
        except Invalid as error:
            raise FieldError("path", text, error.reason, error.remedy) from None

    def pack(self, protocol: Protocol, address: object) -> bytes:
        data = raw(address)
        path = data if data[:1] in (b"", b"\0") else data + b"\0"
        return sockaddr_un(len(path)).pack(sun_family=self.number, sun_path=path)

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        path = sockaddr[2:]
        if not path:
            return "" if sockaddr else None
        if path[:1] == b"\0":
            return path
        return os.fsdecode(path.partition(b"\0")[0])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return sockaddr_un(max(0, len(sockaddr) - 2))


def sockaddr_un(length: int) -> Layout:
    """``struct sockaddr_un`` with ``length`` bytes of path: the kernel is told how many there are."""
    family = Part("sun_family", "H", "address family", show=named({"AF_UNIX": 1}))
    meaning = "a path ends at its NUL; an abstract name starts with one and ends with the bytes"
    return Layout("sockaddr_un", family, Part("sun_path", f"{length}s", meaning, show=lambda path: ascii(path)[1:]))


FAMILY = Unix()
