"""What every declared family keeps, whichever it is: a new file in ``families`` is held to this at once."""

from __future__ import annotations

import ast
import errno
import socket
from pathlib import Path

import pytest
from addresses import ANYTHING
from family_tables import explains, misreads, packs, reads, refuses, warns
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.payload import from_text
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.verdict import judge
from sockexplorer.families import all_families, family, find

FAMILIES = (*all_families(), family("15"), family("2"))
PROTOCOLS = [(each, protocol) for each in FAMILIES for protocol in each.protocols]
every_family = pytest.mark.parametrize("each", FAMILIES, ids=lambda each: each.name)
every_protocol = pytest.mark.parametrize(
    ("each", "protocol"), PROTOCOLS, ids=[f"{each.name}-{protocol.name}" for each, protocol in PROTOCOLS]
)


def test_the_families_of_the_reference() -> None:
    promised = {
        "AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_TIPC", "AF_CAN", "PF_SYSTEM", "AF_BLUETOOTH", "AF_ALG",
        "AF_VSOCK", "AF_PACKET", "AF_QIPCRTR", "AF_RDS", "AF_HYPERV", "AF_DIVERT",
    }  # fmt: skip
    assert promised <= {each.constant for each in FAMILIES}
    assert len({each.name for each in FAMILIES}) == len(FAMILIES)


@every_family
def test_a_family_says_what_it_is(each: Family) -> None:
    assert each.title
    assert each.summary
    assert each.help.endswith(".")
    assert each.availability
    assert each.pitfalls
    assert all(pitfall.endswith(".") for pitfall in each.pitfalls)
    assert each.number == getattr(socket, each.constant, each.number) > 0
    names = [protocol.name for protocol in each.protocols]
    assert len(set(names)) == len(names) > 0
    assert all(name == name.lower() for name in names)


@every_family
def test_its_own_facts_are_tested_beside_it(each: Family) -> None:
    """``families/unix.py`` has ``tests/families/test_unix.py``: what people type, what is odd, the kernel's bytes."""
    beside = Path(__file__).with_name(f"test_{type(each).__module__.rpartition('.')[2]}.py")
    assert beside.is_file(), f"write {beside}, with the tables of tests/family_tables.py"
    text = beside.read_text()
    for table in (reads, misreads, refuses, warns, packs, explains):
        assert f"= {table.__name__}(" in text, f"{beside.name} has no table that {table.__name__}"


@every_family
def test_a_family_is_found_under_its_names(each: Family) -> None:
    for name in (each.name, each.constant, each.constant.lower(), each.constant.replace("AF_", "PF_", 1)):
        assert family(name) is each
    assert find(each.name) == (each, each.protocols[0])
    with pytest.raises(KeyError, match="has no protocol 'nonesuch'"):
        each.protocol("nonesuch")


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"inet.*unix"):
        family("AF_NONESUCH")


@every_protocol
def test_a_protocol_is_complete(each: Family, protocol: Protocol) -> None:
    assert protocol.summary
    assert protocol.help.endswith(".")
    assert protocol.operations
    assert protocol.connections == ("listen" in protocol.operations)
    assert protocol.type_number > 0
    assert protocol.proto_number >= 0
    assert protocol.snaplen > 0
    assert isinstance(from_text(protocol.sample), bytes)
    assert find(f"{each.constant}/{protocol.name.upper()}") == (each, protocol)
    if protocol.proto_choices:
        assert protocol.proto_number in protocol.proto_choices.values()
    for option in protocol.options:
        assert number(option.level) >= 0
        assert number(option.name) > 0
        assert option.help


@every_protocol
def test_its_fields_and_defaults(each: Family, protocol: Protocol) -> None:
    fields = each.fields(protocol)
    names = [field.name for field in fields]
    assert len(set(names)) == len(names) > 0
    for field in fields:
        assert field.help
        assert field.pitfall.endswith("."), field.name
        assert field.kind.takes()
        field.check(field.parse(field.default))
    optional = [field.optional for field in fields]
    assert optional == sorted(optional), "an optional element stands before one that is needed"
    for texts in (protocol.local, protocol.remote):
        assert set(texts) <= set(names)
        for field in fields:
            if texts.get(field.name):
                field.parse(texts[field.name])


