"""What a person does with the form of an address: open it, see its code and bytes, copy, paste and resolve it."""

from __future__ import annotations

from textual import events, on
from textual.message import Message

from sockexplorer.client.client import Problem
from sockexplorer.core.draft import Draft
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.faults import FieldError
from sockexplorer.core.judged import Judged
from sockexplorer.core.protocol import Operation, Role
from sockexplorer.ui.panes.pane import CopyText, Pane, ShowMe
from sockexplorer.ui.widgets.field_input import FieldInput
from sockexplorer.ui.widgets.form import AddressForm
from sockexplorer.ui.widgets.form_actions import WORDS, FormActions
from sockexplorer.ui.widgets.sockaddr_view import SockaddrView


class FormDuties(Pane):
    """A pane with an `AddressForm`, its buttons and its bytes; who derives from it has the keys for these actions."""

    judged: Judged | None = None
    """What the form holds, and what is known of it."""
    _problem: Problem | None = None

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

    def redraw(self) -> None:
        """Show what the form holds, what is known of it and what can be done."""
        raise NotImplementedError

    @property
    def draft(self) -> Draft | None:
        """What the form holds."""
        return self.judged.draft if self.judged is not None else None

    @property
    def form(self) -> AddressForm:
        return self.query_one(AddressForm)

    # --- what is meant -------------------------------------------------------------------------------------

    @property
    def focused_role(self) -> Role:
        """Which address is meant: the one that is typed, else the one that Enter uses, else the first."""
        focused = self.screen.focused if self.is_attached else None
        if isinstance(focused, FieldInput) and focused.role is not None:
            return focused.role
        assert self.draft is not None
        needed = self.draft.needs(self.primary) if self.primary else ()
        return (*needed, *self.draft.roles)[0]

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

    def named(self) -> tuple[Role, object] | None:
        """The address whose host is a name, with its role."""
        if self.draft is None:
            return None
        for role in dict.fromkeys((self.focused_role, *self.draft.roles)):
            if (address := self.draft.named_host(role)) is not None:
                return role, address
        return None

    # --- keys ----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("operate", "code", "copy", "edit", "sockaddr", "paste", "resolve", "show_me"):
            if action == "paste":
                return not self.typing
            if self.typing or self.draft is None:
                return False
            if action == "show_me":
                return self.draft.protocol.name in self.draft.family.demos
            if action == "resolve":
                return self.named() is not None
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
            self.redraw()
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
        self.redraw()

    def action_bytes(self, step: int) -> None:
        view = self.query_one(SockaddrView)
        if step > 0:
            view.scroll_page_down(animate=False)
        else:
            view.scroll_page_up(animate=False)

    def action_paste(self) -> None:
        self.post_message(self.ReadAddress())

    def action_resolve(self) -> None:
        named = self.named()
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
