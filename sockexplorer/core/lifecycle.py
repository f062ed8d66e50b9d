"""The life of a session as a table: which operation is possible in which state, and where it leads.

Rule 1: a pair that is not in the table is not possible; the interface disables its key, the engine refuses it.
Rule 2: ``close`` is possible in every state but ``closed``, and ``file``: a capture that is shown is no socket.
"""

from __future__ import annotations

from typing import Literal

State = Literal["opening", "open", "bound", "connecting", "connected", "listening", "ended", "failed", "closed", "file"]
Step = Literal["opened", "bound", "connecting", "connected", "listening", "send", "end", "fail", "close"]

NEXT: dict[tuple[State, Step], State] = {
    ("opening", "opened"): "open",
    ("opening", "bound"): "bound",
    ("opening", "connecting"): "connecting",
    ("opening", "connected"): "connected",
    ("opening", "listening"): "listening",
    ("opening", "fail"): "failed",
    ("connecting", "connected"): "connected",
    ("connecting", "fail"): "failed",
    ("open", "send"): "open",
    ("bound", "send"): "bound",
    ("connected", "send"): "connected",
    ("listening", "send"): "listening",
    ("connected", "end"): "ended",
    ("open", "fail"): "failed",
    ("bound", "fail"): "failed",
    ("connected", "fail"): "failed",
    ("listening", "fail"): "failed",
    **{
        (state, "close"): "closed"
        for state in ("opening", "open", "bound", "connecting", "connected", "listening", "ended", "failed")
    },
}


class IllegalStep(RuntimeError):
    """An operation that the state does not allow."""


def allowed(state: State, step: Step) -> bool:
    """Whether the table has the pair."""
    return (state, step) in NEXT


def after(state: State, step: Step) -> State:
    """The state that follows. Raises `IllegalStep` for a pair that the table lacks."""
    try:
        return NEXT[state, step]
    except KeyError:
        raise IllegalStep(f"{step} is not possible while the session is {state}") from None
