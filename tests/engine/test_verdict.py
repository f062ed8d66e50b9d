"""The verdict is this interpreter's own, the declaration agrees with it, and nobody is asked for a name."""

from __future__ import annotations

import ast
import os
import socket
from typing import Any

import pytest
from addresses import ANYTHING, GOOD
from hypothesis import given
from hypothesis import strategies as st
from support import descriptors

from sockexplorer.core.family import Family
from sockexplorer.core.verdict import Verdict
from sockexplorer.engine.verdict import ask_cpython, judge
from sockexplorer.families import all_families, family, find

every_family = pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)


def parser_has(each: Family) -> bool:
    """Whether this interpreter was built with the family."""
    try:
        ask_cpython(each.number, 1, each.protocols[0].proto_number, None)
    except LookupError:
        return False
    return not each.foreign


KNOWN = [each for each in all_families() if parser_has(each)]
every_known_family = pytest.mark.parametrize("each", KNOWN, ids=lambda each: each.name)
NAMES = [
    ".",
    "localhost",
    "no-such-host.invalid",
    "example.com",
    b"no-such-host.invalid",
    "münchen.invalid",
    "a_b",
    "x.",
]


@pytest.fixture
def no_lookups(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let numbers through `getaddrinfo`, and nothing else; what it was asked is kept."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def guarded(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        asked.append(host)
        assert flags & socket.AI_NUMERICHOST, f"a resolver would have been asked for {host!r}"
        return real(host, port, family, type, proto, flags)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    return asked


@every_known_family
@given(address=ANYTHING)
def test_the_verdict_is_the_parsers_with_a_reason(each: Family, address: object) -> None:
    protocol = each.protocols[-1]
    refused = ask_cpython(each.number, protocol.type_number, protocol.proto_number, each.without_lookup(address))
    for role in ("local", "remote"):
        verdict = judge(each, protocol, address, role)  # type: ignore[arg-type]
        assert verdict.accepted == (refused is None)
        assert verdict.exception == (type(refused).__name__ if refused else None)
        assert verdict.sentence()
        assert verdict.accepted or verdict.reason


@every_family
@given(data=st.data())
def test_it_travels_as_json(each: Family, data: st.DataObject) -> None:
    address = data.draw(GOOD[each.constant])
    verdict = judge(each, each.protocols[0], address, "local")
    assert verdict.accepted
    assert verdict.sockaddr == each.pack(each.protocols[0], address)
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("host", NAMES, ids=repr)
@pytest.mark.parametrize("name", ["inet", "inet6"])
def test_a_name_is_accepted_with_a_warning_and_never_looked_up(
    name: str, host: object, no_lookups: list[object]
) -> None:
    # A lookup by the C parser would be a gaierror for the names that do not exist, so acceptance proves its absence.
    verdict = judge(family(name), family(name).protocols[0], (host, 80), "remote")
    assert verdict.accepted, verdict
    assert verdict.sockaddr is None
    assert [each.field for each in verdict.notices] == ["host"]
    assert "lookup" in verdict.notices[0].text
    assert no_lookups


@given(address=ANYTHING | GOOD["AF_INET"] | GOOD["AF_INET6"])
def test_no_address_is_looked_up(no_lookups: list[object], address: object) -> None:
    for each in all_families():
        judge(each, each.protocols[0], address, "local")


class Elsewhere(type(find("inet/udp")[0])):  # type: ignore[misc]
    """AF_INET under a number that no interpreter knows: the declaration has to decide alone."""

    constant = "250"


def test_where_the_interpreter_lacks_the_family_the_declaration_decides() -> None:
    each = Elsewhere()
    good = judge(each, each.protocols[0], ("127.0.0.1", 80), "remote")
    assert (good.accepted, good.decided_by) == (True, "model")
    bad = judge(each, each.protocols[0], ("127.0.0.1", 70000), "remote")
    assert (bad.accepted, bad.decided_by, bad.field) == (False, "model", "port")


def test_a_family_that_the_parser_does_not_know_is_no_verdict() -> None:
    with pytest.raises(LookupError, match="bad family"):
        ask_cpython(250, 1, 0, ("x", 1))


def test_asking_leaves_no_descriptor_behind() -> None:
    before = descriptors(os.getpid())
    for each in all_families():
        for address in (ast.literal_eval(each.example(each.protocols[0])), ("127.0.0.1", 70000), None, "x" * 200):
            judge(each, each.protocols[0], address, "local")
    assert descriptors(os.getpid()) == before
