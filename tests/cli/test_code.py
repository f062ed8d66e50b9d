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


def test_every_protocol_has_a_script() -> None:
    for family in all_families():
        for protocol in family.protocols:
            result = code(f"{family.name}/{protocol.name}")
            assert result.exit_code == 0, result.output
            ast.parse(result.stdout)


def test_the_script_from_a_pipe_sends(done: Done) -> None:
    with udp() as sock:
        result = done("code", "inet/udp", "--to", "{}:{}".format(*sock.getsockname()), "--text", r"hi\x00")
        with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stdin
            process.stdin.write(result.stdout.encode())
            process.stdin.close()
            assert sock.recv(100) == b"hi\0"
            process.terminate()
            process.wait(PATIENCE)


def test_wrong_usage() -> None:
    assert code("inet/udp", "--bind", "nonsense").exit_code == 2
    assert code("inet/udp", "--listen").exit_code == 2
    assert code("inet/udp", "--text", r"\q").exit_code == 2
