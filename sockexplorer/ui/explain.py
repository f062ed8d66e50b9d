"""What the panes say in words: verdicts, failures, the state of a session. Everything from outside is escaped here."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from textual.content import Content

from sockexplorer.client.client import Problem
from sockexplorer.client.session import Session
from sockexplorer.core.capability import GLYPHS, Capability
from sockexplorer.core.draft import Draft
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.clock import size

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
    text = f"\n{GLYPHS[capability.state]} {capability.words}{escape(fix)} (pane 4 has the evidence)"
    return Content.styled(text, "$text-warning")


def verdict_lines(draft: Draft, verdicts: Mapping[Role, Verdict], width: int) -> Content:
    """A line or more for each address of a form: the tuple, or what is wrong with which field; ``width`` in cells."""
    lines: list[Content] = []
    said = [(f"{role:<6} ", _said(draft, role, verdicts.get(role))) for role in draft.roles]
    said.append((" " * 7, [(f"✗ {fault}", "$text-error") for fault in draft.setting_faults()]))
    for label, sentences in said:
        for text, style in sentences:
            room = max(20, width - len(label))
            for part in textwrap.wrap(text, room, subsequent_indent="  ", break_on_hyphens=False) or [text]:
                lines.append(Content.assemble((label, MUTED), (part, style)))
                label = " " * len(label)
    return Content("\n").join(lines)


def by_declaration(family: Family) -> str:
    """What it means that a declaration decided, for a family that the engine's Python lacks."""
    if family.by_bytes:
        return "opened by number: only the kernel knows if it is right"
    if family.foreign:
        return "decided by the declaration: this Python lacks the family's parser"
    return "decided by the declaration, opened by number: this Python lacks the family"


def _said(draft: Draft, role: Role, verdict: Verdict | None) -> list[tuple[str, str]]:
    """Lines about one address with their styles."""
    faults = draft.faults(role)
    if missing := draft.missing(role):
        needed = " and ".join(missing)
        return [(f"· to connect, fill in {needed}" if role == "remote" else f"· fill in {needed}", MUTED)]
    if faults:
        return [(f"✗ {fault}", "$text-error") for fault in faults]
    if verdict is not None and not verdict.accepted:
        raised = f"({verdict.exception}: {escape(verdict.message, 80)})"
        if verdict.decided_by == "model":
            raised += f" {by_declaration(draft.family)}"
        return [(f"✗ {escape(verdict.sentence())} {raised}", "$text-error")]
    address = escape(ascii(draft.address(role)))
    if verdict is None:
        return [(f"… {address}", MUTED)]
    size_ = f"  sockaddr {len(verdict.sockaddr)} bytes" if verdict.sockaddr is not None else ""
    notices = [f"{each.field}: {each.text}" if each.field else each.text for each in verdict.notices]
    lacking = [] if verdict.decided_by == "cpython" else [("· " + by_declaration(draft.family), MUTED)]
    return [(f"✓ {address}{size_}", "bold"), *lacking, *((f"⚠ {escape(each)}", "$text-warning") for each in notices)]


def buffer_text(session: Session) -> str:
    """Where the kernel puts frames until they are read, and how much it holds, as it was granted."""
    return f"packet ring {size(session.ring)}" if session.ring else f"receive buffer {size(session.receive_buffer)}"


def empty_text(session: Session | None, *, filtered: bool, behind: bool = False, paused: bool = False) -> Content:
    """What stands where there is no row: what to do next, or why there is none.

    ``behind`` is whether the filter has rows still to look at.
    """
    if session is None:
        key = "bold $text-accent"
        return Content.assemble(
            "Nothing is open yet.\n\n",
            ("1", key), " choose a family and protocol   ",
            ("2", key), " fill in its address   ",
            ("enter", key), " open it\n\n",
            ("m", key), " on a protocol plays both ends   ",
            ("ctrl+o", key), " opens a capture file",
        )  # fmt: skip
    if session.problem is not None:
        return problem_text(session.problem)
    if paused and session.log.dropped:
        return Content.assemble(
            ("The log has dropped the rows that the pause showed. ", MUTED), ("p", "bold $text-accent"), " goes on."
        )
    if filtered:
        return Content.styled(f"No row passes the filter{' so far' * behind}.", MUTED)
    if session.state == "file":
        if session.growing:
            return Content.styled(f"Waiting for frames: it is {session.growing}.", MUTED)
        return Content.styled("No frame so far." if session.progress < 1 else "There is no frame in it.", MUTED)
    if session.state == "connecting" and session.waits:
        return Content.assemble((session.waits, "bold"), ".\n\n", ("x", "bold $text-accent"), " closes it")
    if session.state == "closed":
        return Content.assemble(
            ("The session is closed; there was no frame. ", MUTED), ("x", "bold $text-accent"), " forgets it."
        )
    if session.state not in ("bound", "listening", "open"):
        return Content.styled(f"The session is {session.state}; no frame yet.", MUTED)
    what = "Waiting for peers" if session.state == "listening" else "Waiting for frames"
    buffer = f", {buffer_text(session)}" if session.receive_buffer else ""
    parts: list[Part] = [(what, "bold"), f" at {escape(ascii(session.local))}{buffer}."]
    if command := session.family.try_it(session.protocol, session.local):
        parts += ["\n\nFrom another terminal:\n  ", (escape(command, 160), "$text-accent")]
    return Content.assemble(*parts)
