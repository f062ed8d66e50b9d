"""The virtual controllers themselves, asked over HCI: they answer as the Bluetooth Core Specification says."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

import vhci

VHCI = Path(vhci.__file__)

EVERYTHING = struct.pack("<IIIHxx", 1 << vhci.EVENT, 0xFFFFFFFF, 0xFFFFFFFF, 0)
HCI_FILTER = 2
FIRST, SECOND, NOBODY = bytes([0, 0, 0, 1, 0xAA, 0]), bytes([1, 0, 0, 1, 0xAA, 0]), bytes([9, 0, 0, 1, 0xAA, 0])


@pytest.fixture(scope="module", autouse=True)
def controllers() -> Iterator[list[vhci.Controller]]:
    with vhci.controllers(2) as made:
        yield made


class Adapter:
    """A raw HCI socket on a controller."""

    def __init__(self, index: int) -> None:
        from sockexplorer.engine.libc_socket import LibcSocket
        from sockexplorer.families import find

        family, protocol = find("bluetooth/hci")
        self.sock = LibcSocket(family, protocol, 1)
        self.sock.setsockopt(0, HCI_FILTER, EVERYTHING)
        self.sock.bind(family.read(protocol, f"hci{index}"))
        # A time limit of the kernel's own: this class has none.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("=qq", int(PATIENCE), 0))

    def ask(self, opcode: int, data: bytes = b"", *, event: int = vhci.COMMAND_COMPLETE) -> bytes:
        """Send a command; the parameters of the next such event. Those of a Command Complete begin after its opcode."""
        self.sock.send(struct.pack("<BHB", vhci.COMMAND, opcode, len(data)) + data)
        while True:
            packet = self.sock.recv(300)
            if packet[1] != event:
                continue
            if event != vhci.COMMAND_COMPLETE:
                return packet[3:]
            if packet[4:6] == opcode.to_bytes(2, "little"):
                return packet[6:]


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    made = Adapter(0)
    yield made
    made.sock.close()


def test_it_knows_itself(adapter: Adapter) -> None:
    assert adapter.ask(0x1009) == bytes([vhci.SUCCESS]) + FIRST
    assert adapter.ask(0x0C14)[1:6] == b"vhci0"
    assert adapter.ask(0x1003) == bytes([vhci.SUCCESS]) + vhci.FEATURES
    assert adapter.ask(0x0C19) == bytes([vhci.SUCCESS, vhci.INQUIRY_SCAN | vhci.PAGE_SCAN])


def test_a_command_that_it_does_not_know(adapter: Adapter) -> None:
    assert adapter.ask(0xFC01) == bytes([vhci.UNKNOWN_COMMAND])


def test_names_of_others(adapter: Adapter) -> None:
    found = adapter.ask(0x0419, SECOND + bytes(4), event=vhci.NAME_COMPLETE)
    assert (found[0], found[1:7], found[7:13]) == (vhci.SUCCESS, SECOND, b"vhci1\0")
    assert adapter.ask(0x0419, NOBODY + bytes(4), event=vhci.NAME_COMPLETE)[0] == vhci.PAGE_TIMEOUT


def test_only_who_wants_to_be_found_is_found(adapter: Adapter, controllers: list[vhci.Controller]) -> None:
    general = bytes.fromhex("338b9e 01 00")
    result = adapter.ask(0x0401, general, event=vhci.INQUIRY_RESULT)
    assert (result[0], result[1:7]) == (1, SECOND)
    adapter.sock.recv(300)
    controllers[1].scan = vhci.PAGE_SCAN
    try:
        adapter.sock.send(struct.pack("<BHB", vhci.COMMAND, 0x0401, len(general)) + general)
        codes = [adapter.sock.recv(300)[1] for _ in range(2)]
        assert codes == [vhci.COMMAND_STATUS, vhci.INQUIRY_COMPLETE]
    finally:
        controllers[1].scan = vhci.INQUIRY_SCAN | vhci.PAGE_SCAN


def test_a_link_that_is_not_there(adapter: Adapter) -> None:
    assert adapter.ask(0x0406, b"\x77\0\x13", event=vhci.COMMAND_STATUS)[0] == vhci.NO_CONNECTION
    assert adapter.ask(0x0809, b"\x77\0")[0] == vhci.NO_CONNECTION


def test_a_machine_that_stands_still_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has given up when the answer comes, first what it does by itself, then what it was asked for."""
    pauses, read = [2.2, 2.2], vhci.Controller.read

    def late(controller: vhci.Controller) -> None:
        time.sleep(pauses.pop() if pauses else 0)
        read(controller)

    monkeypatch.setattr(vhci.Controller, "read", late)
    with vhci.controllers(1) as (made,):
        assert Path(f"/sys/class/bluetooth/hci{made.index}").exists()
    assert not pauses


def test_controllers_for_a_command() -> None:
    code = "import os; print(sorted(os.listdir('/sys/class/bluetooth')))"
    done = subprocess.run(
        [sys.executable, VHCI, "--count", "1", "--", sys.executable, "-c", f"{code}; raise SystemExit(7)"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    # hci0 and hci1 are this module's.
    assert done.stdout == "['hci0', 'hci1', 'hci2']\n"
    assert sorted(each.name for each in Path("/sys/class/bluetooth").iterdir()) == ["hci0", "hci1"]
