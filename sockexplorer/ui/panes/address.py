"""Pane 2: the form that builds and checks an address, and the keys that use it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events, on
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
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family, Operation, Protocol, Role
from sockexplorer.core.faults import FieldError
from sockexplorer.core.judged import Judged
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.explain import capability_line, problem_text, verdict_lines
from sockexplorer.ui.panes.pane import CopyText, Pane, ShowMe
from sockexplorer.ui.widgets.field_input import FieldInput
from sockexplorer.ui.widgets.form import AddressForm
from sockexplorer.ui.widgets.form_actions import WORDS, FormActions
from sockexplorer.ui.widgets.sockaddr_view import SockaddrView

ABSENT = ("EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")
"""What socket() says of a family or a protocol that the kernel does not have."""
BESIDE = 116
"""Cells of width from which the bytes stand beside the fields, not below them."""


class AddressPane(Pane):
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

    class Open(Message):
        """The person wants this endpoint."""

        def __init__(self, endpoint: Endpoint) -> None:
            super().__init__()
            self.endpoint = endpoint

    class ShowCode(Message):
        """The person wants to see the script."""

    class ReadAddress(Message):
        """The person wants to paste an address that is written in some notation."""

    class Resolve(Message):
        """The person wants to know the numbers of a host name."""

        def __init__(self, draft: Draft, role: Role, address: object) -> None:
            super().__init__()
            self.draft = draft
            self.role = role
            self.address = address

    def __init__(self) -> None:
        super().__init__(id="address")
        self.judged: Judged | None = None
        self._drafts: dict[tuple[str, str], Draft] = {}
        self._problem: Problem | None = None
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
        self._show()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE, "-beside")
        self._show()

    def home(self) -> Widget:
        first = next(iter(self.form.inputs()), None)
        return first or self.query_one("#do-code")

    @property
    def draft(self) -> Draft | None:
        """What the form holds."""
        return self.judged.draft if self.judged is not None else None

    @property
    def form(self) -> AddressForm:
        return self.query_one(AddressForm)

    def know(self, protocols: list[Capability]) -> None:
        """Say of a protocol that this host lacks that it does."""
        self._capabilities = {each.name: each for each in protocols}
        self._show()

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
        self._show()

    def check_again(self) -> None:
        """Ask for the verdicts anew: another engine answers."""
        self._update()

    def take(self, draft: Draft, role: Role, verdict: Verdict) -> None:
        """CPython's verdict came."""
        if self.judged is not None and draft is self.judged.draft:
            self.judged.take(role, verdict)
            self._show()

    def failed(self, problem: Problem | None) -> None:
        """The host refused what the form asked for: say so where it was asked."""
        draft = self.draft
        known = self._capabilities.get(f"{draft.family.constant}/{draft.protocol.name}") if draft is not None else None
        if problem is not None and problem.name in ABSENT and known is not None and known.fix:
            # The probe knows why, and what would change it.
            problem = replace(problem, fixes=(*known.fix, "pane 4 has the evidence"))
        self._problem = problem
        self._show()

    # --- what is shown -------------------------------------------------------------------------------------

    def _show(self) -> None:
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
        self._mark_fields()
        self._show_actions()

    def _mark_fields(self) -> None:
        if self.judged is None:
            return
        draft = self.judged.draft
        for each in self.form.inputs():
            try:
                each.field.parse(each.value) if each.value or each.role else None
                wrong = False
            except FieldError:
                wrong = not (each.role and each.field.name in draft.missing(each.role))
            verdict = self.judged.verdict(each.role) if each.role else None
            if verdict is not None and not verdict.accepted:
                wrong = wrong or verdict.field in ("", each.field.name)
            each.set_class(wrong, "-wrong")

    def _show_bytes(self) -> None:
        """What the kernel sees of the address that the cursor is in, or of the one that Enter uses."""
        view = self.query_one(SockaddrView)
        if not view.display or self.judged is None:
            return
        draft, role = self.judged.draft, self.focused_role
        verdict = self.judged.verdict(role)
        if verdict is None or not verdict.accepted:
            view.show("", [], f"The {role} address has no bytes yet: CPython has to accept it first.")
        elif verdict.sockaddr is None:
            view.show("", [], f"The bytes of the {role} address are known when its name is looked up.")
        else:
            layout = draft.family.layout(draft.protocol, verdict.sockaddr)
            size = f"{len(verdict.sockaddr)} bytes"
            view.show(f"{role} · struct {layout.name} · {size}", layout.rows(verdict.sockaddr))

    @property
    def focused_role(self) -> Role:
        """Which address is meant: the one that is typed, else the one that Enter uses, else the first."""
        focused = self.screen.focused if self.is_attached else None
        if isinstance(focused, FieldInput) and focused.role is not None:
            return focused.role
        assert self.draft is not None
        needed = self.draft.needs(self.primary) if self.primary else ()
        return (*needed, *self.draft.roles)[0]

    def _show_problem(self) -> None:
        problem = self._problem
        self.query_one("#problem").display = problem is not None
        if problem is not None:
            self.tell("#problem", problem_text(problem))

    def _show_actions(self) -> None:
        self.query_one(FormActions).show(self.judged, self.primary)
        offered = id(self.draft), *map(self.possible, WORDS), self._named() is not None
        if offered != self._offered:
            # The footer is composed anew each time: not at every key that is typed.
            self._offered = offered
            self.refresh_bindings()

    # --- doing ---------------------------------------------------------------------------------------------

    @property
    def primary(self) -> Operation | None:
        """What Enter does: the first possible operation, the remote one when only that is filled in."""
        if self.draft is None:
            return None
        operations = self.draft.protocol.operations
        focused = self.screen.focused if self.is_mounted and self.is_attached else None
        if isinstance(focused, FieldInput) and focused.role is not None:
            # Enter acts on the address that is being typed, never on the other one.
            for each in operations:
                if (each == "connect") is (focused.role == "remote"):
                    return each
        if self.draft.wanted is not None:
            return self.draft.wanted
        return next((each for each in operations if self.possible(each)), operations[0])

    def possible(self, operation: Operation) -> bool:
        """Whether an operation can be done with what the form holds."""
        return self.judged is not None and self.judged.possible(operation)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("operate", "code", "copy", "edit", "sockaddr", "paste", "resolve", "show_me"):
            if action == "paste":
                return not self.typing
            if self.typing or self.draft is None:
                return False
            if action == "show_me":
                return self.draft.protocol.name in self.draft.family.demos
            if action == "resolve":
                return self._named() is not None
            if action == "operate":
                operation: Operation = parameters[0]  # type: ignore[assignment]
                if operation not in self.draft.protocol.operations:
                    return False
                return True if self.possible(operation) else None
        return super().check_action(action, parameters)

    def action_operate(self, operation: Operation) -> None:
        if self.draft is None:
            return
        obstacle = self.draft.obstacle(operation)
        if obstacle is None and self.possible(operation):
            self._problem = None
            self.draft.wanted = operation
            self._show()
            self.post_message(self.Open(self.draft.endpoint(operation)))
        elif obstacle is not None:
            self._point_at(obstacle.field, "remote" if operation == "connect" else "local")

    def _point_at(self, name: str, role: Role) -> None:
        """Focus the field that stands in the way."""
        for each in self.form.inputs():
            if each.field.name == name and each.role in (role, None):
                each.focus()
                return

    def on_key(self, event: events.Key) -> None:
        """The key of an operation that is not possible yet leads to the field that it wants."""
        for operation, word in WORDS.items():
            wanted = not self.typing and self.draft is not None and operation in self.draft.protocol.operations
            if wanted and event.key == word[0].lower() and not self.possible(operation):
                event.stop()
                self.action_operate(operation)

    def action_show_me(self) -> None:
        if self.draft is not None:
            self.post_message(ShowMe(self.draft.family, self.draft.protocol))

    def action_code(self) -> None:
        self.post_message(self.ShowCode())

    def action_sockaddr(self) -> None:
        view = self.query_one(SockaddrView)
        view.display = not view.display
        self.screen.set_class(view.display, "-bytes")
        self._show()

    def action_bytes(self, step: int) -> None:
        view = self.query_one(SockaddrView)
        if step > 0:
            view.scroll_page_down(animate=False)
        else:
            view.scroll_page_up(animate=False)

    def action_paste(self) -> None:
        self.post_message(self.ReadAddress())

    def _named(self) -> tuple[Role, object] | None:
        """The address whose host is a name, with its role."""
        if self.draft is None:
            return None
        for role in dict.fromkeys((self.focused_role, *self.draft.roles)):
            if (address := self.draft.named_host(role)) is not None:
                return role, address
        return None

    def action_resolve(self) -> None:
        named = self._named()
        if named is not None and self.draft is not None:
            self.post_message(self.Resolve(self.draft, *named))

    def action_edit(self) -> None:
        self.home().focus()

    def action_copy(self) -> None:
        if self.draft is None:
            return
        focused = self.screen.focused
        role: Role = focused.role if isinstance(focused, FieldInput) and focused.role else "local"
        for each in (role, *self.draft.roles):
            try:
                self.post_message(CopyText(repr(self.draft.address(each)), f"the {each} address"))
                return
            except FieldError:
                continue

    @on(FieldInput.Primary)
    def _enter(self) -> None:
        if (operation := self.primary) is not None:
            self.action_operate(operation)

    @on(FieldInput.Leave)
    def _leave(self) -> None:
        self.focus_action()

    def focus_action(self) -> None:
        """Focus the button of the primary operation: Enter opens, and letters are keys."""
        self.query_one(FormActions).focus_on(self.primary)

    @on(FormActions.Chosen)
    def _chosen(self, event: FormActions.Chosen) -> None:
        event.stop()
        if event.what == "code":
            self.action_code()
        elif event.what == "sockaddr":
            self.action_sockaddr()
        else:
            self.action_operate(event.what)  # type: ignore[arg-type]

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
