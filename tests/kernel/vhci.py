#!/usr/bin/env python3
"""Virtual Bluetooth controllers, in radio range of one another and of nobody else.

    python tests/kernel/vhci.py [--count N] [-- COMMAND …]

Runs the command, or waits for Ctrl-C, while there are N controllers (two) that are up and can be found: ``hci0`` with
the address 00:AA:01:00:00:00, ``hci1`` with 00:AA:01:00:00:01 and so on. Needs root and a kernel with /dev/vhci
(CONFIG_BT_HCIVHCI), as the lab's is; standard library only, of any Python.

A controller here is what the kernel's Bluetooth sockets need of one with BR/EDR: inquiry and names, ACL links (for
L2CAP and RFCOMM), SCO and eSCO links with their data, authentication and encryption that always succeed. There is no
low energy, no secure simple pairing, and no time: what is sent arrives at once.

Source: Bluetooth Core Specification 5.4, Vol 2 Part C (features), Vol 4 Part A (packets of UART transport) and Part E
(commands and events); drivers/bluetooth/hci_vhci.c; <net/bluetooth/hci.h>, <net/bluetooth/hci_sock.h>.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

COMMAND, ACL_DATA, SCO_DATA, EVENT, VENDOR = 1, 2, 3, 4, 0xFF
"""What the first byte of a packet says."""
SCO, ACL, ESCO = 0, 1, 2
"""Types of a link."""

# Error codes, Vol 1 Part F.
SUCCESS, UNKNOWN_COMMAND, NO_CONNECTION, PAGE_TIMEOUT, TIMED_OUT, ENDED_HERE = 0, 0x01, 0x02, 0x04, 0x08, 0x16

# Events.
INQUIRY_COMPLETE, INQUIRY_RESULT, CONNECTION_COMPLETE, CONNECTION_REQUEST, DISCONNECTED = 0x01, 0x02, 0x03, 0x04, 0x05
AUTHENTICATED, NAME_COMPLETE, ENCRYPTION_CHANGE, REMOTE_FEATURES, REMOTE_VERSION = 0x06, 0x07, 0x08, 0x0B, 0x0C
COMMAND_COMPLETE, COMMAND_STATUS, COMPLETED_PACKETS, CLOCK_OFFSET, PACKET_TYPE = 0x0E, 0x0F, 0x13, 0x1C, 0x1D
REMOTE_EXTENDED_FEATURES, SYNCHRONOUS_COMPLETE = 0x23, 0x2C

FEATURES = sum(1 << bit for bit in (
    0, 1, 2, 3, 4, 5, 7,    # packets of 3 and 5 slots, encryption, slot offset, timing accuracy, role switch, sniff
    9, 11, 12, 13, 16,      # power control requests, SCO with HV2 and HV3, CVSD
    18, 19, 31, 33,         # power control, transparent voice, eSCO with EV3 and EV5
)).to_bytes(8, "little")  # fmt: skip
VERSION = struct.pack("<BHBHH", 5, 0, 5, 0x05F1, 0)
"""HCI and LMP 3.0, and the company id that BlueZ gives to what is emulated."""
CLASS = b"\x04\x01\x00"
"""A desktop computer."""
INQUIRY_SCAN, PAGE_SCAN = 1, 2

# Read Voice Setting and Write Voice Setting are bits 2 and 3 of octet 9: without them Linux offers no SCO.
SUPPORTED = bytes(9) + b"\x0c" + bytes(54)
ANSWERS: dict[int, bytes] = {
    0x1001: VERSION,                             # Read Local Version Information
    0x1002: SUPPORTED,                           # Read Local Supported Commands
    0x1003: FEATURES,                            # Read Local Supported Features
    0x1005: struct.pack("<HBHH", 1021, 64, 16, 16),  # Read Buffer Size: bytes of ACL and SCO, packets of ACL and SCO
    0x0C0D: bytes(4),                            # Read Stored Link Key
    0x0C25: b"\x60\0",                           # Read Voice Setting: CVSD, 16 bits
    0x0C38: b"\x01",                             # Read Number Of Supported IAC
    0x0C39: b"\x01\x33\x8b\x9e",                 # Read Current IAC LAP: general inquiry
}  # fmt: skip
"""Return parameters, after the status, of commands that always say the same."""
TAKEN = frozenset({
    0x080F, 0x0C01, 0x0C05, 0x0C12, 0x0C16, 0x0C18, 0x0C1C, 0x0C20, 0x0C22, 0x0C26, 0x0C28, 0x0C31, 0x0C33, 0x0C3A,
    0x0C45, 0x0C47,
})  # fmt: skip
"""Settings, masks and timeouts that change nothing here."""

HCIDEVUP, HCISETSCAN = 0x400448C9, 0x400448DD
AF_BLUETOOTH, BTPROTO_HCI = 31, 1
UP_SECONDS = 60.0


@dataclass
class Link:
    """One end of a link: the controller at the other end, the handle there, the type, and who asked for it."""

    peer: Controller
    handle: int
    kind: int
    central: bool


def address_text(address: bytes) -> str:
    """``00:AA:01:00:00:00`` of six bytes, which are sent the last one first."""
    return ":".join(f"{byte:02X}" for byte in reversed(address))


class Controller:
    """A virtual controller, the kernel's end of which is ``/dev/vhci``. Raises OSError where there is none."""

    def __init__(self, air: dict[bytes, Controller], number: int) -> None:
        self.air = air
        self.address = bytes([number, 0, 0, 1, 0xAA, 0])
        self.name = b"vhci%d" % number
        self.device_class = CLASS
        self.scan = 0
        self.links: dict[int, Link] = {}
        self.asked: dict[bytes, tuple[Controller, int]] = {}
        """Who waits for an answer of ours, with the type of link."""
        self._next_handle = 0x2A
        self._commands: dict[int, Callable[[int, bytes], None]] = {
            0x0C03: self._reset,
            0x1004: self._local_extended_features,
            0x1009: lambda op, _: self._complete(op, self.address),
            0x0C13: self._write_name,
            0x0C14: lambda op, _: self._complete(op, self.name.ljust(248, b"\0")),
            0x0C19: lambda op, _: self._complete(op, bytes([self.scan])),
            0x0C1A: self._write_scan,
            0x0C23: lambda op, _: self._complete(op, self.device_class),
            0x0C24: self._write_class,
            0x0401: self._inquiry,
            0x0405: self._connect,
            0x0406: self._disconnect,
            0x0407: self._connect_voice,  # Add SCO Connection
            0x0428: self._connect_voice,  # Setup Synchronous Connection
            0x043D: self._connect_voice,  # Enhanced Setup Synchronous Connection
            0x0409: self._accept,
            0x0429: self._accept,  # Accept Synchronous Connection Request
            0x040A: self._reject,
            0x042A: self._reject,  # Reject Synchronous Connection Request
            0x0419: self._remote_name,
            0x0809: self._role,
            # Link policy, supervision timeout, transmit power and RSSI of a link.
            0x080D: lambda op, data: self._of_link(op, data, b""),
            0x0C37: lambda op, data: self._of_link(op, data, b""),
            0x0C2D: lambda op, data: self._of_link(op, data, b"\0"),
            0x1405: lambda op, data: self._of_link(op, data, b"\0"),
            0x040F: lambda op, data: self._later(op, data, PACKET_TYPE, data[2:4]),
            0x0411: lambda op, data: self._later(op, data, AUTHENTICATED, b""),
            0x0413: self._encrypt,
            0x041B: lambda op, data: self._later(op, data, REMOTE_FEATURES, FEATURES),
            0x041C: lambda op, data: self._later(op, data, REMOTE_EXTENDED_FEATURES, data[2:3] + b"\0" + FEATURES),
            0x041D: lambda op, data: self._later(op, data, REMOTE_VERSION, VERSION[3:]),
            0x041F: lambda op, data: self._later(op, data, CLOCK_OFFSET, bytes(2)),
        }
        self.descriptor = os.open("/dev/vhci", os.O_RDWR | os.O_CLOEXEC)
        try:
            os.write(self.descriptor, bytes([VENDOR, 0]))  # a primary controller
            answer = os.read(self.descriptor, 16)
            self.index = int.from_bytes(answer[2:4], "little")
        except BaseException:
            os.close(self.descriptor)
            raise
        os.set_blocking(self.descriptor, False)
        air[self.address] = self

    # --- packets -------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Take one packet of the kernel's, and do what it asks for."""
        try:
            packet = os.read(self.descriptor, 4096)
        except BlockingIOError:
            return
        if packet[0] == COMMAND:
            opcode, data = int.from_bytes(packet[1:3], "little"), packet[4:]
            if opcode in ANSWERS:
                self._complete(opcode, ANSWERS[opcode])
            elif opcode in TAKEN:
                self._complete(opcode)
            elif opcode in self._commands:
                self._commands[opcode](opcode, data)
            else:
                self._complete(opcode, status=UNKNOWN_COMMAND)
        elif packet[0] in (ACL_DATA, SCO_DATA):
            self._carry(packet)

    def _carry(self, packet: bytes) -> None:
        """Data of a link: to the other end, with the handle that it has there."""
        word = int.from_bytes(packet[1:3], "little")
        link = self.links.get(word & 0x0FFF)
        if link is None:
            return
        flags = word & 0xF000
        if packet[0] == ACL_DATA and flags & 0x3000 == 0:
            flags |= 0x2000  # "first, not to be flushed" is for sending only: it arrives as "first"
        link.peer._write(packet[:1] + struct.pack("<H", link.handle | flags) + packet[3:])
        self._event(COMPLETED_PACKETS, struct.pack("<BHH", 1, word & 0x0FFF, 1))

    def _write(self, packet: bytes) -> None:
        # A controller that is down takes nothing.
        with contextlib.suppress(OSError):
            os.write(self.descriptor, packet)

    def _event(self, code: int, data: bytes) -> None:
        self._write(bytes([EVENT, code, len(data)]) + data)

    def _complete(self, opcode: int, data: bytes = b"", *, status: int = SUCCESS) -> None:
        """Command Complete: the command was done, with what it returns."""
        self._event(COMMAND_COMPLETE, struct.pack("<BHB", 1, opcode, status) + data)

    def _status(self, opcode: int, status: int = SUCCESS) -> None:
        """Command Status: the command was taken, what comes of it is an event of its own."""
        self._event(COMMAND_STATUS, struct.pack("<BBH", status, 1, opcode))

    def _of_link(self, opcode: int, data: bytes, answer: bytes) -> None:
        handle = _handle(data)
        status = SUCCESS if handle in self.links else NO_CONNECTION
        self._complete(opcode, struct.pack("<H", handle) + answer, status=status)

    def _later(self, opcode: int, data: bytes, event: int, answer: bytes) -> None:
        handle = _handle(data)
        if handle not in self.links:
            self._status(opcode, NO_CONNECTION)
            return
        self._status(opcode)
        self._event(event, struct.pack("<BH", SUCCESS, handle) + answer)

    # --- the controller itself -----------------------------------------------------------------------------

    def _reset(self, opcode: int, data: bytes) -> None:
        for handle in list(self.links):
            self._drop(handle, ENDED_HERE, TIMED_OUT)
        self.asked.clear()
        self.scan = 0
        self._complete(opcode)

    def _local_extended_features(self, opcode: int, data: bytes) -> None:
        page = data[0]
        self._complete(opcode, bytes([page, 0]) + (bytes(8) if page else FEATURES))

    def _write_name(self, opcode: int, data: bytes) -> None:
        self.name = data.rstrip(b"\0")
        self._complete(opcode)

    def _write_class(self, opcode: int, data: bytes) -> None:
        self.device_class = data[:3]
        self._complete(opcode)

    def _write_scan(self, opcode: int, data: bytes) -> None:
        self.scan = data[0]
        self._complete(opcode)

    # --- who is there --------------------------------------------------------------------------------------

    def _inquiry(self, opcode: int, data: bytes) -> None:
        self._status(opcode)
        for each in self.air.values():
            if each is not self and each.scan & INQUIRY_SCAN:
                # One response; page scan repetition mode R1, two reserved bytes, class, clock offset.
                self._event(INQUIRY_RESULT, b"\x01" + each.address + b"\x01\0\0" + each.device_class + bytes(2))
        self._event(INQUIRY_COMPLETE, bytes([SUCCESS]))

    def _remote_name(self, opcode: int, data: bytes) -> None:
        peer = self.air.get(data[:6])
        self._status(opcode)
        status, name = (PAGE_TIMEOUT, b"") if peer is None else (SUCCESS, peer.name)
        self._event(NAME_COMPLETE, bytes([status]) + data[:6] + name.ljust(248, b"\0"))

    # --- links ---------------------------------------------------------------------------------------------

    def _connect(self, opcode: int, data: bytes) -> None:
        peer = self.air.get(data[:6])
        self._status(opcode)
        if peer is None or peer is self or not peer.scan & PAGE_SCAN:
            self._connected(PAGE_TIMEOUT, 0, data[:6], ACL)
        else:
            self._ask(peer, ACL)

    def _connect_voice(self, opcode: int, data: bytes) -> None:
        link = self.links.get(_handle(data))
        if link is None:
            self._status(opcode, NO_CONNECTION)
            return
        self._status(opcode)
        self._ask(link.peer, SCO if opcode == 0x0407 else ESCO)

    def _ask(self, peer: Controller, kind: int) -> None:
        peer.asked[self.address] = self, kind
        peer._event(CONNECTION_REQUEST, self.address + self.device_class + bytes([kind]))

    def _accept(self, opcode: int, data: bytes) -> None:
        peer, kind = self.asked.pop(data[:6], (None, ACL))
        if peer is None:
            self._status(opcode, NO_CONNECTION)
            return
        self._status(opcode)
        ours, theirs = self._handle(), peer._handle()
        self.links[ours] = Link(peer, theirs, kind, central=False)
        peer.links[theirs] = Link(self, ours, kind, central=True)
        self._connected(SUCCESS, ours, peer.address, kind)
        peer._connected(SUCCESS, theirs, self.address, kind)

    def _reject(self, opcode: int, data: bytes) -> None:
        peer, kind = self.asked.pop(data[:6], (None, ACL))
        if peer is None:
            self._status(opcode, NO_CONNECTION)
            return
        self._status(opcode)
        self._connected(data[6], 0, peer.address, kind)
        peer._connected(data[6], 0, self.address, kind)

    def _handle(self) -> int:
        handle = self._next_handle
        self._next_handle = handle + 1 if handle < 0x0EFF else 0x2A
        return handle

    def _connected(self, status: int, handle: int, address: bytes, kind: int) -> None:
        if kind == ACL:
            self._event(CONNECTION_COMPLETE, struct.pack("<BH6sBB", status, handle, address, kind, 0))
            return
        # Interval and window in slots, bytes of a packet received and sent, CVSD.
        self._event(SYNCHRONOUS_COMPLETE, struct.pack("<BH6sBBBHHB", status, handle, address, kind, 12, 2, 60, 60, 2))

    def _disconnect(self, opcode: int, data: bytes) -> None:
        handle, reason = _handle(data), data[2]
        link = self.links.get(handle)
        if link is None:
            self._status(opcode, NO_CONNECTION)
            return
        self._status(opcode)
        if link.kind == ACL:
            for voice in [at for at, each in self.links.items() if each.peer is link.peer and each.kind != ACL]:
                self._drop(voice, ENDED_HERE, reason)
        self._drop(handle, ENDED_HERE, reason)

    def _drop(self, handle: int, reason_here: int, reason_there: int) -> None:
        link = self.links.pop(handle)
        link.peer.links.pop(link.handle, None)
        self._event(DISCONNECTED, struct.pack("<BHB", SUCCESS, handle, reason_here))
        link.peer._event(DISCONNECTED, struct.pack("<BHB", SUCCESS, link.handle, reason_there))

    def _encrypt(self, opcode: int, data: bytes) -> None:
        link = self.links.get(_handle(data))
        self._later(opcode, data, ENCRYPTION_CHANGE, data[2:3])
        if link is not None:
            link.peer._event(ENCRYPTION_CHANGE, struct.pack("<BH", SUCCESS, link.handle) + data[2:3])

    def _role(self, opcode: int, data: bytes) -> None:
        link = self.links.get(_handle(data))
        self._of_link(opcode, data, bytes([link is not None and not link.central]))


