"""Numbers for peers: a frame carries a number, the address behind it is told once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

LIMIT = 100_000
"""A flood from ever new addresses stops getting numbers here; frames then name their peer in their metadata."""


class Peers:
    """The peers of one session, numbered from 1 in the order that they were seen."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, tuple[int, int]] = {}
        self._count = 0
        self._untold: list[dict[str, Any]] = []

    def known(self, key: Hashable) -> tuple[int, int] | None:
        """The number and the flags of a peer that was seen before."""
        return self._numbers.get(key)

    def full(self) -> bool:
        """Whether no more numbers are given."""
        return self._count >= LIMIT

    def add(self, key: Hashable, address: object, flags: int = 0, **more: Any) -> int:
        """Number a new peer. ``more`` is told to the client with it: ``connection``, ``credentials`` …"""
        self._count += 1
        self._numbers[key] = self._count, flags
        self._untold.append({"id": self._count, "address": repr(address), **more})
        return self._count

    @property
    def untold(self) -> bool:
        """Whether there are any that the client has not heard of."""
        return bool(self._untold)

    def tell(self) -> list[dict[str, Any]]:
        """The peers that the client has not heard of."""
        told, self._untold = self._untold, []
        return told

    def take_back(self, told: list[dict[str, Any]]) -> None:
        """Those of `tell` did not get through: they are told again."""
        self._untold[:0] = told
