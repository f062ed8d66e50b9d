"""The text of scripts: Python that tools find nothing to say about, ASCII, and nothing that acts on a terminal."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import write

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.payload import from_text
from sockexplorer.core.protocol import Operation, Protocol
from sockexplorer.core.script import STYLES, Style, address_line, python_script
from sockexplorer.families import all_families, find

OPERATIONS: tuple[Operation, ...] = ("bind", "connect", "listen", "open")
PAYLOADS = [None, b"", b"hello\r\n\x1b[0m", bytes(range(256))]


def every_endpoint() -> Iterator[tuple[Family, Protocol, Endpoint]]:
    """Every family, protocol and operation, with the example's address where one is used."""
    for family in all_families():
        for protocol in family.protocols:
            address = ast.literal_eval(family.example(protocol))
            for operation in OPERATIONS:
                if operation == "listen" and not protocol.connections:
                    continue
                remote = address if operation in ("connect", "open") else None
                for local in [None, address] if operation == "connect" else [address]:
                    yield family, protocol, Endpoint(family.constant, protocol.name, operation, local, remote)


def every_script() -> Iterator[tuple[str, str]]:
    """The name and the text of every script."""
    for number, (family, protocol, endpoint) in enumerate(every_endpoint()):
        for style in STYLES:
            for which, payload in enumerate([*PAYLOADS, from_text(protocol.sample)]):
                name = f"{family.name}_{protocol.name}_{endpoint.operation}_{number}_{style}_{which}".replace("-", "_")
                yield name, python_script(family, protocol, endpoint, payload, style)


def test_every_script_compiles_and_is_ascii() -> None:
    count = 0
    for name, text in every_script():
        compile(text, name, "exec")
        assert text.isascii(), name
        assert text.replace("\n", "").isprintable(), name
        count += 1
    assert count > 1000


def test_linters_have_nothing_to_say(tmp_path: Path) -> None:
    for name, text in every_script():
        (tmp_path / f"{name}.py").write_text(text)
    # Two GUIDs of AF_HYPERV make a line long.
    rules = "ASYNC,B,C4,E,F,I,PIE,RET,RUF,SIM,UP,W"
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--isolated", "--no-cache", "-q", "--line-length=130", f"--select={rules}", tmp_path]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.stderr) == ("", "")


def test_both_styles_share_what_they_can() -> None:
    for family, protocol, endpoint in every_endpoint():
        blocking, asyncio = (
            {line.strip() for line in python_script(family, protocol, endpoint, b"x", style).splitlines()}
            for style in STYLES
        )
        shared = {line for line in blocking if line.startswith(("PAYLOAD", "sock.bind", "sock.listen", 'print("bound'))}
        assert shared <= asyncio


@pytest.mark.parametrize("family", [each for each in all_families() if each.foreign], ids=lambda each: each.name)
def test_a_family_of_another_system_is_called_by_its_name(family: Family, style: Style) -> None:
    text = write(f"{family.name}/{family.protocols[0].name}", family.protocols[0].operations[0], style=style)
    assert f"socket.socket(socket.{family.constant}, " in text
    assert not [line for line in text.splitlines() if line.startswith(family.constant)]


def test_asyncio_on_windows_takes_the_loop_that_knows_other_families() -> None:
    assert "loop_factory=asyncio.SelectorEventLoop" in write("hyperv/raw", "listen", style="asyncio")
    assert "loop_factory" not in write("inet/tcp", "listen", style="asyncio")


def test_a_socket_that_has_no_address_is_not_asked_for_one(style: Style) -> None:
    for path, operation in (("divert/raw", "bind"), ("system/control", "connect"), ("can/bcm", "connect")):
        text = write(path, operation, ("h", 1), ("h", 1), payload=b"x", style=style)
        assert "getsockname" not in text
        assert ("data, peer = " in text) == (path != "divert/raw")


def test_what_has_no_peer_is_not_sent(style: Style) -> None:
    text = write("inet/raw", "bind", ("127.0.0.1", 0), payload=b"x", style=style)
    assert "PAYLOAD = b'x'  # not sent: the endpoint names no peer" in text
    assert "sendto" not in text


def test_a_name_that_socket_lacks_is_defined(monkeypatch: pytest.MonkeyPatch, style: Style) -> None:
    monkeypatch.delattr(socket, "IPPROTO_UDPLITE")
    options = (SetOption("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", 8), SetOption("SOL_SOCKET", "36", 1))
    text = write("inet/udplite", "bind", ("127.0.0.1", 0), options=options, style=style)
    assert "\nIPPROTO_UDPLITE = 136  # " in text
    assert "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE)" in text
    assert "sock.setsockopt(socket.SOL_SOCKET, 36, 1)" in text


def test_the_protocol_number_that_was_chosen() -> None:
    assert "SOCK_RAW, socket.IPPROTO_UDP)" in write("inet/raw", "bind", ("", 0), proto=17)
    assert "SOCK_RAW, 89)" in write("inet/raw", "bind", ("", 0), proto=89)
    assert "SOCK_RAW)" in write("packet/raw", "bind", ("lo", 3))
    assert "SOCK_RAW, socket.htons(0x0806))" in write("packet/raw", "bind", ("lo", 3), proto=socket.htons(0x806))


def test_the_essential_calls() -> None:
    def line(path: str, operation: str, *addresses: object) -> str:
        family, protocol = find(path)
        return address_line(family, protocol, Endpoint(family.constant, protocol.name, operation, *addresses))  # type: ignore[arg-type]

    assert line("inet/udp", "bind", ("127.0.0.1", 9999)) == "sock.bind(('127.0.0.1', 9999))"
    assert line("inet/tcp", "listen", ("", 80)) == "sock.bind(('', 80)); sock.listen()"
    assert line("unix/dgram", "connect", "/a", "/b\x1b") == r"sock.bind('/a'); sock.connect('/b\x1b')"
    assert line("inet/udp", "open", None, ("::", 1)) == "sock.sendto(data, ('::', 1))"
    assert line("inet/udp", "open") == "sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)"


@given(st.text(), st.binary(max_size=200), st.sampled_from(["bind", "connect", "open"]), st.sampled_from(STYLES))
def test_no_literal_acts_on_a_terminal(name: str, payload: bytes, operation: str, style: Style) -> None:
    text = write("unix/dgram", operation, name, name, payload=payload, style=style)
    compile(text, "script", "exec")
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    values = [each.value for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Constant)]
    assert payload in values
