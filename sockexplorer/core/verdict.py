"""The verdict on an address: what CPython says of it, why, and what a person should know besides."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Literal

from sockexplorer.core.faults import Notice, shown

Decider = Literal["cpython", "model"]
"""The running interpreter's C parser; or the family's declaration, where the parser was built without the family."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``accepted`` by the parser that ``decided_by`` names, or refused with ``exception`` and ``message``.

    ``field`` is the element at fault ("" when it is the whole), ``reason`` and ``remedy`` say it for people.
    ``sockaddr`` is what the kernel would see, None where that can't be told without a lookup or an interface.
    """

    accepted: bool
    decided_by: Decider
    exception: str | None = None
    message: str = ""
    field: str = ""
    reason: str = ""
    remedy: str = ""
    notices: tuple[Notice, ...] = ()
    sockaddr: bytes | None = None
    address: object = None

    def sentence(self) -> str:
        """One line for people: which field, why, and what would be right. Not escaped."""
        if self.accepted:
            return "CPython accepts this address"
        reason = self.reason or self.message
        joint = " " if reason.startswith(("is ", "has ", "can't ")) else ": "
        where = f"{self.field}{joint}" if self.field else ""
        return f"{where}{reason}" + (f"; {self.remedy}" if self.remedy else "")

    def to_json(self) -> dict[str, Any]:
        """A JSON object; ``sockaddr`` in hex, the address as a Python literal."""
        return {
            "verdict": "accept" if self.accepted else "reject",
            "exception": self.exception,
            "message": self.message,
            "field": self.field or None,
            "reason": self.reason,
            "remedy": self.remedy,
            "warnings": [{"field": each.field, "text": each.text} for each in self.notices],
            "decided_by": self.decided_by,
            "sockaddr": None if self.sockaddr is None else self.sockaddr.hex(),
            "address": shown(self.address),
        }

    def report(self) -> dict[str, Any]:
        """As `to_json`, for programs of others: each warning is a sentence."""
        return {**self.to_json(), "warnings": [str(each) for each in self.notices]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Verdict:
        """The reverse of `to_json`. Raises KeyError or ValueError for anything else."""
        return cls(
            accepted=value["verdict"] == "accept",
            decided_by=value["decided_by"],
            exception=value["exception"],
            message=value["message"],
            field=value["field"] or "",
            reason=value["reason"],
            remedy=value["remedy"],
            notices=tuple(Notice(each["field"], each["text"]) for each in value["warnings"]),
            sockaddr=None if value["sockaddr"] is None else bytes.fromhex(value["sockaddr"]),
            address=ast.literal_eval(value["address"]),
        )
