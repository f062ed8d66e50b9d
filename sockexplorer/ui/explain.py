"""What the panes say in words: verdicts, failures, the state of a session. Everything from outside is escaped here."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Session
from sockexplorer.core.capability import GLYPHS, WORDS, Capability
from sockexplorer.core.draft import Draft
from sockexplorer.core.family import Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.clock import count, rate, size

Part = Content | str | tuple[str, str]
MUTED = "$foreground-muted"


def problem_text(problem: Problem) -> Content:
    """What failed, what it means, what to try."""
    parts: list[Part] = [(f"✗ {escape(problem.headline())}", "bold $text-error")]
    if problem.what:
        parts.append(f"\n{escape(problem.what)}")
    parts += [Content.assemble(("\n▸ ", "$text-accent"), escape(fix)) for fix in problem.fixes]
    return Content.assemble(*parts)


def capability_line(capability: Capability | None) -> Content:
    """What stands in the way of a protocol on this host, with the likeliest fix; nothing when it is available."""
    if capability is None or capability.state == "available":
        return Content("")
    fix = f"; {capability.fix[0]}" if capability.fix else ""
    text = f"\n{GLYPHS[capability.state]} {WORDS[capability.state]}{escape(fix)} (pane 4 has the evidence)"
    return Content.styled(text, "$text-warning")


def verdict_lines(draft: Draft, verdicts: Mapping[Role, Verdict]) -> Content:
    """A line or more for each address of a form: the tuple, or what is wrong with which field."""
    lines: list[Content] = []
    for role in draft.roles:
        verdict = verdicts.get(role)
        faults = draft.faults(role)
        label = (f"{role:<6} ", MUTED)
        if faults and draft.blank(role):
            needed = " and ".join(fault.field for fault in faults if not str(fault.value).strip())
            text = f"· to connect, fill in {needed}" if role == "remote" else f"· fill in {needed}"
            lines.append(Content.assemble(label, (text, MUTED)))
        elif faults:
            lines += [Content.assemble(label, (f"✗ {fault}", "$text-error")) for fault in faults]
        elif verdict is not None and not verdict.accepted:
            text = f"✗ {escape(verdict.sentence())}  ({verdict.exception}: {escape(verdict.message, 80)})"
            lines.append(Content.assemble(label, (text, "$text-error")))
        else:
            lines += _accepted(draft, role, verdict, label)
    return Content("\n").join(lines)


def _accepted(draft: Draft, role: Role, verdict: Verdict | None, label: tuple[str, str]) -> list[Content]:
    address = escape(ascii(draft.address(role)))
    width = ""
    if verdict is not None and verdict.sockaddr is not None:
        width = f"  sockaddr {len(verdict.sockaddr)} bytes"
    mark = ("✓ ", "$text-success") if verdict else ("… ", MUTED)
    lines = [Content.assemble(label, mark, (address, "bold"), (width, MUTED))]
    for notice in verdict.notices if verdict else ():
        where = f"{notice.field}: " if notice.field else ""
        lines.append(Content.assemble("       ", (f"⚠ {where}{notice.text}", "$text-warning")))
    return lines


def status_text(session: Session, rate_now: float, paused_at: int | None, *, following: bool, behind: int) -> Content:
    """The line over the traffic: state, rate, counts, what was lost, and whether the view follows.

    ``rate_now`` in frames a second; ``behind`` counts rows that the filter has still to look at.
    """
    log = session.log
    kept = log.received + log.sent - log.dropped
    parts: list[Part] = [(f"{session.state} ", "bold")]
    # Before the counts: where the line is short it is cut at its end.
    if paused_at is not None:
        parts.append((f"‖ paused, {count(log.end - paused_at)} more  ", "bold $text-accent"))
    elif not following:
        parts.append(("▲ not following: G to go on  ", "$text-accent"))
    if rate_now:
        parts.append((f"{rate(rate_now)} ", "$text-accent"))
    parts.append(f"← {count(log.received)}  → {count(log.sent)}  kept {count(kept)} ({size(log.size)})  ")
    lost = [f"{count(log.dropped)} dropped from the log"] if log.dropped else []
    lost += [f"{count(session.drops)} dropped by the kernel"] if session.drops else []
    parts.append((f"⚠ {', '.join(lost)}  ", "$text-warning") if lost else ("0 dropped  ", MUTED))
    if behind:
        parts.append((f"filtering, {count(behind)} to go", MUTED))
    return Content.assemble(*parts)


def empty_text(session: Session | None, *, filtered: bool) -> Content:
    """What stands where there is no row: what to do next, or why there is none."""
    if session is None:
        key = "bold $text-accent"
        return Content.assemble(
            "Nothing is open yet.\n\n",
            ("1", key), " choose a family and protocol   ",
            ("2", key), " fill in its address   ",
            ("enter", key), " open it",
        )  # fmt: skip
    if session.problem is not None:
        return problem_text(session.problem)
    if filtered:
        return Content.styled("No row passes the filter.", MUTED)
    if session.state not in ("bound", "listening", "open"):
        return Content.styled(f"The session is {session.state}; no frame yet.", MUTED)
    what = "Waiting for peers" if session.state == "listening" else "Waiting for frames"
    buffer = f", receive buffer {size(session.receive_buffer)}" if session.receive_buffer else ""
    parts: list[Part] = [(what, "bold"), f" at {escape(ascii(session.local))}{buffer}."]
    if command := session.family.try_it(session.protocol, session.local):
        parts += ["\n\nFrom another terminal:\n  ", (escape(command, 160), "$text-accent")]
    return Content.assemble(*parts)
