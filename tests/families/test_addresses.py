"""Addresses of every family survive the form, the kernel's bytes and the plain form."""

from __future__ import annotations

import ast

import pytest
from addresses import GOOD
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.family import Family
from sockexplorer.families import all_families

every_family = pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)


@every_family
@given(data=st.data())
def test_the_form_gives_back_what_it_was_given(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    protocol = each.protocols[0]
    each.check(protocol, address)
    texts = each.texts(protocol, address)
    assert set(texts) == {field.name for field in each.fields(protocol)}
    again = each.build(protocol, {field.name: field.parse(texts[field.name]) for field in each.fields(protocol)})
    if isinstance(address, tuple):
        given = each.fields(protocol)[len(address) :]
        assert again == address[: len(again)] if len(again) <= len(address) else not given
    assert each.pack(protocol, again) == each.pack(protocol, address)


@every_family
@given(data=st.data())
def test_the_kernels_bytes_come_back(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    packed = each.pack(each.protocols[0], address)
    found = each.unpack(each.protocols[0], packed)
    assert each.unpack(each.protocols[0], each.pack(each.protocols[0], found)) == found
    assert type(found) is type(address) or each.constant == "AF_UNIX"


@every_family
@given(data=st.data())
def test_what_is_written_is_read_as_the_same_address(each: Family, data: st.DataObject) -> None:
    for protocol in each.protocols:
        address = (
            data.draw(GOOD[each.constant])
            if protocol is each.protocols[0]
            else ast.literal_eval(each.example(protocol))
        )
        assert each.read(protocol, each.written(protocol, address)) == address
        assert each.written(protocol, address).isprintable()


@every_family
@given(data=st.data())
def test_what_a_row_shows_of_an_address_can_be_typed(each: Family, data: st.DataObject) -> None:
    """Rows leave out what is seldom of interest; what they show is read back as it was."""
    protocol = each.protocols[0]
    try:
        address = each.unpack(protocol, each.pack(protocol, data.draw(GOOD[each.constant])))
    except OSError:
        return  # an interface that this host does not have
    shown = each.text(address)
    if each.name == "alg" or "\0" in shown:
        return  # a name with a colon in it is ambiguous, and no algorithm has one
    assert each.text(each.read(protocol, shown)) == shown


@every_family
def test_what_a_row_shows_of_an_example_can_be_typed(each: Family) -> None:
    for protocol in each.protocols:
        shown = each.text(ast.literal_eval(each.example(protocol)))
        assert each.text(each.read(protocol, shown)) == shown
