"""What is told of a protocol and of a field: nothing that a person would need is missing."""

from __future__ import annotations

import pytest

from sockexplorer.core.about import about_field, about_protocol
from sockexplorer.core.family import Family
from sockexplorer.core.payload import PayloadError
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families, find

EVERY = [(each, protocol) for each in all_families() for protocol in each.protocols]


@pytest.mark.parametrize(("each", "protocol"), EVERY, ids=lambda value: getattr(value, "name", ""))
def test_every_protocol_is_told_of(each: Family, protocol: Protocol) -> None:
    sections = dict(about_protocol(each, protocol))
    for heading in ("", "The address", "For example", "Where it is available", "Rights", "What usually goes wrong"):
        assert sections[heading], heading
        assert all(sections[heading]), heading
    assert sections["What an error means here"]
    assert each.constant in sections["Where it is available"][0]
    for field in each.fields(protocol):
        assert any(line.startswith(field.name) for line in sections["The address"])
        own = dict(about_field(each, protocol, field))
        assert own[""][0].endswith(".")
        assert own["What usually goes wrong"]


def test_a_right_that_is_needed_is_named() -> None:
    assert "CAP_NET_RAW" in dict(about_protocol(*find("packet/raw")))["Rights"][0]
    assert "none" in dict(about_protocol(*find("inet/udp")))["Rights"][0]


def test_how_payloads_are_written_is_told_and_true() -> None:
    noted = [(each, protocol) for each, protocol in EVERY if protocol.notation]
    assert {f"{each.name}/{protocol.name}" for each, protocol in noted} == {"can/raw", "can/bcm"}
    for each, protocol in noted:
        assert protocol.notation in dict(about_protocol(each, protocol))["Payloads may be written as"][0]
        assert each.read_payload(protocol, protocol.notation)
    with pytest.raises(PayloadError, match="no notation"):
        find("inet/udp")[0].read_payload(find("inet/udp")[1], "x")


def test_the_plain_form_stands_beside_the_literal_where_there_is_one() -> None:
    assert dict(about_protocol(*find("inet6/udp")))["For example"] == [
        "('::1', 9999)",
        "[::1]:9999   (as it may be typed)",
    ]
