"""``check --jsonl``: a question a line, an answer a line, whatever the lines hold."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.cli.group import cli
from sockexplorer.engine.batch import answer

KEYS = {"verdict", "exception", "message", "field", "reason", "remedy", "warnings", "decided_by", "sockaddr"}
VECTORS = Path(__file__).parents[1] / "families" / "address_vectors.jsonl"
Run = Callable[..., Any]


def ask(*questions: object) -> list[dict[str, Any]]:
    """The answers to questions, given as objects or as raw lines."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in questions]
    result = CliRunner().invoke(cli, ["check", "--jsonl"], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers


def question(family: object, kind: object, proto: object, address: object, **more: object) -> dict[str, object]:
    return {"family": family, "type": kind, "proto": proto, "address": repr(address), **more}


def test_what_an_answer_says() -> None:
    good, bad = ask(
        question("AF_INET", "SOCK_DGRAM", "IPPROTO_UDP", ("127.0.0.1", 9999)),
        question("AF_INET", "SOCK_DGRAM", 17, ("127.0.0.1", 70000)),
    )
    assert set(good) == set(bad) == KEYS
    assert good == {
        "verdict": "accept", "exception": None, "message": "", "field": None, "reason": "", "remedy": "",
        "warnings": [], "decided_by": "cpython", "sockaddr": "0200270f7f0000010000000000000000",
    }  # fmt: skip
    assert (bad["verdict"], bad["exception"], bad["field"]) == ("reject", "OverflowError", "port")
    assert bad["message"] == "bind(): port must be 0-65535."
    assert bad["sockaddr"] is None


@pytest.mark.parametrize(
    ("asked", "exception", "message", "decided_by"),
    [
        (question("AF_CAN", "SOCK_RAW", 0, 5), "OSError", "bind(): unsupported CAN protocol", "cpython"),
        (question("AF_CAN", 2, "CAN_ISOTP", "lo"), "SystemError",
         "new style getargs format but argument is not a tuple",
         "cpython"),
        (question(43, "SOCK_STREAM", 0, ("x", 1)), "OSError", "bind(): bad family", "cpython"),
        (question(16, "SOCK_RAW", 15, (0,)), "TypeError", "AF_NETLINK address must be a pair (pid, groups)", "cpython"),
        (question("PF_SYSTEM", "SOCK_DGRAM", "SYSPROTO_CONTROL", 1), "TypeError",
         "bind(): PF_SYSTEM address must be a str or a pair (id, unit)", "model"),
        (question("PF_SYSTEM", "SOCK_DGRAM", 3, 1), "OSError", "bind(): unsupported PF_SYSTEM protocol", "model"),
        (question("AF_HYPERV", "SOCK_STREAM", 7, 1), "OSError", "bind(): unsupported AF_HYPERV protocol: 7", "model"),
        (question("AF_INET", 2, 0, ("", -1), call="connect_ex"), "OverflowError",
         "connect_ex(): port must be 0-65535.", "cpython"),
    ],
)  # fmt: skip
def test_refusals_as_socket_would_raise_them(asked: Any, exception: str, message: str, decided_by: str) -> None:
    (said,) = ask(asked)
    assert (said["verdict"], said["exception"]) == ("reject", exception)
    assert (said["message"], said["decided_by"]) == (message, decided_by)
    assert said["reason"]


def test_names_in_any_case_and_numbers_of_families() -> None:
    for family in ("inet", "AF_INET", " AF_INET ", "pf_inet", 2, "2", "0x2"):
        (said,) = ask(question(family, "SOCK_STREAM", 0, ("example.invalid", 1)))
        assert said["verdict"] == "accept"
        assert "lookup" in said["warnings"][0], "it is the declared family, and nobody was asked"
    assert "passes 4294967291" in ask(question("AF_ROUTE", 3, 0, (0, -5)))[0]["warnings"][0]


def test_the_type_decides_what_is_warned_of() -> None:
    raw, udp, unknown = ask(
        question("AF_INET", "SOCK_RAW", "IPPROTO_TCP", ("127.0.0.1", 80)),
        question("AF_INET", "SOCK_STREAM", "IPPROTO_TCP", ("127.0.0.1", 80)),
        question("AF_NETLINK", "SOCK_RAW", "NETLINK_ECRYPTFS", (0, 0)),
    )
    assert raw["warnings"] == unknown["warnings"] == []
    assert "CAP_NET_BIND_SERVICE" in udp["warnings"][0]


@pytest.mark.parametrize("text", ["...", "1e999", "0x" + "f" * 9000, "None", "{1: 2}"])
def test_odd_literals_are_refused_as_cpython_does(text: str) -> None:
    (said,) = ask({"family": "AF_VSOCK", "type": None, "proto": None, "address": text})
    assert (said["verdict"], said["exception"]) == ("reject", "TypeError")


def test_sendmsg_without_an_address() -> None:
    assert ask(question("AF_INET", 2, 0, None, call="sendmsg"))[0]["verdict"] == "accept"
    assert ask(question("AF_INET", 2, 0, None, call="sendto"))[0]["exception"] == "TypeError"


def test_constants_that_this_python_may_lack() -> None:
    (said,) = ask(question("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_ISO", ("x", 1)))
    assert said["message"] == "bind(): unknown Bluetooth protocol"
    assert ask(question("AF_PACKET", "SOCK_RAW", "ETH_P_ALL", ("lo", 3)))[0]["verdict"] == "accept"


def test_what_needs_a_lookup_is_never_looked_up() -> None:
    (said,) = ask(question("AF_INET", "SOCK_DGRAM", 0, ("no-such-host.invalid", 1)))
    assert said["verdict"] == "accept"
    assert said["sockaddr"] is None
    assert any("lookup" in warning for warning in said["warnings"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "not JSON"),
        ("x", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "no object"),
        ("{}", "family is missing"),
        ('{"family": "AF_INET"}', "address is missing"),
        ('{"family": "AF_INET", "address": 5}', "address is no string"),
        ('{"family": "AF_INET", "address": "(\'x\', "}', "not a Python literal"),
        ('{"family": "AF_INET", "address": "__import__(\'os\')"}', "not a Python literal"),
        ('{"family": "AF_NOPE", "address": "1"}', "no constant"),
        ('{"family": "AF_INET", "type": "SOCK_NOPE", "address": "1"}', "no constant"),
        ('{"family": "AF_INET", "type": [], "address": "1"}', "neither a name nor a number"),
        ('{"family": "AF_INET", "type": true, "address": "1"}', "neither a name nor a number"),
        ('{"family": 1e99, "address": "1"}', "neither a name nor a number"),
        ('{"family": 99999999999, "address": "1"}', "C int"),
        ('{"family": -1, "address": "\'/tmp/x\'"}', "C int"),
        ('{"family": "AF_INET", "type": -1, "address": "1"}', "C int"),
        ('{"family": "MSG_PEEK", "address": "1"}', "another kind"),
        ('{"family": "AF_INET", "type": "AF_INET6", "address": "1"}', "another kind"),
        ('{"family": "AF_INET", "proto": "SOL_SOCKET", "address": "1"}', "another kind"),
        ('{"family": "AF_INET", "address": "1", "call": ["x"]}', "none of bind"),
        ('{"family": "AF_INET", "address": "1", "call": "listen"}', "none of bind"),
    ],
)
def test_a_line_that_is_no_question_gets_an_error_and_the_rest_goes_on(line: str, says: str) -> None:
    first, wrong, last = ask(question("AF_UNIX", 1, 0, "/a"), line, question("AF_UNIX", 1, 0, "/b"))
    assert first["verdict"] == last["verdict"] == "accept"
    assert set(wrong) == {"error", "line"}
    assert says in wrong["error"]
    assert wrong["line"] == 2


