"""``read`` and ``about``: what a text describes, what a protocol is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from sockexplorer.cli.group import cli
from sockexplorer.families import all_families


def run(*arguments: str, text: str | None = None) -> Any:
    return CliRunner().invoke(cli, arguments, input=text)


def test_a_reading_as_an_object() -> None:
    result = run("read", "TCP4-LISTEN:80,reuseaddr", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "family": "AF_INET", "protocol": "tcp", "operation": "listen", "local": "('0.0.0.0', 80)", "remote": None,
        "proto": None, "options": ["SOL_SOCKET:SO_REUSEADDR=1"], "notation": "socat address",
        "socat": json.loads(result.stdout)["socat"],
    }  # fmt: skip
    assert "TCP4-LISTEN:80" in json.loads(result.stdout)["socat"]


def test_a_reading_in_words() -> None:
    assert run("read", "sock.connect(('::1', 80))").stdout.startswith("AF_INET6/tcp  connect  remote ('::1', 80)")


def test_lines_of_a_table_without_its_heading() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 10\n\n"
    )
    result = run("read", "-", "--json", text=table)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["local"] == "('127.0.0.1', 22)"


def test_what_is_in_no_notation() -> None:
    result = run("read", "what \x1b[31mis this")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert r"what \x1b[31mis this" in result.stderr


def test_every_reading() -> None:
    assert len(run("read", "(1, 2)", "--all").stdout.splitlines()) > 3
    assert len(run("read", "(1, 2)").stdout.splitlines()) == 1


@pytest.mark.parametrize("each", all_families(), ids=lambda each: each.name)
def test_about_every_protocol_and_field(each: Any) -> None:
    for protocol in each.protocols:
        said = run("about", f"{each.name}/{protocol.name}")
        assert said.exit_code == 0, said.output
        assert "What usually goes wrong" in said.stdout
    for field in each.fields(each.protocols[0]):
        told = json.loads(run("about", each.name, field.name, "--json").stdout)
        assert told["sections"][0]["lines"]


def test_about_what_is_not_there() -> None:
    result = run("about", "inet/udp", "prot")
    assert result.exit_code == 2
    assert "host, port" in result.stderr
