"""What CPython's C parser said of 434 addresses, against the interpreter here and against the declarations.

``address_vectors.jsonl`` holds one case a line: ``expect`` is "accept" or the exception of 3.11 to 3.13, ``variants``
say what later versions do, ``sockaddr_hex`` the bytes that the parser of 3.14 made. ``address`` is an expression; the
names that are no literals stand for odd objects (`NAMESPACE`).
"""

from __future__ import annotations

import array
import collections
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from agreement import Index, Pair, Text

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.interpreter import RUNNING, Interpreter
from sockexplorer.core.verdict import Verdict
from sockexplorer.engine.verdict import judge, judge_unknown, judge_unsupported
from sockexplorer.families import family

VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("address_vectors.jsonl").read_text().splitlines()
]


class Bytes(bytes):
    """A subclass of bytes."""


class IntOnly:
    """Something with ``__int__`` but no ``__index__``."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __int__(self) -> int:
        return self.value


class Idx(Index):
    """Something with ``__index__``, under the name that stands in the messages."""


NAMESPACE = {
    "Path": PurePosixPath, "array": array.array, "S": Text, "T": Pair, "B": Bytes, "Idx": Idx, "IntOnly": IntOnly,
    "NT": collections.namedtuple("NT", "host port"),
}  # fmt: skip


def expected(vector: dict[str, Any], python: Interpreter) -> tuple[str, str | None]:
    """("accept" or an exception, what its message matches) for a version of Python."""
    for variant in vector.get("variants", ()):
        if python.version >= tuple(map(int, variant["python"].removeprefix(">=").split("."))):
            return variant["expect"], variant.get("message_regex")
    return vector["expect"], vector.get("message_regex")


def matches(vector: dict[str, Any], verdict: Verdict, python: Interpreter) -> bool:
    expect, message = expected(vector, python)
    if verdict.accepted or expect == "accept":
        return verdict.accepted == (expect == "accept")
    # connect_ex and sendmsg are named by the method that a person called, which is not this test's matter.
    said = re.sub(r"^(bind|connect)\(\)", f"{vector['call']}()", verdict.message)
    return verdict.exception == expect and (message is None or re.search(message, said) is not None)


def evaluate(vector: dict[str, Any]) -> object:
    return eval(vector["address"], dict(NAMESPACE))


def a_case(vector: dict[str, Any]) -> bool:
    """Whether the case depends on no resolver, and on no interface but lo."""
    return "lookup" not in vector and "sockexplorer000" not in str(vector.get("env"))


CASES = [vector for vector in VECTORS if a_case(vector)]
every_case = pytest.mark.parametrize("vector", CASES, ids=lambda vector: vector["id"])


@every_case
def test_this_interpreter(vector: dict[str, Any]) -> None:
    address, kind = evaluate(vector), number(vector["type"])
    proto = number(vector["proto"]) if isinstance(vector["proto"], str) else vector["proto"]
    if isinstance(vector["family"], int):
        assert matches(vector, judge_unknown(vector["family"], kind, proto, address, "local"), RUNNING)
        return
    each = family(vector["family"])
    protocol = each.protocol_of(kind, proto)
    if protocol is None:
        assert matches(vector, judge_unsupported(each, proto, address, "local"), RUNNING)
        return
    verdict = judge(each, protocol, address, "local", proto)
    assert matches(vector, verdict, RUNNING), verdict
    assert verdict.accepted or verdict.reason
    if verdict.accepted and "sockaddr_hex" in vector:
        assert verdict.sockaddr is not None
        written_over = protocol.name == "hci" and RUNNING.version < (3, 14)
        wide = 4 if written_over else len(verdict.sockaddr)  # the channel too, which 3.14 no longer does
        assert verdict.sockaddr.hex()[: 2 * wide] == vector["sockaddr_hex"][: 2 * wide]


def model(each: Family, vector: dict[str, Any]) -> Verdict:
    """The verdict of the declaration alone."""
    proto = number(vector["proto"]) if isinstance(vector["proto"], str) else vector["proto"]
    protocol = each.protocol_of(number(vector["type"]), proto)
    if protocol is None:
        raises = each.unsupported(proto)
        assert raises is not None
        return Verdict(False, "model", raises.exception, raises.text("bind"))
    try:
        each.check(protocol, evaluate(vector))
    except FieldError as error:
        if error.raises is not None:
            return Verdict(False, "model", error.raises.exception, error.raises.text("bind"))
    return Verdict(True, "model")


@pytest.mark.parametrize("python", [Interpreter((3, 11)), Interpreter((3, 13)), Interpreter((3, 14))], ids=str)
@every_case
def test_the_declaration_by_version(vector: dict[str, Any], python: Interpreter) -> None:
    if isinstance(vector["family"], int):
        return  # nobody declared it
    if "No such device" in vector.get("message_regex", ""):
        return  # only the kernel knows its interfaces
    verdict = model(type(family(vector["family"]))(python), vector)
    assert matches(vector, verdict, python), verdict
