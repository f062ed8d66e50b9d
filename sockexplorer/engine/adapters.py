"""Bluetooth adapters and the vsock device of this host, asked by ioctl; needs no right.

Sources: BlueZ' <bluetooth/hci.h> (``HCIGETDEVLIST``, ``struct hci_dev_info``), <linux/vm_sockets.h>.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from sockexplorer.core.constants import number

HCIGETDEVLIST, HCIGETDEVINFO = 0x800448D2, 0x800448D3
MOST = 16
"""Adapters that one question asks for."""
HCI_UP = 1
GET_LOCAL_CID = 0x7B9
CID_ANY = 0xFFFFFFFF
VSOCK = Path("/dev/vsock")


@dataclass(frozen=True, slots=True)
class Adapter:
    """``hciN``: its number, its Bluetooth address, and whether it is up."""

    number: int
    address: str
    up: bool

    @property
    def state(self) -> str:
        """``up`` or ``down``."""
        return "up" if self.up else "down"


def adapters() -> list[Adapter]:
    """Every adapter; none where the kernel has no Bluetooth, or this is not the host's own network namespace."""
    try:
        sock = socket.socket(number("AF_BLUETOOTH"), socket.SOCK_RAW, number("BTPROTO_HCI"))
    except OSError:
        return []
    found = []
    with sock:
        try:
            # u16 dev_num, then for each u16 dev_id and (aligned to 4) u32 dev_opt.
            listed = fcntl.ioctl(sock, HCIGETDEVLIST, struct.pack("=HH", MOST, 0).ljust(4 + 8 * MOST, b"\0"))
            (count,) = struct.unpack_from("=H", listed)
            for at in range(count):
                (which,) = struct.unpack_from("=H", listed, 4 + 8 * at)
                # u16 dev_id, char name[8], bdaddr_t, then u32 flags.
                info = fcntl.ioctl(sock, HCIGETDEVINFO, struct.pack("=H", which).ljust(92, b"\0"))
                (flags,) = struct.unpack_from("=I", info, 16)
                found.append(Adapter(which, info[10:16][::-1].hex(":").upper(), bool(flags & HCI_UP)))
        except OSError:
            return found
    return found


def local_cid() -> int | None:
    """The context id of this machine, None without /dev/vsock or with one that has no number yet."""
    try:
        cid = cid_of(VSOCK)
    except OSError:
        return None
    return None if cid == CID_ANY else cid


def cid_of(device: Path) -> int:
    """The context id that the vsock device tells, `CID_ANY` where it has none yet. Raises OSError."""
    with device.open("rb") as file:
        return int.from_bytes(fcntl.ioctl(file, GET_LOCAL_CID, bytes(4)), sys.byteorder)
