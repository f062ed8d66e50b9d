"""``code``: what it prints is Python for what was asked, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from support import PATIENCE, udp

from sockexplorer.cli.group import cli
from sockexplorer.core.script import STYLES
from sockexplorer.families import all_families

Done = Callable[..., subprocess.CompletedProcess[str]]


def code(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["code", *arguments])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["inet/udp"], "sock.bind(('127.0.0.1', 9999))"),
        (["inet/tcp", "--listen", "--bind", "127.0.0.1:80"], "sock.listen()"),
        (["inet/tcp", "--connect", "127.0.0.1:80"], "sock.connect(('127.0.0.1', 80))"),
        (["inet/udp", "--to", "127.0.0.1:9", "--hex", "ff"], "sock.sendto(PAYLOAD, ('127.0.0.1', 9))"),
        (["inet/udp", "--option", "SO_BROADCAST=1"], "sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)"),
        (["inet/raw", "--proto", "udp"], "sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)"),
        (["inet/udp", "--snaplen", "99"], "data, peer = sock.recvfrom(99)"),
        (["unix/stream", "--connect", r"@a\x1b"], r"sock.connect(b'\x00a\x1b')"),
    ],
)
def test_the_line_that_matters(arguments: list[str], line: str) -> None:
    result = code(*arguments)
    assert result.exit_code == 0, result.output
    assert line in [each.strip() for each in result.stdout.splitlines()]


@pytest.mark.parametrize("style", STYLES)
def test_every_protocol_has_a_script(style: str) -> None:
    for family in all_families():
        for protocol in family.protocols:
            result = code(f"{family.name}/{protocol.name}", "--style", style)
            assert result.exit_code == 0, result.output
            ast.parse(result.stdout)
            assert ("import asyncio" in result.stdout) == (style == "asyncio")


@pytest.mark.parametrize("style", STYLES)
def test_the_script_from_a_pipe_sends(done: Done, style: str) -> None:
    with udp() as sock:
        to = "{}:{}".format(*sock.getsockname())
        result = done("code", "inet/udp", "--to", to, "--text", r"hi\x00", "--style", style)
        with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stdin
            process.stdin.write(result.stdout.encode())
            process.stdin.close()
            assert sock.recv(100) == b"hi\0"
            process.terminate()
            process.wait(PATIENCE)


def test_socat_says_the_same_in_a_line() -> None:
    result = code("inet/tcp", "--connect", "127.0.0.1:80", "--style", "socat")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("socat ")
    assert "127.0.0.1:80" in result.stdout
    assert result.stdout.count("\n") == 1


def test_what_socat_can_not_do_fails_and_says_what_can() -> None:
    result = code("alg/hash", "--style", "socat")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error: socat has no command that does this with alg/hash\n  try: --style blocking" in result.stderr


def test_wrong_usage() -> None:
    assert code("inet/udp", "--style", "perl").exit_code == 2
    assert code("inet/udp", "--bind", "nonsense").exit_code == 2
    assert code("inet/udp", "--listen").exit_code == 2
    assert code("inet/udp", "--text", r"\q").exit_code == 2
