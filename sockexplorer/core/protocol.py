"""One way to open a socket of a family: what the kernel is asked for, what a form offers, how the socket behaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sockexplorer.core.constants import number
from sockexplorer.core.fields import Kind

Operation = Literal["bind", "connect", "listen", "open"]
Role = Literal["local", "remote"]


@dataclass(frozen=True)
class Option:
    """A socket option that the form offers.

    ``level`` and ``name`` are constants' names; a ``flag`` is on or off, any other takes an int, or what its ``kind``
    reads: an int or bytes.
    """

    level: str
    name: str
    help: str
    flag: bool = True
    default: int | bytes | None = None
    """Set to this unless the person says otherwise; None leaves the kernel's own."""
    kind: Kind | None = None
    after_bind: bool = False
    """Whether it is set when the socket is bound, not before: it belongs to what was bound."""
    by_length: bool = False
    """Whether the number is the option's length, with no value behind it: ``setsockopt(level, name, None, number)``."""


@dataclass(frozen=True)
class Protocol:
    """One way to open a socket of a family: type and protocol, with what a form starts from."""

    name: str
    type: str
    proto: str
    summary: str
    operations: tuple[Operation, ...] = ("bind", "connect")
    """What the form offers; the first is what Enter does."""
    messages: bool = True
    """Whether one read is one message (datagram, packet); False for byte streams."""
    connections: bool = False
    """Whether ``listen`` and ``accept`` exist, and the end of the stream means something."""
    local: Mapping[str, str] = field(default_factory=dict)
    remote: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    proto_choices: Mapping[str, int] = field(default_factory=dict)
    """Protocol numbers a person may pick (raw sockets, ``proto`` being the default)."""
    privilege: str = ""
    """The capability that ``socket()`` asks for, if any."""
    rights: str = ""
    """What else is needed, as a sentence: by ``bind``, or other than a capability."""
    modules: tuple[str, ...] = ()
    """Kernel modules that bring it, in the order of loading."""
    sample: str = "hello"
    """What the composer starts with, as text with escapes."""
    notation: str = ""
    """An example of how payloads are written in the field's own way, such as ``123#DEADBEEF``; "" without one."""
    sends_bound: bool = False
    """Whether a bound socket sends without a destination: to its interface, or to the peer that bind named."""
    has_name: bool = True
    """Whether ``getsockname()`` answers: some protocols have no ``getname`` in the kernel, or no form in Python."""
    has_senders: bool = True
    """Whether ``recvfrom()`` can say who sent a message."""
    ends_in_reset: bool = False
    """Whether a peer that closes is told as a reset, after which the socket may not know its peer any more."""
    sender_waits: bool = False
    """Whether who sends a message waits for the one who reads, as with all that have connections."""
    connect_waits: str = "the peer's answer"
    """What a blocking ``connect()`` waits for."""
    operates: bool = False
    """Whether ``accept()`` on a bound socket gives one that computes: what is sent there comes back as a result."""
    gate: tuple[str, str, bytes] | None = None
    """Level, option and value without which nothing arrives (HCI's filter is closed at first)."""
    msg_trunc: bool = True
    """Whether ``recvmsg`` takes MSG_TRUNC and then tells a message's full length; J1939 answers EINVAL."""
    snaplen: int = 65536
    """The longest message that one read takes, in bytes."""
    help: str = ""
    availability: str = ""
    """Since when kernels and Pythons have it, where that is later than for the family."""
    try_it: str = ""
    """A shell command that makes traffic for a bound or listening socket; ``{host}`` and the like are its fields."""

    @property
    def type_number(self) -> int:
        return number(self.type)

    @property
    def proto_number(self) -> int:
        return number(self.proto)

    @property
    def gathers(self) -> bool:
        """Whether messages gather in the kernel while nobody reads, and their senders go on."""
        return self.messages and not (self.connections or self.sender_waits)

    def answers_to(self, name: str) -> bool:
        """Whether a person means this protocol by ``name`` (any case; the short name or a constant's)."""
        names = {self.name, self.type}
        if self.proto != "0":
            names |= {self.proto, self.proto.partition("_")[2]}
        return name.upper() in {each.upper() for each in names}
