"""Pane 2: the form that builds and checks an address, and the keys that use it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from sockexplorer.client.client import Problem
from sockexplorer.core.about import Section, about_field, about_protocol
from sockexplorer.core.capability import Capability
from sockexplorer.core.draft import Draft
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.judged import Judged
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.explain import capability_line, problem_text, verdict_lines
from sockexplorer.ui.panes.form_duties import FormDuties
from sockexplorer.ui.widgets.field_input import FieldInput
from sockexplorer.ui.widgets.form import AddressForm
from sockexplorer.ui.widgets.form_actions import WORDS, FormActions
from sockexplorer.ui.widgets.sockaddr_view import SockaddrView

ABSENT = ("EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")
"""What socket() says of a family or a protocol that the kernel does not have."""
BESIDE = 116
"""Cells of width from which the bytes stand beside the fields, not below them."""


class AddressPane(FormDuties):
    """The form of one protocol. Drafts of others are kept, so that looking around loses nothing."""

    NUMBER, TITLE = 2, "Address"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "operate('bind')", "Bind", id="bind"),
        Binding("c", "operate('connect')", "Connect", id="connect"),
        Binding("l", "operate('listen')", "Listen", id="listen"),
        Binding("o", "operate('open')", "Open", id="open"),
        Binding("m", "show_me", "Show me", id="show-me", tooltip="Both ends on this machine, and what they say"),
        Binding("v", "code", "Code", id="code"),
        Binding("s", "sockaddr", "Bytes", id="sockaddr", tooltip="The bytes that the kernel sees, field by field"),
        Binding("p", "paste", "Paste", id="paste", tooltip="Read an address in any notation: Python, socat, ss …"),
        Binding("r", "resolve", "Resolve", id="resolve", tooltip="Look the host name up, and choose a number"),
        Binding("i", "edit", "Edit", id="edit", tooltip="Type into the first field"),
        Binding("y", "copy", "Copy", show=False, id="copy-address", tooltip="Copy the Python address"),
        Binding("pagedown", "bytes(1)", "Bytes, next page", show=False),
        Binding("pageup", "bytes(-1)", "Bytes, page before", show=False),
        Binding("down,j", "app.focus_next", "Next", show=False),
        Binding("up,k", "app.focus_previous", "Before", show=False),
        Binding("right", "app.focus_next", "Next", show=False),
        Binding("left", "app.focus_previous", "Before", show=False),
    ]

    class Check(Message):
        """An address wants CPython's verdict."""

        def __init__(self, draft: Draft, role: Role, address: object) -> None:
            super().__init__()
            self.draft = draft
            self.role = role
            self.address = address

    def __init__(self) -> None:
        super().__init__(id="address")
        self._drafts: dict[tuple[str, str], Draft] = {}
        self._offered: tuple[object, ...] = ()
        self._capabilities: dict[str, Capability] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="form-title")
        with Container(id="form-area"):
            yield AddressForm()
            yield SockaddrView()
        yield Static(id="problem")
        yield Static(id="verdict")
        yield FormActions()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(SockaddrView).display = False
        self.redraw()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self.redraw()

    def home(self) -> Widget:
        first = next(iter(self.form.inputs()), None)
        return first or self.query_one("#do-code")

    def know(self, protocols: list[Capability]) -> None:
        """Say of a protocol that this host lacks that it does."""
        self._capabilities = {each.name: each for each in protocols}
        self.redraw()

    def on_descendant_focus(self) -> None:
        self._show_meant()

    def on_descendant_blur(self) -> None:
        self._show_meant()

    def _show_meant(self) -> None:
        """Show what goes by the field that is typed in: which button Enter presses, and whose bytes are in sight."""
        if self.judged is not None:
            self._show_bytes()
            self._show_actions()

    # --- which form ----------------------------------------------------------------------------------------

    def show(self, family: Family, protocol: Protocol) -> Draft:
        """Show the form of a protocol, as it was left."""
        key = family.constant, protocol.name
        draft = self._drafts.setdefault(key, Draft.fresh(family, protocol))
        if draft is not self.draft:
            self.judged = Judged(draft)
            self._rebuild()
        return draft

    def refill(self) -> None:
        """The draft was changed from outside: show it again."""
        self._rebuild()

    def _rebuild(self) -> None:
        self._problem = None
        if self.judged is not None:
            self.judged = Judged(self.judged.draft)
            self.form.show(self.judged.draft)
        self._update()

    @on(AddressForm.Edited)
    def _edited(self, event: AddressForm.Edited) -> None:
        self._problem = None
        if self.draft is not None and event.role is not None:
            # Who types the peer's address means to connect.
            connects = event.role == "remote" and "connect" in self.draft.protocol.operations
            self.draft.wanted = "connect" if connects else None
        self._update()

    def _update(self) -> None:
        """Ask for the verdicts on what the form holds, and show what is known already."""
        draft = self.draft
        if draft is not None:
            for role in draft.roles:
                try:
                    address = draft.address(role)
                except FieldError:
                    continue
                self.post_message(self.Check(draft, role, address))
        self.redraw()

    def check_again(self) -> None:
        """Ask for the verdicts anew: another engine answers."""
        self._update()

    def take(self, draft: Draft, role: Role, verdict: Verdict) -> None:
        """CPython's verdict came."""
        if self.judged is not None and draft is self.judged.draft:
            self.judged.take(role, verdict)
            self.redraw()

    def failed(self, problem: Problem | None) -> None:
        """The host refused what the form asked for: say so where it was asked."""
        draft = self.draft
        known = self._capabilities.get(f"{draft.family.constant}/{draft.protocol.name}") if draft is not None else None
        if problem is not None and problem.name in ABSENT and known is not None and known.fix:
            # The probe knows why, and what would change it.
            problem = replace(problem, fixes=(*known.fix, "pane 4 has the evidence"))
        self._problem = problem
        self.redraw()

    # --- what is shown -------------------------------------------------------------------------------------

    def redraw(self) -> None:
        if self.judged is None:
            self.tell("#form-title", Content("No protocol chosen"))
            self.tell("#verdict", Content(""))
        else:
            draft = self.judged.draft
            proto = escape(draft.proto, 40) or draft.protocol.proto
            names = f"{draft.family.constant} · {draft.protocol.type} · {proto if proto != '0' else 'protocol 0'}"
            known = self._capabilities.get(f"{draft.family.constant}/{draft.protocol.name}")
            help_ = (
                ("", "") if self.query_one(SockaddrView).display else (f"\n{draft.protocol.help}", "$foreground-muted")
            )
            self.tell("#form-title", Content.assemble((names, "bold $primary"), help_, capability_line(known)))
            self.tell("#verdict", verdict_lines(draft, self.judged.verdicts(), self.size.width - 2))
            self._show_bytes()
        self._show_problem()
        if self.judged is not None:
            self.form.mark(self.judged)
        self._show_actions()

    def _show_bytes(self) -> None:
        """What the kernel sees of the address that the cursor is in, or of the one that Enter uses."""
        view = self.query_one(SockaddrView)
        if view.display and self.judged is not None:
            role = self.focused_role
            view.show_address(self.judged.draft, role, self.judged.verdict(role))

    def _show_problem(self) -> None:
        problem = self._problem
        self.query_one("#problem").display = problem is not None
        if problem is not None:
            self.tell("#problem", problem_text(problem))

    def _show_actions(self) -> None:
        # Only one button may look as if Enter pressed it: the one that has the focus, else that of the operation.
        actions = self.query_one(FormActions)
        actions.show(self.judged, None if actions.has_focus_within else self.primary)
        offered = id(self.draft), *map(self.possible, WORDS), self.named() is not None
        if offered != self._offered:
            # The footer is composed anew each time: not at every key that is typed.
            self._offered = offered
            self.refresh_bindings()

    def subject(self) -> tuple[str, list[Section]]:
        if self.draft is None:
            return "Address", [("", ["Choose a family and a protocol first."])]
        draft = self.draft
        focused = self.screen.focused
        sections = about_protocol(draft.family, draft.protocol)
        title = f"{draft.family.constant}/{draft.protocol.name}"
        if isinstance(focused, FieldInput):
            title = f"{draft.family.constant} · {focused.field.name}"
            own = (
                about_field(draft.family, draft.protocol, focused.field)
                if focused.role
                else [("", [focused.field.help])]
            )
            sections = [*own, (f"{draft.family.constant}/{draft.protocol.name}", sections[0][1]), *sections[1:]]
        return title, sections
