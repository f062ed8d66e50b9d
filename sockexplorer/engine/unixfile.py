"""Files of UNIX sockets: private from the first moment, removed when we made them, never when we did not."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass

MODE = 0o600


def make_private(sock: socket.socket) -> None:
    """Give the file that ``bind`` will make mode 0600, without a moment in which it is open to others (unix(7))."""
    os.fchmod(sock.fileno(), MODE)


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A socket file that we made, by absolute path and by what only that file has: device and inode."""

    path: str
    device: int
    inode: int

    @classmethod
    def made_by(cls, address: object) -> SocketFile | None:
        """The file of an address that was just bound; None for abstract and unnamed ones."""
        if not isinstance(address, str) or not address or address[0] == "\0":
            return None
        path = os.path.abspath(address)  # noqa: PTH100 - Path.resolve() would follow links
        try:
            found = os.lstat(path)
        except OSError:
            return None
        return cls(path, found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None

    def remove(self) -> bool:
        """Remove the file if it is still the one that we made. Whether it was removed."""
        try:
            found = os.lstat(self.path)
            if (found.st_dev, found.st_ino) != (self.device, self.inode):
                return False
            os.unlink(self.path)  # noqa: PTH108
        except OSError:
            return False
        return True