def test_bytes_that_are_no_text(run: Run) -> None:
    asking = run("check", "--jsonl", stdin=subprocess.PIPE)
    asking.process.stdin.write(b'\xff\xfe\n{"family": "AF_UNIX", "address": "\'\'"}')  # and no newline at the end
    asking.process.stdin.close()
    wrong, right = (json.loads(line) for line in asking.printed(2))
    assert "UTF-8" in wrong["error"]
    assert right["verdict"] == "accept"
    assert asking.end() == 0


def test_an_answer_comes_before_the_next_question(run: Run) -> None:
    asking = run("check", "--jsonl", stdin=subprocess.PIPE)
    for count in (1, 2):
        asking.process.stdin.write(json.dumps(question("AF_UNIX", 1, 0, "/a")).encode() + b"\n")
        assert json.loads(asking.printed(count)[-1])["verdict"] == "accept"
    asking.process.stdin.close()
    assert asking.end() == 0


def test_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["check", "inet/udp", "--jsonl"], input="").exit_code == 2
    assert CliRunner().invoke(cli, ["check", "inet/udp"]).exit_code == 2
    assert CliRunner().invoke(cli, ["check"]).exit_code == 2


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each)).map(json.dumps))
def test_any_line_is_answered(line: str) -> None:
    said = answer(line)
    assert set(said) in ({"error"}, KEYS)
    json.dumps(said)


@given(
    st.fixed_dictionaries({
        "family": st.sampled_from(["AF_INET", "AF_CAN", "AF_BLUETOOTH", "AF_HYPERV", "AF_ALG"]) | st.integers(0, 50),
        "type": st.sampled_from(["SOCK_RAW", "SOCK_DGRAM"]) | st.integers(0, 7),
        "proto": st.integers(0, 300),
        "address": st.sampled_from(["('lo',)", "('lo', 1, 2)", "1", "('::1', 1)", "b'x'", "(1, 2)", "[]", "'x'"]),
    })
)  # fmt: skip
def test_any_numbers_are_judged(asked: dict[str, object]) -> None:
    said = answer(json.dumps(asked))
    assert set(said) == KEYS, said
    assert said["verdict"] == "accept" or (said["exception"] and said["message"])
