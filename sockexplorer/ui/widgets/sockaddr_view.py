"""The bytes that the kernel sees of an address, beside the form: offset, size, byte order, value and meaning."""

from __future__ import annotations

import textwrap

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sockexplorer.core.draft import Draft
from sockexplorer.core.protocol import Role
from sockexplorer.core.sockaddr import Row
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict

STYLES = ("$text-primary", "$text-accent")
"""Neighbours differ, so that a member is found in the dump."""
MUTED = "$foreground-muted"


class SockaddrView(VerticalScroll, can_focus=True):
    """Shows one ``sockaddr``, or why there is none."""

    def __init__(self) -> None:
        super().__init__(Static(id="sockaddr-text"), id="sockaddr")
        self._title, self._rows, self._why_not = "", list[Row](), ""
        self._drawn: tuple[object, ...] = ()

    def show_address(self, draft: Draft, role: Role, verdict: Verdict | None) -> None:
        """Show the bytes of an address of a draft, as far as its verdict tells them."""
        if verdict is None or not verdict.accepted:
            self._show("", [], f"The {role} address has no bytes yet: CPython has to accept it first.")
        elif verdict.sockaddr is None:
            self._show("", [], f"The bytes of the {role} address are known when its name is looked up.")
        else:
            layout = draft.family.layout(draft.protocol, verdict.sockaddr)
            size = f"{len(verdict.sockaddr)} bytes"
            self._show(f"{role} · struct {layout.name} · {size}", layout.rows(verdict.sockaddr))

    def _show(self, title: str, rows: list[Row], why_not: str = "") -> None:
        """``title`` names the structure; without rows ``why_not`` is said."""
        self._title, self._rows, self._why_not = title, rows, why_not
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(40, self.scrollable_content_region.width)
        drawn = (self._title, tuple(self._rows), self._why_not, width)
        if drawn != self._drawn:
            self._drawn = drawn
            text = Content.styled(self._why_not, MUTED)
            if self._rows:
                text = sockaddr_text(self._title, self._rows, width)
            self.query_one("#sockaddr-text", Static).update(text)


def sockaddr_text(title: str, rows: list[Row], width: int) -> Content:
    """The structure as a dump and a table, ``width`` cells wide."""
    lines = [Content.styled(title, "bold")]
    cells = [(byte, STYLES[at % 2]) for at, row in enumerate(rows) for byte in row.raw]
    dump = 16 if width >= 6 + 16 * 3 else 8
    last: list[int] = []
    for start in range(0, len(cells), dump):
        part = cells[start : start + dump]
        these = [byte for byte, _ in part]
        if these == last and start + dump < len(cells):
            if lines[-1].plain != "*":
                lines.append(Content.styled("*", MUTED))  # as hexdump does: like the line before
            continue
        last = these
        lines.append(Content.assemble((f"{start:04x}  ", MUTED), *((f"{byte:02x} ", style) for byte, style in part)))
    name_width = max(len(row.name) for row in rows)
    head = f"{'at':>3} {'size':>4}  {'order':<8}{'field':<{name_width}}  "
    lines.append(Content.styled(f"{head}value", MUTED))
    for at, row in enumerate(rows):
        before = f"{row.offset:>3} {row.size:>4}  {row.order:<8}"
        room = max(16, width - len(head))
        value = escape(row.value, 300)
        parts = textwrap.wrap(f"{value} · {row.meaning}", room, break_on_hyphens=False) or [""]
        for number, text in enumerate(parts):
            label = before if number == 0 else " " * len(before)
            name = escape(row.name) if number == 0 else ""
            told, dot, meaning = text.partition(" · ")
            lines.append(
                Content.assemble(
                    (label, MUTED), (f"{name:<{name_width}}  ", STYLES[at % 2]), told, (dot + meaning, MUTED)
                )
            )
    return Content("\n").join(lines)
