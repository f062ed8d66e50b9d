"""A draft: whatever is typed, it says what is wrong or gives an endpoint; what it is filled with comes back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.draft import Draft, option_value, proto_field
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Operation, Protocol
from sockexplorer.families import all_families, find

EVERY = [(family, protocol) for family in all_families() for protocol in family.protocols]
NAMES = [f"{family.name}/{protocol.name}" for family, protocol in EVERY]
OPERATIONS: tuple[Operation, ...] = ("bind", "connect", "listen", "open")
TEXTS = (
    st.text(max_size=20)
    | st.sampled_from(["", "0", "-1", "65536", "0x10", "010", "127.0.0.1", "::1", "@x", "lo", "LINK|2", "9" * 5000])
)  # fmt: skip


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """A form in which anything may stand anywhere."""
    draft = Draft.fresh(*draw(st.sampled_from(EVERY)))
    for role in draft.roles:
        for field in draft.fields():
            if draw(st.booleans()):
                draft.texts[role][field.name] = draw(TEXTS)
    for option in draft.options:
        if draw(st.booleans()):
            draft.options[option] = draw(TEXTS)
    if draw(st.booleans()):
        draft.proto = draw(TEXTS)
    draft.bind_first = draw(st.booleans())
    return draft


@given(drafts())
def test_whatever_is_typed_is_refused_or_an_endpoint(draft: Draft) -> None:
    for operation in OPERATIONS:
        obstacle = draft.obstacle(operation)
        if obstacle is not None:
            assert str(obstacle).isprintable(), "a reason that can be shown"
            continue
        endpoint = draft.endpoint(operation)
        assert endpoint.operation == operation
        assert (endpoint.local is None) == ("local" not in draft.needs(operation))
        assert (endpoint.remote is None) == ("remote" not in draft.needs(operation))
        assert Endpoint.from_json(endpoint.to_json()) == endpoint


@given(drafts())
def test_a_form_without_faults_has_an_address_or_says_why_not(draft: Draft) -> None:
    for role in draft.roles:
        faults = draft.faults(role)
        draft.missing(role)
        try:
            address = draft.address(role)
        except FieldError:
            assert faults, "what is wrong is said before it is asked for"
            continue
        assert not faults
        other = Draft.fresh(draft.family, draft.protocol)
        other.fill(role, address)
        assert other.address(role) == address, "filled in, it comes back"


@pytest.mark.parametrize(("family", "protocol"), EVERY, ids=NAMES)
def test_the_form_as_offered_can_be_opened_with_enter(family: Family, protocol: Protocol) -> None:
    draft = Draft.fresh(family, protocol)
    assert protocol.operations, "there is something to do"
    assert draft.obstacle(protocol.operations[0]) is None, draft.obstacle(protocol.operations[0])
    if "local" in draft.needs(protocol.operations[0]):
        assert not draft.faults("local")
        assert not draft.missing("local")


@pytest.mark.parametrize(("family", "protocol"), EVERY, ids=NAMES)
def test_what_the_protocol_does_not_do_is_refused_with_a_reason(family: Family, protocol: Protocol) -> None:
    draft = Draft.fresh(family, protocol)
    for operation in set(OPERATIONS) - set(protocol.operations):
        obstacle = draft.obstacle(operation)
        assert obstacle is not None
        assert "don't do that" in str(obstacle)


def test_connect_needs_the_local_address_only_when_it_binds_first() -> None:
    draft = Draft.fresh(*find("inet/udp"))
    assert not draft.missing("local")
    assert draft.missing("remote")
    draft.texts["remote"]["port"] = "53"
    draft.texts["local"]["port"] = "nonsense"
    assert draft.endpoint("connect").local is None
    draft.bind_first = True
    obstacle = draft.obstacle("connect")
    assert obstacle is not None
    assert obstacle.field == "port"
    draft.texts["local"]["port"] = "0"
    assert draft.endpoint("connect").local == ("127.0.0.1", 0)


def test_options_are_left_alone_unless_something_stands_there() -> None:
    draft = Draft.fresh(*find("inet/tcp"))
    assert [(each.name, each.value) for each in draft.set_options()] == [("SO_REUSEADDR", 1)]
    draft.options["SO_REUSEADDR"] = " "
    assert draft.set_options() == ()
    draft.options["TCP_NODELAY"] = "yes"
    obstacle = draft.obstacle("listen")
    assert obstacle is not None
    assert obstacle.field == "TCP_NODELAY"
    assert [each.field for each in draft.setting_faults()] == ["TCP_NODELAY"]


def test_the_protocol_number_is_chosen_where_there_is_a_choice() -> None:
    draft = Draft.fresh(*find("inet/raw"))
    assert draft.proto_number() == 1
    draft.proto = "IPPROTO_UDP"
    assert draft.endpoint("bind").proto == 17
    draft.proto = "256"
    with pytest.raises(FieldError, match="protocol"):
        draft.proto_number()
    assert Draft.fresh(*find("inet/udp")).proto_number() is None
    assert proto_field(draft.protocol).parse("6") == 6


@given(st.text(max_size=10))
def test_an_option_is_an_int_or_refused(text: str) -> None:
    option = find("inet/udp")[1].options[0]
    with contextlib.suppress(FieldError):
        assert -(2**31) <= option_value(option, text) < 2**31
