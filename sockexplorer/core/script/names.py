"""Constants as a script writes them, and the call that makes its socket."""

from __future__ import annotations

import socket

from sockexplorer.core.constants import FOREIGN, number
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol

FAMILIES = ("AF_", "PF_", "BTPROTO_")
"""A Python that lacks such a name can't read the family's addresses either: a number would be of no use to it."""


class Names:
    """The constants that a script uses; those that `socket` lacks are defined at its top."""

    def __init__(self) -> None:
        self.missing: dict[str, int] = {}

    def use(self, name: str) -> str:
        """``socket.NAME``, the bare name where the script defines it, or the number that it is."""
        if hasattr(socket, name) or name in FOREIGN or name.startswith(FAMILIES):
            return f"socket.{name}"
        try:
            value = number(name)
        except KeyError:
            return f"socket.{name}"
        if not name.isidentifier():
            return str(value)
        self.missing[name] = value
        return name

    def definitions(self) -> list[str]:
        """Assignments for the names that this Python's ``socket`` does not have."""
        return [f"{name} = {value}  # the socket module has no name for it" for name, value in self.missing.items()]

    def socket_call(self, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        """``socket.socket(…)``."""
        named = not family.by_bytes or hasattr(socket, family.constant)
        arguments = [self.use(family.constant) if named else str(family.number), self.use(protocol.type)]
        proto = self._proto(family, protocol, endpoint)
        if proto != "0":
            arguments.append(proto)
        return f"socket.socket({', '.join(arguments)})"

    def _proto(self, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        """The third argument of ``socket()``; "0" where it says nothing."""
        if endpoint.proto is None:
            return "0" if protocol.proto == "0" else self.use(protocol.proto)
        known = (name for name, value in protocol.proto_choices.items() if value == endpoint.proto)
        if name := next(known, ""):
            return self.use(name)
        if family.constant == "AF_PACKET" and endpoint.proto:
            # An ethertype in network order: the script is to mean the same one on every processor.
            return f"socket.htons({socket.ntohs(endpoint.proto & 0xFFFF):#06x})"
        return str(endpoint.proto)
