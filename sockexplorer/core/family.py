"""What there is to know of an address family, as a declaration.

The form, the verdict, the code generator, the doctor, the engine and the command line all read it. A family is one
file in `sockexplorer.families` with a module-level ``FAMILY``; nothing else needs an edit.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sockexplorer.core.advice import Advice, AdviceTable, look_up
from sockexplorer.core.constants import number
from sockexplorer.core.demo import Demo
from sockexplorer.core.faults import FieldError, Notice, Raises, typed
from sockexplorer.core.fields import Field
from sockexplorer.core.general_advice import general_advice
from sockexplorer.core.interpreter import RUNNING, Interpreter
from sockexplorer.core.literal import travelling_literal
from sockexplorer.core.payload import PayloadError
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.sockaddr import Layout, Row


class Family:
    """One address family, as the ``python`` that it is made for sees it.

    Subclasses declare; most override `fields`, `pack` and `unpack` only.
    """

    constant: str
    title: str
    summary: str
    availability: str = "Linux"
    systems: tuple[str, ...] = ("linux",)
    """What ``sys.platform`` begins with where it exists; empty for every system."""
    since: tuple[int, ...] = (3, 11)
    """The first Python whose ``socket`` has it; (3, 11), the oldest that this project runs on, or later."""
    help: str = ""
    pitfalls: tuple[str, ...] = ()
    """What usually goes wrong, a sentence each."""
    protocols: tuple[Protocol, ...]
    modules: tuple[str, ...] = ()
    shape: str = ""
    """CPython's words for a tuple of another length, such as ``AF_NETLINK address must be a pair (pid, groups)``."""
    by_bytes: bool = False
    """Whether its addresses go to libc as bytes, whatever Python knows of the family (`core.numbered`)."""
    called: str = ""
    """What CPython's messages call it, where that is another family: the branch of the parser is shared."""
    names_no_call: bool = False
    """Whether CPython's messages name ``getsockaddrarg`` instead of the method that was called."""
    demos: Mapping[str, Demo] = {}
    """Demonstrations by the name of the protocol."""
    advice: AdviceTable = {}
    """Explanations by (operation or ``*``, errno name) that are truer here than the general ones."""
    protocol_advice: Mapping[str, AdviceTable] = {}
    """Those that are truer than the family's for one of its protocols, by the protocol's name."""

    def __init__(self, python: Interpreter = RUNNING) -> None:
        self.python = python

    @property
    def number(self) -> int:
        return number(self.constant)

    @property
    def foreign(self) -> bool:
        """Whether this system can't have it: its number means something else here."""
        return bool(self.systems) and not sys.platform.startswith(self.systems)

    @property
    def name(self) -> str:
        """``inet`` for AF_INET: what people type on a command line."""
        return self.constant.partition("_")[2].lower()

    def protocol(self, name: str) -> Protocol:
        """The protocol that ``name`` stands for. Raises KeyError naming the ones there are."""
        for protocol in self.protocols:
            if protocol.name == name.lower():
                return protocol
        for protocol in self.protocols:
            if protocol.answers_to(name):
                return protocol
        known = ", ".join(protocol.name for protocol in self.protocols)
        raise KeyError(f"{self.constant} has no protocol {name!r}; it has {known}")

    def protocol_of(self, kind: int, proto: int) -> Protocol | None:
        """The protocol that ``socket(family, kind, proto)`` opens; one like it, with the number as its name, else.

        None where the parser refuses every address for want of the protocol (`unsupported`).
        """
        if self.unsupported(proto) is not None:
            return None
        same = [each for each in self.protocols if each.type_number == kind]
        for each in same:
            if each.proto_number == proto or proto in each.proto_choices.values():
                return each
        any_type = [each for each in self.protocols if each.proto_number == proto]
        # 0 is the type's default, and what is not declared has no hints of its own.
        nearest = (same or list(self.protocols))[0]
        if proto == 0 or nearest.proto_choices:
            return nearest
        return any_type[0] if any_type and not same else replace(nearest, name=str(proto), proto=str(proto))

    def unsupported(self, proto: int) -> Raises | None:
        """What the parser raises for a protocol number that it has no case for; None where it looks at none."""
        return None

    # --- the address ---------------------------------------------------------------------------------------

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        """The elements of the address, in the order of the tuple."""
        raise NotImplementedError

    def build(self, protocol: Protocol, values: Mapping[str, object]) -> object:
        """The Python address of parsed field values; optional elements at the end are left out when default."""
        declared = list(self.fields(protocol))
        elements = [values[each.name] for each in declared]
        while declared and declared[-1].optional:
            default = declared[-1].parse(declared[-1].default)
            if elements[-1] != default or type(elements[-1]) is not type(default):
                break
            declared.pop()
            elements.pop()
        return tuple(elements)

    def texts(self, protocol: Protocol, address: object) -> dict[str, str]:
        """The field texts that build this address: the reverse of `build`. Raises `FieldError`."""
        self.check(protocol, address)
        assert isinstance(address, tuple)
        declared = self.fields(protocol)
        shown = {each.name: each.default for each in declared}
        shown |= {each.name: each.kind.show(value) for each, value in zip(declared, address, strict=False)}
        return shown

    def check(self, protocol: Protocol, address: object) -> None:
        """Raise `FieldError` where CPython's parser would refuse the address: the fault that it meets first.

        Only the kernel knows which interfaces there are, and only a resolver which hosts: neither is asked.
        """
        declared = self.fields(protocol)
        required = sum(not each.optional for each in declared)
        shape = f"({', '.join(each.name for each in declared)}{',' if len(declared) == 1 else ''})"
        if not isinstance(address, tuple):
            raise FieldError(
                "", address, f"{typed(address)} is not a tuple", f"write {shape}", self.no_tuple(protocol, address)
            )
        if not required <= len(address) <= len(declared):
            wanted = f"{required}" if required == len(declared) else f"{required} to {len(declared)}"
            raise FieldError(
                "",
                address,
                f"has {len(address)} elements, {self.constant} takes {wanted}",
                f"write {shape}",
                self.wrong_length(protocol, address),
            )
        faults = []
        for at, (each, value) in enumerate(zip(declared, address, strict=False), 1):
            try:
                each.check(value)
            except FieldError as error:
                error.raises = (error.raises or Raises("ValueError", error.reason)).at(at)
                faults.append((error.raises.phase, at, error))
        if faults:
            raise min(faults, key=lambda fault: fault[:2])[2]

    def no_tuple(self, protocol: Protocol, address: object) -> Raises:
        """What CPython raises for an address that is no tuple."""
        name = type(address).__name__
        if self.names_no_call:
            return Raises("TypeError", f"getsockaddrarg: {self.constant} address must be tuple, not {name}")
        return Raises("TypeError", f"{{call}}(): {self.called or self.constant} address must be tuple, not {name}")

    def wrong_length(self, protocol: Protocol, address: tuple[object, ...]) -> Raises:
        """What CPython raises for a tuple of another length."""
        if self.names_no_call:
            wanted = len(self.fields(protocol))
            return Raises("TypeError", f"getsockaddrarg() takes exactly {wanted} arguments ({len(address)} given)")
        return Raises("TypeError", self.shape)

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        """What is accepted but rarely meant, for an address that `check` passed."""
        if self.python.version < self.since:
            came = ".".join(map(str, self.since))
            yield Notice("", f"{self.constant} came with Python {came}; this is {self.python}")
        if isinstance(address, tuple):
            for each, value in zip(self.fields(protocol), address, strict=False):
                yield from each.notices(value)

    def without_lookup(self, address: object) -> object:
        """The address with a host name replaced by a number, so that parsing it asks no resolver."""
        return address

    def host_name(self, address: object) -> str | None:
        """The host name in the address that would have to be looked up, if there is one."""
        return None

    def with_host(self, address: object, host: str) -> object:
        """The address with its host replaced by ``host``."""
        raise NotImplementedError

    # --- what goes with a message, and what is in it -----------------------------------------------------

    def message_fields(self, protocol: Protocol, address: object) -> tuple[Field, ...]:
        """What a person says of each message besides its bytes, for a socket bound to ``address``; mostly nothing."""
        return ()

    def ancillary(self, protocol: Protocol, values: Mapping[str, object]) -> list[tuple[int, int, bytes]]:
        """The ancillary data of ``sendmsg()``, (level, type, data), that the values of `message_fields` amount to."""
        return []

    def read_payload(self, protocol: Protocol, text: str) -> bytes:
        """The bytes of a payload in the notation that `Protocol.notation` shows. Raises `PayloadError`."""
        raise PayloadError(f"{self.constant} {protocol.name} has no notation for payloads: give text or hex")

    # --- text ----------------------------------------------------------------------------------------------

    def text(self, address: object) -> str:
        """The address in a few words, for a row of traffic; not escaped, and not everything of it."""
        return repr(address)

    def row_text(self, address: object) -> str:
        """As `text`, for a row that has a sign for the direction."""
        return self.text(address)

    def plain(self, protocol: Protocol, text: str) -> object:
        """Read the plain form that people type. Raises `FieldError`."""
        raise FieldError("", text, "is not a Python literal", f"write {self.example(protocol)}")

    def example(self, protocol: Protocol) -> str:
        """An address that works, as a Python literal."""
        values = {
            each.name: each.parse(protocol.local.get(each.name) or protocol.remote.get(each.name) or each.default)
            for each in self.fields(protocol)
        }
        return repr(self.build(protocol, values))

    def read(self, protocol: Protocol, text: str) -> object:
        """Read an address as typed: a Python literal, or the plain form where it is unambiguous.

        Raises `FieldError` when it is neither; whether CPython accepts the value is another question.
        """
        stripped = text.strip()
        if stripped[:1] in ("(", "'", '"') or stripped[:2].lower() in ("b'", 'b"'):
            try:
                return travelling_literal(stripped)
            except ValueError as error:
                raise FieldError("", text, str(error), f"write {self.example(protocol)}") from None
        try:
            return self.plain(protocol, text)
        except FieldError:
            # A list, None, a number: no address, but CPython has an answer to it.
            with contextlib.suppress(ValueError):
                return travelling_literal(stripped)
            raise

    def written(self, protocol: Protocol, address: object) -> str:
        """The address as it may be typed: the plain form where `read` takes it back as the same, else the literal."""
        text = self.text(address)
        try:
            same = ascii(self.read(protocol, text)) == ascii(address)
        except (FieldError, OSError):
            same = False
        return text if same and text.isprintable() else ascii(address)

    def try_it(self, protocol: Protocol, local: object) -> str:
        """A shell command that makes traffic for a socket at ``local``, "" where none is known; not escaped."""
        try:
            return protocol.try_it.format(**self.texts(protocol, local))
        except (FieldError, KeyError, IndexError, ValueError):
            return ""

    # --- the kernel's bytes --------------------------------------------------------------------------------

    def pack(self, protocol: Protocol, address: object) -> bytes:
        """The ``sockaddr`` that CPython hands to the kernel, for a checked address with a numeric host."""
        raise NotImplementedError

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        """The Python address of a ``sockaddr``, as ``makesockaddr()`` gives it; never raises for short bytes."""
        raise NotImplementedError

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        """The C structure of these bytes."""
        raise NotImplementedError

    def rows(self, protocol: Protocol, sockaddr: bytes) -> list[Row]:
        """The ``sockaddr`` field by field: offset, size, byte order, value and meaning."""
        return self.layout(protocol, sockaddr).rows(sockaddr)

    def outgoing(self, sockaddr: bytes) -> bool:
        """Whether a received message with this address was sent by this host (AF_PACKET sees both ways)."""
        return False

    # --- what goes wrong -----------------------------------------------------------------------------------

    def explain(self, protocol: Protocol, operation: str, errno_name: str) -> Advice:
        """What an errno means here, its usual cause and what to try."""
        own = look_up((self.protocol_advice.get(protocol.name, {}), self.advice), operation, errno_name)
        return own or general_advice(self.constant, protocol, operation, errno_name, self.modules + protocol.modules)

    def explanations(self, protocol: Protocol) -> AdviceTable:
        """What is declared of a protocol's errnos, by (operation or ``*``, errno name); the general ones are not in."""
        return {**self.advice, **self.protocol_advice.get(protocol.name, {})}