def _handle(data: bytes) -> int:
    """The handle that a command's parameters begin with."""
    return int.from_bytes(data[:2], "little") & 0x0FFF


@contextlib.contextmanager
def controllers(count: int = 2) -> Iterator[list[Controller]]:
    """Controllers that are up and can be found, served by a thread until the end. Raises OSError, or TimeoutError."""
    air: dict[bytes, Controller] = {}
    stop_in, stop_out = os.pipe()
    made: list[Controller] = []

    def serve() -> None:
        while stop_in not in (ready := select.select([stop_in, *(each.descriptor for each in made)], [], [])[0]):
            for each in made:
                if each.descriptor in ready:
                    each.read()

    thread = threading.Thread(target=serve, name="controllers", daemon=True)
    try:
        for number in range(count):
            made.append(Controller(air, number))
        thread.start()
        for each in made:
            power_on(each.index)
        yield made
    finally:
        os.close(stop_out)
        if thread.ident is not None:
            thread.join()
        os.close(stop_in)
        for each in made:
            os.close(each.descriptor)


def power_on(index: int) -> None:
    """Bring a controller up, so that others find it and connect to it. Raises OSError, or TimeoutError."""
    deadline = time.monotonic() + UP_SECONDS
    with socket.socket(AF_BLUETOOTH, socket.SOCK_RAW, BTPROTO_HCI) as control:
        while True:
            try:
                fcntl.ioctl(control, HCIDEVUP, index)
            except OSError as error:
                # The kernel sets a new controller up by itself at first. It waits 2 s for each answer, which may
                # come late where the whole machine stood still.
                if error.errno in (errno.EBUSY, errno.ENODEV, errno.ETIMEDOUT) and time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                if error.errno != errno.EALREADY:
                    raise
            break
        fcntl.ioctl(control, HCISETSCAN, struct.pack("=HxxI", index, INQUIRY_SCAN | PAGE_SCAN))


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; the exit status."""
    arguments, command = list(arguments), []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2, metavar="N", help="how many controllers")
    options = parser.parse_args(arguments)
    if not command:
        # Before there is a thread, which would take the signal otherwise.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with controllers(options.count) as made:
        if command:
            return subprocess.run(command, check=False).returncode
        for each in made:
            print(f"hci{each.index} {address_text(each.address)}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
