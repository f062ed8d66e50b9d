"""A session as a person has it open: what it is, who its peers are, what its rows say."""

from __future__ import annotations

import ast
import contextlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sockexplorer.capture.log import Frame, Log
from sockexplorer.client.client import Problem
from sockexplorer.client.processes import program
from sockexplorer.core import lifecycle, links
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.decoders import has_decoder, has_fields, summary
from sockexplorer.decoders.fields import HEADS, Value, field_values

if TYPE_CHECKING:
    from sockexplorer.capture.predicate import Predicate
    from sockexplorer.capture.reading import Record
    from sockexplorer.capture.sifting import Sift
    from sockexplorer.capture.statistics import Statistics
    from sockexplorer.engine.unixfile import SocketFile


MOST_OF_NAME = 132
"""Characters of a peer's name: the longest path of a socket, of 107 bytes, is shown whole."""
OVER = ("closed", "failed", "ended", "file")
"""States in which no call waits any more."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Someone that a session heard from or spoke to. ``name`` is escaped, for display."""

    number: int
    address: object
    literal: str
    name: str
    connection: bool = False
    row_name: str = ""
    """What a row that tells the direction by a sign has instead of ``name``, where that is shorter."""

    @property
    def in_rows(self) -> str:
        """What stands in a row."""
        return self.row_name or self.name


