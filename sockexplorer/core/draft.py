"""A draft: what a person has typed into the form so far, and the endpoint that it amounts to."""

from __future__ import annotations

from dataclasses import dataclass, field

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.protocol import Operation, Option, Protocol, Role
from sockexplorer.core.seconds import Seconds

ROLES: tuple[Role, ...] = ("local", "remote")


@dataclass
class Draft:
    """The texts of a form. ``texts`` by role and field name; ``options`` by name, "" leaves one alone."""

    family: Family
    protocol: Protocol
    texts: dict[Role, dict[str, str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    proto: str = ""
    timeout: str = ""
    """How long a call may wait, as of ``settimeout()``; "" for a socket that blocks."""
    bind_first: bool = False
    """Whether connect binds the local address before."""
    wanted: Operation | None = None
    """What the person means to do with it, as far as that shows: by what was typed, pasted or done last."""

    @classmethod
    def fresh(cls, family: Family, protocol: Protocol) -> Draft:
        """The form as it is offered at first."""
        draft = cls(family, protocol, proto=protocol.proto)
        for role in ROLES:
            given = protocol.local if role == "local" else protocol.remote
            draft.texts[role] = {
                each.name: given.get(each.name, each.default if each.optional or given else "")
                for each in family.fields(protocol)
            }
        draft.options = {
            option.name: "" if option.default is None else option_field(option).kind.show(option.default)
            for option in protocol.options
        }
        return draft

    # --- the address ---------------------------------------------------------------------------------------

    @property
    def roles(self) -> tuple[Role, ...]:
        """The addresses that the form asks for: those that some operation uses."""
        operations = self.protocol.operations
        used: tuple[tuple[Role, bool], ...] = (
            ("local", "bind" in operations or "listen" in operations),
            ("remote", "connect" in operations),
        )
        return tuple(role for role, needed in used if needed)

    def fields(self) -> tuple[Field, ...]:
        """The fields of each address."""
        return self.family.fields(self.protocol)

    def faults(self, role: Role) -> list[FieldError]:
        """What is wrong with an address, field by field; then what is wrong with it as a whole."""
        found = []
        for each in self.fields():
            try:
                each.parse(self.texts[role][each.name])
            except FieldError as error:
                found.append(error)
        if not found:
            try:
                self.address(role)
            except FieldError as error:
                found.append(error)
        return found

    def setting_faults(self) -> list[FieldError]:
        """What is wrong beside the addresses: the protocol number, an option's value."""
        found = []
        for read in (self.proto_number, self.set_options, self.seconds):
            try:
                read()
            except FieldError as error:
                found.append(error)
        return found

    def address(self, role: Role) -> object:
        """The Python address. Raises `FieldError`."""
        values = {each.name: each.parse(self.texts[role][each.name]) for each in self.fields()}
        address = self.family.build(self.protocol, values)
        self.family.check(self.protocol, address)
        return address

    def named_host(self, role: Role) -> tuple[str, int] | None:
        """An address with the host name that would be looked up, whatever the other fields hold; None without one."""
        host = self.texts[role].get("host", "").strip()
        return (host, 0) if self.family.host_name((host, 0)) is not None else None

    def fill(self, role: Role, address: object) -> None:
        """Take over an address that exists. Raises `FieldError`."""
        self.texts[role] = self.family.texts(self.protocol, address)

    def adopt(
        self, local: object, remote: object, proto: int | None = None, options: tuple[SetOption, ...] = (),
        *, wanted: Operation | None = None, either: bool = False,
    ) -> None:  # fmt: skip
        """Take over what is known of an endpoint; None for an address that is not. Raises `FieldError`.

        ``either`` tells that the one address there is may be meant both ways: to be bound here, or to be reached.
        """
        if either:
            local = remote = remote if local is None else local
        given: dict[Role, object] = {"local": local, "remote": remote}
        for role in self.roles:
            if given[role] is not None:
                self.fill(role, given[role])
        self.bind_first = not either and local is not None and remote is not None
        self.wanted = wanted if wanted in self.protocol.operations else None
        if proto is not None and self.protocol.proto_choices:
            self.proto = proto_field(self.protocol).kind.show(proto)
        declared = {option.name: option for option in self.protocol.options}
        self.options |= {
            each.name: option_field(declared[each.name]).kind.show(each.value)
            for each in options
            if each.name in declared
        }

    def missing(self, role: Role) -> list[str]:
        """The fields of an address that have to be filled in still."""
        return [
            each.name
            for each in self.fields()
            if not each.optional and not self.texts[role][each.name].strip()
            if not _takes_empty(each) or (role == "remote" and each.names_a_peer)
        ]

    # --- what it amounts to --------------------------------------------------------------------------------

    def proto_number(self) -> int | None:
        """The protocol number where a person may pick one, else None. Raises `FieldError`."""
        if not self.protocol.proto_choices:
            return None
        field_ = proto_field(self.protocol)
        value = field_.parse(self.proto)
        assert isinstance(value, int)
        return value

    def seconds(self) -> float | None:
        """The timeout. Raises `FieldError`."""
        value = TIMEOUT.parse(self.timeout)
        assert value is None or isinstance(value, float)
        return value

    def set_options(self) -> tuple[SetOption, ...]:
        """The options that are set to something. Raises `FieldError`."""
        return tuple(
            SetOption(option.level, option.name, option_value(option, text))
            for option in self.protocol.options
            if (text := self.options.get(option.name, "").strip())
        )

    def needs(self, operation: Operation) -> tuple[Role, ...]:
        """The addresses that an operation uses."""
        if operation == "connect":
            return ("local", "remote") if self.bind_first else ("remote",)
        return () if operation == "open" else ("local",)

    def obstacle(self, operation: Operation) -> FieldError | None:
        """Why an operation is not possible with what the form holds; None when it is."""
        if operation not in self.protocol.operations:
            return FieldError("", operation, f"{self.protocol.type} sockets of {self.family.constant} don't do that")
        for role in self.needs(operation):
            if missing := self.missing(role):
                return FieldError(missing[0], "", "is empty", "fill it in")
        try:
            self.endpoint(operation)
        except FieldError as error:
            return error
        return None

    def endpoint(self, operation: Operation) -> Endpoint:
        """The endpoint to open. Raises `FieldError`."""
        used = self.needs(operation)
        return Endpoint(
            family=self.family.constant,
            protocol=self.protocol.name,
            operation=operation,
            local=self.address("local") if "local" in used else None,
            remote=self.address("remote") if "remote" in used else None,
            options=self.set_options(),
            proto=self.proto_number(),
            timeout=self.seconds(),
        )


TIMEOUT = Field(
    "timeout", Seconds(), "", "blocking; or seconds, 0 for a socket that does not block",
    pitfall="A timeout is Python's own: the kernel's socket does not block then.",
)  # fmt: skip


def _takes_empty(field_: Field) -> bool:
    try:
        field_.parse("")
    except FieldError:
        return False
    return True


def proto_field(protocol: Protocol) -> Field:
    """The field for the protocol number of a raw socket."""
    kind = Integer(0, 255, names=protocol.proto_choices)
    return Field("protocol", kind, protocol.proto, "the protocol number, which is socket()'s third argument")


def option_field(option: Option) -> Field:
    """The field for the value of an option."""
    return Field(option.name, option.kind or Integer(-(2**31), 2**31 - 1), "", option.help)


def option_value(option: Option, text: str) -> int | bytes:
    """The value of an option as typed. Raises `FieldError`."""
    value = option_field(option).parse(text)
    assert isinstance(value, int | bytes)
    return value
