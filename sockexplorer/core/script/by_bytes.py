"""What a script needs for a family by number: a socket class whose addresses go to libc.

Source: bind(2), connect(2), accept(2), sendto(2).
"""

from __future__ import annotations

import socket

from sockexplorer.core.family import Family
from sockexplorer.core.script.parts import Parts

_CLASS = '''\
class LibcSocket(socket.socket):
    """Addresses are (sa_family, sa_data): Python has no form of them, so these calls go to libc."""

    family = None  # asyncio would look an address of AF_INET up

    def _call(self, name, *arguments):
        result = getattr(ctypes.CDLL(None, use_errno=True), name)(self.fileno(), *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    def bind(self, address):
        sockaddr = packed(address)
        self._call("bind", sockaddr, len(sockaddr))

    def connect(self, address):
        sockaddr = packed(address)
        self._call("connect", sockaddr, len(sockaddr))

    def sendto(self, data, address):
        sockaddr = packed(address)
        return self._call("sendto", data, ctypes.c_size_t(len(data)), 0, sockaddr, len(sockaddr))

    def accept(self):
        connection = LibcSocket(NUMBER, self.type, self.proto, self._call("accept", None, None))
        return connection, f"#{connection.fileno()}"'''
_NAMELESS = "    family = None  # asyncio would look an address of AF_INET up\n\n"
_PACKED = '''\
def packed(address):
    """The bytes of a struct sockaddr."""
    number, data = address
    return struct.pack("=H", number) + data'''


def fill(parts: Parts, family: Family) -> None:
    """Have the script's socket be one whose addresses go to libc."""
    parts.socket = parts.socket.replace("socket.socket(", "LibcSocket(", 1)
    parts.imports |= {"ctypes", "os", "struct"}
    looked_up = family.number in (socket.AF_INET, socket.AF_INET6)
    text = _CLASS.replace("NUMBER", str(family.number))
    parts.helpers += [_PACKED, text if looked_up else text.replace(_NAMELESS, "")]
