"""Pane 2: the form that builds and checks an address, and the keys that use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, ItemGrid, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from sockexplorer.client.client import Problem
from sockexplorer.core.capability import Capability
from sockexplorer.core.draft import Draft, proto_field
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family, Operation, Option, Protocol, Role
from sockexplorer.core.faults import FieldError
from sockexplorer.core.fields import Field, Integer
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.explain import capability_line, problem_text, verdict_lines
from sockexplorer.ui.panes.pane import CopyText, Pane
from sockexplorer.ui.widgets.box import Box
from sockexplorer.ui.widgets.field_input import FieldInput, FieldRow

WORDS: dict[Operation, str] = {"bind": "Bind", "connect": "Connect", "listen": "Listen", "open": "Open"}
ROLE_TITLES: dict[Role, str] = {"local": "local address", "remote": "remote address"}
BIND_FIRST = "bind_first"


class AddressPane(Pane):
    """The form of one protocol. Drafts of others are kept, so that looking around loses nothing."""

    NUMBER, TITLE = 2, "Address"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "operate('bind')", "Bind", id="bind"),
        Binding("c", "operate('connect')", "Connect", id="connect"),
        Binding("l", "operate('listen')", "Listen", id="listen"),
        Binding("v", "code", "Code", id="code"),
        Binding("y", "copy", "Copy", id="copy-address", tooltip="Copy the Python address"),
        Binding("i", "edit", "Edit", id="edit", tooltip="Type into the first field"),
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

    def __init__(self) -> None:
        super().__init__(id="address")
        self.draft: Draft | None = None
        self._drafts: dict[tuple[str, str], Draft] = {}
        self._verdicts: dict[Role, Verdict] = {}
        self._problem: Problem | None = None
        self._offered: tuple[object, ...] = ()
        self._body = Vertical(classes="form-body")
        self._capabilities: dict[str, Capability] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="form-title")
        yield VerticalScroll(Static("Choose a family and a protocol in pane 1.", id="form-empty"), id="form")
        yield Static(id="problem")
        yield Static(id="verdict")
        with Horizontal(id="form-actions"):
            for operation, word in WORDS.items():
                if operation != "open":
                    yield Button(word, id=f"do-{operation}", compact=True, classes="action")
            yield Button("Code", id="do-code", compact=True, classes="action")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#form", VerticalScroll).can_focus = False
        self._show()

    def on_resize(self) -> None:
        self._show()

    def home(self) -> Widget:
        first = next(iter(self._inputs()), None)
        return first or self.query_one("#do-code", Button)

    def _inputs(self) -> list[FieldInput]:
        return list(self._body.query(FieldInput))

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
            self.draft = draft
            self._rebuild()
        return draft

    def refill(self) -> None:
        """The draft was changed from outside: show it again."""
        self._rebuild()

    def _rebuild(self) -> None:
        self._problem = None
        self._verdicts = {}
        form = self.query_one("#form", VerticalScroll)
        # Removing takes a while: a body of its own keeps the old inputs apart from the new ones meanwhile.
        self._body = Vertical(*(self._rows(self.draft) if self.draft is not None else ()), classes="form-body")
        with self.app.batch_update():
            form.remove_children()
            form.mount(self._body)
        self._update()

    def _rows(self, draft: Draft) -> Iterator[Widget]:
        names = max(len(each.name) for each in draft.fields())
        for role in draft.roles:
            yield Label(ROLE_TITLES[role], classes="role", markup=False)
            fields = draft.fields()
            for at in range(0, len(fields), 2):
                inputs = [
                    FieldInput(each, role, draft.texts[role][each.name], f"{role}.{each.name}")
                    for each in fields[at : at + 2]
                ]
                yield Horizontal(*(FieldRow(each, names) for each in inputs), classes="field-row")
        if draft.protocol.proto_choices:
            choice = FieldInput(proto_field(draft.protocol), None, draft.proto, "proto")
            yield Horizontal(FieldRow(choice, len(choice.field.name)), classes="field-row")
        yield from self._option_rows(draft)

    def _option_rows(self, draft: Draft) -> Iterator[Widget]:
        numbers = [each for each in draft.protocol.options if not each.flag]
        boxes = [
            Box(each.name, draft.options.get(each.name) == "1", each.help, f"option.{each.name}")
            for each in draft.protocol.options
            if each.flag
        ]
        if len(draft.roles) == 2:
            box = Box("bind, then connect", draft.bind_first, "connect from the local address above", BIND_FIRST)
            boxes.append(box)
        if numbers or boxes:
            yield Label("options", classes="role", markup=False)
        for at in range(0, len(numbers), 2):
            inputs = [FieldInput(_number_field(each), None, draft.options.get(each.name, ""), f"option.{each.name}")
                      for each in numbers[at : at + 2]]  # fmt: skip
            yield Horizontal(*(FieldRow(each, len(each.field.name)) for each in inputs), classes="field-row")
        if boxes:
            yield ItemGrid(*boxes, min_column_width=22, classes="boxes")

    # --- what is typed -------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        source = event.input
        if self.draft is None or not isinstance(source, FieldInput) or not source.name:
            return
        before, _, name = source.name.partition(".")
        if before == "proto":
            self.draft.proto = event.value
        elif before == "option":
            self.draft.options[name] = event.value
        elif source.role is not None:
            if self.draft.texts[source.role].get(name) == event.value and source.role in self._verdicts:
                return
            self.draft.texts[source.role][name] = event.value
        self._problem = None
        self._update()

    @on(Box.Changed)
    def _switched(self, event: Box.Changed) -> None:
        event.stop()
        box = event.box
        if self.draft is None or not box.name:
            return
        if box.name == BIND_FIRST:
            self.draft.bind_first = box.value
        else:
            self.draft.options[box.name.partition(".")[2]] = "1" if box.value else ""
        self._update()

    def _update(self) -> None:
        """Ask for the verdicts on what the form holds, and show what is known already."""
        draft = self.draft
        if draft is not None:
            for role in draft.roles:
                self._verdicts.pop(role, None)
                try:
                    address = draft.address(role)
                except FieldError:
                    continue
                self.post_message(self.Check(draft, role, address))
        self._show()

    def check_again(self) -> None:
        """Ask for the verdicts anew: another engine answers."""
        self._update()

    def judged(self, draft: Draft, role: Role, verdict: Verdict) -> None:
        """CPython's verdict came; one on what the form no longer holds is ignored."""
        if draft is not self.draft:
            return
        try:
            current = draft.address(role)
        except FieldError:
            return
        if repr(current) == repr(verdict.address):
            self._verdicts[role] = verdict
            self._show()

    def failed(self, problem: Problem | None) -> None:
        """The host refused what the form asked for: say so where it was asked."""
        self._problem = problem
        self._show()

    # --- what is shown -------------------------------------------------------------------------------------

    def _show(self) -> None:
        draft = self.draft
        if draft is None:
            self.tell("#form-title", Content("No protocol chosen"))
            self.tell("#verdict", Content(""))
        else:
            proto = escape(draft.proto, 40) or draft.protocol.proto
            names = f"{draft.family.constant} · {draft.protocol.type} · {proto if proto != '0' else 'protocol 0'}"
            known = self._capabilities.get(f"{draft.family.constant}/{draft.protocol.name}")
            self.tell(
                "#form-title",
                Content.assemble(
                    (names, "bold $primary"), "\n", (draft.protocol.help, "$foreground-muted"), capability_line(known)
                ),
            )
            self.tell("#verdict", verdict_lines(draft, self._verdicts, self.size.width - 2))
        self._show_problem()
        self._mark_fields()
        self._show_actions()

    def _mark_fields(self) -> None:
        if self.draft is None:
            return
        for each in self._inputs():
            try:
                each.field.parse(each.value) if each.value or each.role else None
                wrong = False
            except FieldError:
                wrong = not (each.role and self.draft.blank(each.role) and not each.value)
            verdict = self._verdicts.get(each.role) if each.role else None
            if verdict is not None and not verdict.accepted:
                wrong = wrong or verdict.field in ("", each.field.name)
            each.set_class(wrong, "-wrong")

    def _show_problem(self) -> None:
        problem = self._problem
        self.query_one("#problem").display = problem is not None
        if problem is not None:
            self.tell("#problem", problem_text(problem))

    def _show_actions(self) -> None:
        primary = self.primary
        for operation, word in WORDS.items():
            if operation == "open":
                continue
            button = self.query_one(f"#do-{operation}", Button)
            button.display = self.draft is not None and operation in self.draft.protocol.operations
            button.disabled = not self.possible(operation)
            button.label = f"{operation[0]} {word}"
            button.variant = "primary" if operation == primary else "default"
        code = self.query_one("#do-code", Button)
        code.label = "v Code"
        code.disabled = self.draft is None
        offered = id(self.draft), *map(self.possible, WORDS)
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
        return next((each for each in operations if self.possible(each)), operations[0])

    def possible(self, operation: Operation) -> bool:
        """Whether the form holds what an operation needs, and CPython did not refuse it."""
        draft = self.draft
        if draft is None or draft.obstacle(operation) is not None:
            return False
        return all(self._verdicts[role].accepted for role in draft.needs(operation) if role in self._verdicts)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("operate", "code", "copy", "edit"):
            if self.typing or self.draft is None:
                return False
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
            self._show()
            self.post_message(self.Open(self.draft.endpoint(operation)))
        elif obstacle is not None:
            role: Role = "remote" if operation == "connect" else "local"
            for each in self._inputs():
                if each.field.name == obstacle.field and each.role in (role, None):
                    each.focus()
                    break

    def action_code(self) -> None:
        self.post_message(self.ShowCode())

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
        operation = self.primary
        button = self.query_one(f"#do-{operation}" if operation else "#do-code", Button)
        if button.disabled or not button.display:
            button = self.query_one("#do-code", Button)
        button.focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        what = (event.button.id or "").removeprefix("do-")
        if what == "code":
            self.action_code()
        else:
            self.action_operate(what)  # type: ignore[arg-type]

    def subject(self) -> tuple[str, str]:
        if self.draft is None:
            return "Address", "Choose a family and a protocol first."
        draft = self.draft
        focused = self.screen.focused
        names = "\n".join(f"  {each.name}: {each.help}" for each in draft.fields())
        text = f"{draft.protocol.help}\n\n{draft.family.help}\n\n{names}"
        if isinstance(focused, FieldInput):
            return f"{draft.family.constant} · {focused.field.name}", f"{focused.field.help}\n\n{text}"
        return f"{draft.family.constant}/{draft.protocol.name}", text


def _number_field(option: Option) -> Field:
    return Field(option.name, Integer(-(2**31), 2**31 - 1), "", option.help)