@every_protocol
def test_its_example_is_accepted(each: Family, protocol: Protocol) -> None:
    address = ast.literal_eval(each.example(protocol))
    assert each.read(protocol, each.example(protocol)) == address
    # The parser looks interfaces up: any that is there stands for the example's.
    if isinstance(address, tuple):
        address = tuple("lo" if element == "vcan0" else element for element in address)
    written = socket.AF_INET if each.constant == "AF_RDS" else each.number  # CPython's own choice for RDS
    for role in ("local", "remote"):
        verdict = judge(each, protocol, address, role)  # type: ignore[arg-type]
        assert verdict.accepted, verdict.sentence()
        assert verdict.decided_by == ("cpython" if hasattr(socket, each.constant) and not each.by_bytes else "model")
        if not each.foreign:
            assert verdict.sockaddr is not None
            assert verdict.sockaddr[:2] == written.to_bytes(2, "little")


@every_protocol
@pytest.mark.parametrize("operation", ["socket", "setsockopt", "bind", "listen", "connect", "accept", "send", "read"])
def test_it_explains_what_goes_wrong(each: Family, protocol: Protocol, operation: str) -> None:
    for name in (
        "EACCES", "EPERM", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ECONNREFUSED",
        "ENETUNREACH", "ETIMEDOUT", "EINVAL", "ENODEV", "ENOENT", "EMSGSIZE", "ENOBUFS", "EMFILE", "EXDEV", "E_UNKNOWN",
    ):  # fmt: skip
        advice = each.explain(protocol, operation, name)
        assert advice.what.endswith("."), (name, advice)
        assert "{" not in advice.what + "".join(advice.fixes)
        assert "setcap" not in " ".join(advice.fixes)
    assert each.explain(protocol, operation, "EADDRINUSE").fixes


@every_protocol
def test_a_missing_right_names_the_right(each: Family, protocol: Protocol) -> None:
    if protocol.privilege:
        advice = each.explain(protocol, "socket", errno.errorcode[errno.EPERM])
        assert protocol.privilege in advice.what
        assert any("unshare" in fix for fix in advice.fixes)


@every_family
@given(data=st.binary(max_size=140))
def test_unpack_and_text_take_any_bytes(each: Family, data: bytes) -> None:
    for sockaddr in (data, each.number.to_bytes(2, "little") + data):
        address = each.unpack(each.protocols[0], sockaddr)
        assert isinstance(each.text(address), str)
        assert ast.literal_eval(repr(address)) == address
        assert each.outgoing(sockaddr) in (True, False)


@every_family
@given(address=ANYTHING)
def test_text_takes_any_address(each: Family, address: object) -> None:
    assert isinstance(each.text(address), str)


@every_family
@given(text=st.text(max_size=30) | st.from_regex(r"[\[\]:@%|.0-9a-fx(),'\\ ]{0,20}", fullmatch=True))
def test_what_is_typed_is_read_or_a_field_error(each: Family, text: str) -> None:
    for protocol in each.protocols:
        for field in each.fields(protocol):
            try:
                field.check(field.parse(text))
            except FieldError as error:
                assert (error.field, bool(error.reason)) == (field.name, True)  # noqa: PT017 - no other is right
        try:
            address = each.read(protocol, text)
            assert ast.literal_eval(repr(address)) == address
        except FieldError as error:
            assert str(error)  # noqa: PT017 - either outcome is right, no other is


@pytest.mark.parametrize(
    "text",
    ["('127.0.0.1', 1e999)", "({[]: 1},)", "(" * 500, "'\\d'", "('a', " + "0x" + "f" * 9000 + ")", "('\0', 1)", "b'"],
)
@every_family
def test_a_literal_that_goes_nowhere(each: Family, text: str, recwarn: pytest.WarningsRecorder) -> None:
    try:
        assert each.read(each.protocols[0], text) == "\\d"
    except FieldError as error:
        assert error.reason  # noqa: PT017 - a warning on the terminal or another exception is what must not come
    assert not recwarn


@pytest.mark.parametrize("text", ["0" * 5000, "1" * 5000, "0" + "1" * 5000, "٣", "0٣", "1_0", "089", "0x", "-", "|"])
@every_family
def test_odd_numbers_in_every_field(each: Family, text: str) -> None:
    for protocol in each.protocols:
        for field in each.fields(protocol):
            try:
                field.parse(text)
            except FieldError as error:
                assert "0o89" not in str(error)  # noqa: PT017


def test_a_number_too_long_to_be_written_is_still_refused_as_a_field_error() -> None:
    for each in FAMILIES:
        for address in (("127.0.0.1", 1 << 40000), (1 << 40000, "x"), 1 << 40000, ("::1", 1, 1 << 40000)):
            try:
                each.check(each.protocols[0], address)
            except FieldError as error:
                assert len(str(error)) < 300  # noqa: PT017 - a wrapping element takes it, every other refuses it so
            else:
                assert each.name == "inet6"
