"""A demonstration: both ends of a protocol on this machine, and what they say to each other, as a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sockexplorer.core.endpoint import SetOption
    from sockexplorer.core.protocol import Operation


class _Other:
    """Stands for the address of the other end, which the kernel chooses."""

    def __repr__(self) -> str:
        return "OTHER"


OTHER = _Other()
LEFT, RIGHT = "left", "right"
"""The two ends of a veth pair in a namespace of the demonstration's own; a ``vcan0`` is there too."""


@dataclass(frozen=True)
class End:
    """One socket of a demonstration. ``protocol`` is another one of the family, "" for the one that is shown."""

    operation: Operation
    local: object = None
    remote: object = None
    protocol: str = ""
    options: tuple[SetOption, ...] = ()


@dataclass(frozen=True)
class Act:
    """One message: which end sends it, and to whom where it is not connected."""

    end: Literal[0, 1]
    data: bytes
    to: object = None
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Demo:
    """``says`` is what will be seen, in a sentence or two. ``private`` ones have a network namespace of their own.

    There they need no rights where the kernel lets users have namespaces; ``lo``, a veth pair and ``vcan0`` are up.
    """

    says: str
    ends: tuple[End, ...]
    acts: tuple[Act, ...]
    private: bool = False


def conversation(says: str, first: End, second: End, *, private: bool = False) -> Demo:
    """The second end is connected to the first: a greeting and its answer."""
    return Demo(says, (first, second), (Act(1, b"hello"), Act(0, b"hello yourself", OTHER)), private)
