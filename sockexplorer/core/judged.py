"""A draft together with the verdicts on it: what it says, and which operations are possible with it."""

from __future__ import annotations

from sockexplorer.core.draft import Draft
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Operation, Role
from sockexplorer.core.verdict import Verdict


class Judged:
    """Verdicts come after a while, when the draft may hold something else already: those no longer count."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._verdicts: dict[Role, Verdict] = {}

    def take(self, role: Role, verdict: Verdict) -> None:
        """Keep the verdict that came."""
        self._verdicts[role] = verdict

    def verdict(self, role: Role) -> Verdict | None:
        """The verdict on what the draft holds now; None while it is not there."""
        verdict = self._verdicts.get(role)
        if verdict is None:
            return None
        try:
            return verdict if repr(self.draft.address(role)) == repr(verdict.address) else None
        except FieldError:
            return None

    def verdicts(self) -> dict[Role, Verdict]:
        """Those that are there."""
        found = {role: self.verdict(role) for role in self.draft.roles}
        return {role: verdict for role, verdict in found.items() if verdict is not None}

    def possible(self, operation: Operation) -> bool:
        """Whether the draft holds what an operation needs, and CPython did not refuse it."""
        if self.draft.obstacle(operation) is not None:
            return False
        verdicts = (self.verdict(role) for role in self.draft.needs(operation))
        return all(verdict.accepted for verdict in verdicts if verdict is not None)
