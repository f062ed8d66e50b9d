"""Generated scripts of AF_BLUETOOTH, run by Debian's Python, which has it: between two virtual controllers."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripts import Script, write
from support import interpreter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

import vhci

from sockexplorer.core.script import STYLES, Style
from sockexplorer.families import find

HERE, THERE = "00:AA:01:00:00:00", "00:AA:01:00:00:01"
READ_ADDRESS = struct.pack("<BHB", 1, 0x1009, 0)


@pytest.fixture(scope="module", autouse=True)
def controllers() -> Iterator[None]:
    with vhci.controllers(2):
        yield


@pytest.fixture(params=STYLES)
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Script]]:
    """Writes a script in one style, and runs it."""
    style: Style = request.param
    python = interpreter("the system's")
    running: list[Script] = []

    def start(*arguments: object, **more: object) -> Script:
        running.append(Script(write(*arguments, style=style, **more), python))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for each in running:
        each.discard()


def address(protocol: str, text: str) -> object:
    family, declared = find(f"bluetooth/{protocol}")
    return family.read(declared, text)


@pytest.mark.parametrize(("protocol", "end"), [("l2cap", " 0x1001"), ("rfcomm", " 5"), ("sco", "")])
def test_one_listens_and_one_connects(run: Callable[..., Script], protocol: str, end: str) -> None:
    there = address(protocol, THERE + end)
    payload = b"v" * 48
    server = run(f"bluetooth/{protocol}", "listen", there)
    server.line()
    client = run(f"bluetooth/{protocol}", "connect", None, there, payload=payload)
    client.line()
    connected = server.line()
    assert connected.endswith(" connected")
    assert HERE in connected
    peer, data = server.message()
    assert HERE in peer
    assert data == payload
    client.stop()
    assert server.line().endswith(" closed")
    server.stop()


def test_an_adapter_answers(run: Callable[..., Script]) -> None:
    script = run("bluetooth/hci", "bind", address("hci", "hci0"), payload=READ_ADDRESS)
    assert script.line() == "bound to 0"
    while "\\x0e\\n\\x01\\t\\x10\\x00" not in (line := script.line()):
        assert line
    assert "\\x01\\xaa\\x00" in line
    script.stop()