@dataclass(slots=True)
class Session:
    """A session as the client sees it."""

    number: int
    endpoint: Endpoint
    family: Family
    protocol: Protocol
    log: Log
    state: lifecycle.State = "opening"
    local: object = None
    remote: object = None
    peers: dict[int, Peer] = field(default_factory=dict)
    connections: tuple[int, ...] = ()
    longest_name: int = 0
    """Characters of the longest peer's name in a row so far."""
    drops: int = 0
    """Frames that the kernel dropped."""
    packets: int | None = None
    """Frames that reached an AF_PACKET socket, dropped ones included; None where the kernel does not count them."""
    receive_buffer: int = 0
    ring: int = 0
    """Bytes of the packet ring that it is read by, 0 where there is none."""
    interfaces: dict[int, str] = field(default_factory=dict)
    """The names of interfaces by index, where frames are from a packet ring."""
    timeout: float | None = None
    """As of ``settimeout()``."""
    waits: str = ""
    """What an operation waits for, "" where none does; escaped."""
    by_number: bool = False
    """Whether it was opened by number, its addresses through libc: the engine's Python lacks the family."""
    file: SocketFile | None = None
    """The socket file that the engine made and removes, unless it dies."""
    problem: Problem | None = None
    progress: float = 1.0
    """How much is known of the rows of a capture file, from 0 to 1."""
    notice: str = ""
    """What is wrong with a capture file, with what can be done; escaped."""
    growing: str = ""
    """Where more frames may come into a capture file: what it is, "growing" or "a live pipe"; else ""."""

    @property
    def title(self) -> str:
        """``inet/udp 127.0.0.1:9999``, escaped."""
        address = self.endpoint.remote if self.endpoint.operation == "connect" else self.local
        if address is None:
            address = self.endpoint.local
        shown = "" if address is None else f" {escape(self.family.text(address), 60)}"
        return f"{self.family.name}/{self.protocol.name}{shown}"

    def summary(self, frame: Frame) -> str:
        """One line for a payload that says more than its bytes, "" where they say it best; not escaped."""
        return summary(self.family.constant, self.protocol.name, frame.payload, self.service(frame))

    def fields(self, frame: Frame) -> dict[str, list[Value]]:
        """What decoders read in a payload, by name."""
        if frame.event:
            return {}
        peer = self.peers.get(frame.peer)
        # The address of a J1939 frame says which parameter group it is, whoever is connected to.
        other = peer.address if peer is not None and self.protocol.name == "j1939" else self.service(frame)
        return field_values(self.family.constant, self.protocol.name, frame.payload, other)

    def service(self, frame: Frame) -> object:
        """The address by which a person knows the other end of a frame: what was connected to, or the peer's."""
        if self.endpoint.operation == "connect":
            return self.endpoint.remote
        peer = self.peers.get(frame.peer)
        return None if peer is None else peer.address

    def spoken(self, frame: Frame) -> tuple[Family, Protocol] | None:
        """The family and protocol of a frame, None where no family of sockets has such frames."""
        return self.family, self.protocol

    @property
    def sockets(self) -> set[str]:
        """What sockets its rows are of, as far as they were read: ``inet/udp``, ``link type 147``."""
        return {f"{self.family.name}/{self.protocol.name}"}

    def sift(self, predicate: Predicate) -> Sift:
        """What goes through the rows for those that pass a filter."""
        from sockexplorer.capture.predicate import Compiled
        from sockexplorer.capture.sifting import Sift

        if not isinstance(predicate, Compiled):
            return Sift(self.log, predicate)
        from sockexplorer.capture.block_sift import BlockSift
        from sockexplorer.client.protocols import protocol_name_of_peer

        path = f"{self.family.name}/{self.protocol.name}"
        return BlockSift(
            self.log, predicate, predicate.test, self.peer_name, partial(protocol_name_of_peer, self),
            decoded=has_decoder(self.family.constant), fields=has_fields(self.family.constant),
            head=HEADS.get(path), link=path == "packet/raw",
        )  # fmt: skip

    def numbers_of(self, peer: int) -> array[int] | None:
        """The rows of a peer, None where they have to be looked for row by row."""
        return None

    def statistics(self, kind: Callable[[Frame], str], kind_of_peer: Callable[[int], str]) -> Statistics:
        """What counts the rows; ``kind`` is what a frame is counted as, ``kind_of_peer`` where its peer tells that."""
        from sockexplorer.capture.statistics import KINDS, BlockStatistics, DecodedStatistics

        path = f"{self.family.name}/{self.protocol.name}"
        if path.startswith(KINDS):
            return DecodedStatistics(self.log, kind, path)
        return BlockStatistics(self.log, kind_of_peer)

    def record(self, number: int) -> Record | None:
        """The record behind a row of a capture file, as it is in it; None where there is none."""
        return None

    @property
    def live(self) -> bool:
        """Whether frames may still come, as far as its kind tells."""
        return self.state != "file" or bool(self.growing)

    @property
    def torn(self) -> int:
        """How many bytes at the end of a capture file are no whole record."""
        return 0

    def release(self) -> None:
        """Called before the log is closed for good."""

    def peer_name(self, number: int) -> str:
        """The shown name of a peer, "" for none."""
        peer = self.peers.get(number)
        return peer.name if peer else ""

    def peer_in_rows(self, number: int) -> str:
        """What a row that has a sign for the direction shows of a peer, "" for none."""
        peer = self.peers.get(number)
        return peer.in_rows if peer else ""

    # --- what the engine says --------------------------------------------------------------------------------

    def take_status(self, status: dict[str, Any]) -> None:
        """Take in a ``status`` of the engine, or its reply to ``open``, which is one."""
        self.state = status["state"]
        self.connections = tuple(status.get("connections", ()))
        self.drops = status.get("drops", 0)
        self.timeout = status.get("timeout")
        self.waits = escape(str(status.get("waits", "")))
        self.packets = status.get("packets", self.packets)
        self.receive_buffer = status.get("receive_buffer", self.receive_buffer)
        self.ring = status.get("ring", self.ring)
        self.interfaces = {int(key): name for key, name in status.get("interfaces", {}).items()}
        self.by_number = status.get("by_number", self.by_number)
        with contextlib.suppress(ValueError, SyntaxError):
            if "local" in status:
                self.local = ast.literal_eval(status["local"])
            if "remote" in status:
                self.remote = ast.literal_eval(status["remote"])
        self.file = _socket_file(status["file"]) if "file" in status else None

    def meet(self, told: dict[str, Any], *, elsewhere: bool) -> None:
        """Get to know a peer that the engine numbered; ``elsewhere`` is whether the engine runs on another host."""
        literal = told["address"]
        with contextlib.suppress(ValueError, SyntaxError):
            address = ast.literal_eval(literal)
            number = int(told["id"])
            peer = self._named(number, address, literal, connection=bool(told.get("connection")))
            who = told.get("credentials")
            if who:
                # Elsewhere the number means another process.
                runs = "" if elsewhere else program(int(who["pid"]))
                name = f"#{number}" if peer.name == "(unnamed)" else peer.name
                peer = replace(peer, name=f"{name} pid {who['pid']} {runs}".rstrip(), row_name="")
            self._add(peer)

    def meet_name(self, number: int, name: bytes) -> None:
        """Get to know someone whom a packet ring names by a ``sockaddr_ll``."""
        with links.named(self.interfaces):
            address = self.family.unpack(self.protocol, name)
        self._add(self._named(number, address, repr(address)))

    def _named(self, number: int, address: object, literal: str, *, connection: bool = False) -> Peer:
        name, in_rows = (escape(text(address), MOST_OF_NAME) for text in (self.family.text, self.family.row_text))
        return Peer(number, address, literal, name, connection, in_rows)

    def _add(self, peer: Peer) -> None:
        self.longest_name = max(self.longest_name, len(peer.in_rows))
        self.peers[peer.number] = peer

    def lose(self, why: str) -> None:
        """The engine is gone: what was open has failed."""
        if self.state not in OVER:
            self.state = "failed"
            self.problem = Problem("engine", "", why, fixes=("restart the engine",))
            self.connections = ()


def _socket_file(told: list[Any]) -> SocketFile:
    # Imported when there is one: the first paint need not wait for it.
    from sockexplorer.engine.unixfile import SocketFile

    return SocketFile(*told)
