"""What a style of script has to know: how each call is written, and what stands around the body."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script.parts import Parts


class Dialect(ABC):
    """One way to wait. Calls are expressions; ``sock`` is the name of the socket in the script."""

    @abstractmethod
    def receive(self, size: int | str, sock: str = "sock") -> str:
        """What has arrived; ``size`` may be an expression."""

    @abstractmethod
    def receive_from(self, size: int) -> str:
        """A message and its sender."""

    @abstractmethod
    def send(self, sock: str = "sock") -> str:
        """Send PAYLOAD to whom the socket is connected."""

    @abstractmethod
    def send_to(self, address: str) -> str:
        """Send PAYLOAD to an address, given as an expression."""

    @abstractmethod
    def accept(self) -> str:
        """Take the next connection: a socket and an address."""

    @abstractmethod
    def in_turn(self) -> list[str]:
        """What a loop that receives does at the end of each turn, if anything."""

    @abstractmethod
    def connect(self, parts: Parts, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        """Connect to the endpoint's remote address; may add helpers."""

    def patience(self, timeout: float) -> list[str]:
        """The lines that make the socket give up a call after ``timeout`` seconds, where the style has such."""
        return []

    @abstractmethod
    def serve(self, parts: Parts, label: str, size: int, *, greet: bool) -> list[str]:
        """Accept peers for ever, print what each sends, greet each with PAYLOAD; may add helpers.

        ``label`` names a peer, as an expression of ``connection`` and ``address``.
        """

    @abstractmethod
    def main(self, parts: Parts) -> list[str]:
        """The end of the script, as texts: functions, if any, and the statements that start it all."""
