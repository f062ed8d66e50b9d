"""``check``: verdicts, reasons and statuses."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from click.testing import CliRunner

from sockexplorer.cli.group import cli


def check(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["check", *arguments])


@pytest.mark.parametrize(
    ("path", "text", "address"),
    [
        ("inet/udp", "127.0.0.1:9999", "('127.0.0.1', 9999)"),
        ("AF_INET/IPPROTO_UDP", "('127.0.0.1', 9999)", "('127.0.0.1', 9999)"),
        ("Inet6/tcp", "[::1]:9999", "('::1', 9999)"),
        ("unix/stream", "/tmp/x.sock", "'/tmp/x.sock'"),
        ("unix/stream", "@abstract", r"b'\x00abstract'"),
        ("netlink/route", "LINK|IPV4_IFADDR", "(0, 17)"),
        ("vsock/stream", "any:1234", "(4294967295, 1234)"),
    ],
)
def test_accept(path: str, text: str, address: str) -> None:
    result = check(path, text, "--json")
    assert result.exit_code == 0, result.output
    verdict = json.loads(result.stdout)
    assert verdict["verdict"] == "accept"
    assert verdict["address"] == address
    assert verdict["sockaddr"]


def test_reject_says_which_field_and_what_would_be_right() -> None:
    result = check("inet/udp", "('127.0.0.1', 99999)", "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)
    assert (verdict["verdict"], verdict["exception"], verdict["field"]) == ("reject", "OverflowError", "port")
    plain = check("inet/udp", "127.0.0.1:99999")
    assert plain.exit_code == 1
    assert "✗ reject" in plain.stdout
    assert "OverflowError" in plain.stdout
    assert "port: 99999 is out of range; write a number from 0 to 65535" in plain.stdout


def test_warnings_are_shown_and_the_role_matters() -> None:
    assert "⚠ warning   host: " in check("inet/udp", "010.0.0.1:9999").stdout
    assert "nobody can be reached on port 0" in check("inet/udp", "127.0.0.1:0", "--remote").stdout
    assert "nobody can be reached" not in check("inet/udp", "127.0.0.1:0").stdout


@pytest.mark.parametrize("text", ["nonsense", "('127.0.0.1', 9999", "__import__('os')", "(lambda: 1)()"])
def test_what_is_no_address_is_refused_with_a_reason(text: str) -> None:
    result = check("inet/udp", text)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no address of inet/udp" in result.stderr
    result = check("inet/udp", text, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["verdict"] == "unreadable"


def test_wrong_usage() -> None:
    assert check("inet/udp").exit_code == 2
    unknown = check("inet/nothing", "x")
    assert unknown.exit_code == 2
    assert "it has udp, tcp, udplite" in unknown.stderr
    assert check("inet/udp", "127.0.0.1:1", "--proto", "1").exit_code == 2


def test_nothing_given_acts_on_a_terminal(done: Any) -> None:
    for text in ("\x1b]0;owned\x07", "('\x1b[2J', 1)", "/tmp/\x1b[31m\u202e.sock", "@\x9b2J"):
        for path in ("inet/udp", "unix/stream", "packet/raw", "netlink/route"):
            result: subprocess.CompletedProcess[str] = done("check", path, text)
            assert (result.stdout + result.stderr).replace("\n", "").isprintable()
    result = done("\x1b[2J")
    assert result.returncode == 2
    assert (result.stdout + result.stderr).replace("\n", "").isprintable()


def test_the_bytes_field_by_field() -> None:
    said = check("packet/raw", "('lo', 0x806)", "--bytes").stdout
    assert "struct sockaddr_ll" in said
    rows = [line.split() for line in said.splitlines() if " sll_" in line]
    assert rows[1][:5] == ["2", "2", "network", "sll_protocol", "0x806"]
    assert [row[0] for row in rows] == ["0", "2", "4", "8", "10", "11", "12"]


def test_every_address_of_a_name_is_shown_when_asked_for() -> None:
    said = check("inet/udp", "localhost:80", "--resolve").stdout
    assert "resolve   ('127.0.0.1', 80)" in said
    verdict = json.loads(check("inet/udp", "localhost:80", "--resolve", "--json").stdout)
    assert "127.0.0.1" in verdict["hosts"]
    assert verdict["sockaddr"] is None
    assert "no host name" in check("inet/udp", "127.0.0.1:80", "--resolve").stdout


def test_a_name_that_does_not_exist() -> None:
    result = check("inet/udp", "no-such-host.invalid:80", "--resolve")
    assert result.exit_code == 1
    assert "resolve" in result.stderr
