"""What this host can do, in steps: this Python has it → this kernel has it → you may use it → a device is there.

Each answer carries its evidence, and a fix where there is one. The engine's probe fills these values in; the
capability pane and ``doctor`` show them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal[
    "available",
    "needs-privilege",
    "not-loaded",
    "not-in-kernel",
    "not-in-python",
    "no-device",
    "switched-off",
    "other-os",
    "unknown",
]
GLYPHS: dict[State, str] = {
    "available": "●",
    "needs-privilege": "◐",
    "not-loaded": "◐",
    "switched-off": "◐",
    "no-device": "◐",
    "unknown": "◌",
    "not-in-kernel": "○",
    "not-in-python": "◐",
    "other-os": "○",
}
WORDS: dict[State, str] = {
    "available": "available",
    "needs-privilege": "needs a right",
    "not-loaded": "module not loaded",
    "switched-off": "switched off",
    "no-device": "no device",
    "unknown": "can't tell without using it",
    "not-in-kernel": "not in this kernel",
    "not-in-python": "not in this Python",
    "other-os": "another system's",
}


@dataclass(frozen=True, slots=True)
class Capability:
    """One family and protocol, or one constant. ``python``, ``kernel`` and ``usable`` are None where nothing tells."""

    name: str
    """``AF_INET/udp`` for a protocol, the constant's name for a constant."""
    group: str
    value: str
    """The number or text of a constant, "" where neither Python nor the kernel's headers have it."""
    python: bool | None
    kernel: bool | None
    usable: bool | None
    state: State
    evidence: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The state for people, and whether it can be had by number alone, for want of a name in Python."""
        by_number = self.python is False and self.kernel and self.state in ("available", "not-in-python")
        return WORDS[self.state] + (", but by number" if by_number else "")

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the same names."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Capability:
        """The reverse of `to_json`. Raises KeyError or TypeError for anything else."""
        return cls(**{**value, "evidence": tuple(value["evidence"]), "fix": tuple(value["fix"])})
