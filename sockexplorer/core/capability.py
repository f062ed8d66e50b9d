"""What this host can do, in steps: this Python has it → this kernel has it → you may use it → a device is there.

Each answer carries its evidence, and a fix where there is one. The engine's probe fills these values in; the
capability pane and ``doctor`` show them.
"""

from __future__ import annotations

from dataclasses import dataclass
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


StepName = Literal["python", "kernel", "allowed", "device"]
STEPS: dict[StepName, str] = {"python": "Python", "kernel": "kernel", "allowed": "allowed", "device": "device"}
"""The steps in their order, with a word for people."""
SENTENCES: dict[StepName, str] = {
    "python": "This Python has it", "kernel": "This kernel has it", "allowed": "You may use it",
    "device": "A device is there",
}  # fmt: skip
MARKS: dict[bool | None, str] = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an answer: ``ok`` is None where nothing tells, or where a step before it broke the chain."""

    ok: bool | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capability:
    """One family and protocol, or one constant."""

    name: str
    """``AF_INET/udp`` for a protocol, the constant's name for a constant."""
    group: str
    value: str
    """The number or text of a constant, "" where neither Python nor the kernel's headers have it."""
    state: State
    steps: tuple[Step, Step, Step, Step]
    """Of this Python, this kernel, what is allowed, and devices: see `STEPS`."""
    fix: tuple[str, ...] = ()

    @property
    def python(self) -> bool | None:
        return self.steps[0].ok

    @property
    def kernel(self) -> bool | None:
        return self.steps[1].ok

    @property
    def usable(self) -> bool | None:
        """Whether this process may use it."""
        return self.steps[2].ok

    @property
    def evidence(self) -> tuple[str, ...]:
        """The proofs of every step, in order."""
        return tuple(dict.fromkeys(line for step in self.steps for line in step.evidence))

    @property
    def words(self) -> str:
        """The state for people, and whether it can be had by number alone, for want of a name in Python."""
        by_number = self.python is False and self.kernel and self.state in ("available", "not-in-python")
        return WORDS[self.state] + (", but by number" if by_number else "")

    def named_steps(self) -> list[tuple[StepName, Step]]:
        """The steps with their names."""
        return list(zip(STEPS, self.steps, strict=True))

    def mark(self, step: Step) -> str:
        """✓, ✗, ? where nothing tells, – where there is nothing to ask, for it can be used."""
        return "–" if step.ok is None and self.state == "available" else MARKS[step.ok]

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the fields' names; a step is a pair of ``ok`` and ``evidence``."""
        return {
            "name": self.name,
            "group": self.group,
            "value": self.value,
            "state": self.state,
            "steps": [[step.ok, list(step.evidence)] for step in self.steps],
            "fix": list(self.fix),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Capability:
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        python, kernel, allowed, device = (Step(ok, tuple(evidence)) for ok, evidence in value["steps"])
        return cls(
            name=value["name"],
            group=value["group"],
            value=value["value"],
            state=value["state"],
            steps=(python, kernel, allowed, device),
            fix=tuple(value["fix"]),
        )
