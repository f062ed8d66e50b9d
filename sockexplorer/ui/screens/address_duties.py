"""What the address pane asks of its screen: verdicts, choices, the numbers of a name, code, what was pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.screen import Screen

from sockexplorer.client.client import Problem
from sockexplorer.client.hub import Hub
from sockexplorer.client.offers import Offer, needs, offers
from sockexplorer.core.draft import Draft
from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Protocol, Role
from sockexplorer.core.text import escape
from sockexplorer.core.verdict import Verdict
from sockexplorer.ui.panes.address import AddressPane
from sockexplorer.ui.screens.choose import ChooseScreen
from sockexplorer.ui.widgets.field_input import FieldInput
from sockexplorer.ui.widgets.form import AddressForm

if TYPE_CHECKING:
    from sockexplorer.notations import Reading


class AddressDuties(Screen[None]):
    """A screen with an address pane; who derives from it says how to reach the pane and the engine."""

    hub: Hub

    @property
    def address(self) -> AddressPane:
        return self.query_one(AddressPane)

    def go_to(self, family: Family, protocol: Protocol) -> Draft:
        """Show the form of a protocol, and point at it wherever it is listed."""
        raise NotImplementedError

    def soon(self) -> None:
        """A reply is on its way: look for it before the next tick."""
        for delay in (0.004, 0.012, 0.03):
            self.set_timer(delay, self.hub.poll)

    @on(AddressPane.Check)
    def _check(self, event: AddressPane.Check) -> None:
        def judged(verdict: Verdict) -> None:
            # A dead engine judges nothing: that is no fault of the address.
            if not self.hub.client.dead:
                self.address.take(event.draft, event.role, verdict)

        try:
            proto = event.draft.proto_number()
        except FieldError:
            proto = None
        self.hub.check(event.draft.family, event.draft.protocol, event.address, event.role, judged, proto)
        self.soon()

    @on(AddressPane.ReadAddress)
    def _read_address(self) -> None:
        from sockexplorer.ui.screens.read import ReadScreen

        draft = self.address.draft
        preferred = (draft.family, draft.protocol) if draft is not None else None

        def taken(reading: Reading | None) -> None:
            if reading is not None:
                self.take(reading)

        self.app.push_screen(ReadScreen(preferred), taken)

    @on(AddressForm.Pasted)
    def _pasted(self, event: AddressForm.Pasted) -> None:
        self.take(event.readings[0], event.role)

    def take(self, reading: Reading, role: Role | None = None) -> None:
        """Fill the form of a reading's protocol; an address alone goes where ``role`` says, or both ways."""
        same = self.address.draft is not None and self.address.draft.protocol is reading.protocol
        draft = self.go_to(reading.family, reading.protocol)
        local, remote = reading.local, reading.remote
        if reading.bare and role is not None:
            found = remote if local is None else local
            local, remote = (found, None) if role == "local" else (None, found)
        try:
            draft.adopt(
                local, remote, reading.proto, reading.options,
                wanted=reading.operation, either=reading.bare and role is None,
            )  # fmt: skip
        except FieldError as error:
            self.notify(escape(str(error)), title="The address does not fit the form", severity="error", markup=False)
        if same and role is not None:
            # The cursor stays where it was pasted.
            self.address.form.fill_in(role, dict(draft.texts[role]))
        else:
            self.address.refill()
            self.call_after_refresh(self.address.focus_action)

    @on(AddressPane.Resolve)
    def _resolve(self, event: AddressPane.Resolve) -> None:
        draft = event.draft

        def found(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if problem is not None or result is None:
                text = escape(problem.headline()) if problem is not None else "no answer"
                self.notify(text, title="The name was not found", severity="error", markup=False)
                return
            parts = [host.partition("%") for host in result["hosts"]]
            offers = [Offer(host, escape(host + mark + zone), {"scope_id": zone or "0"}) for host, mark, zone in parts]
            name = escape(draft.family.host_name(event.address) or "", 40)
            self.app.push_screen(ChooseScreen(f"{name}: the best address first (RFC 6724)", offers, ""), chosen)

        def chosen(offer: Offer | None) -> None:
            if offer is not None and self.address.draft is draft:
                self.address.form.fill_in(event.role, {"host": offer.value, **offer.also})

        self.hub.client.request(
            "resolve", found, family=draft.family.constant, protocol=draft.protocol.name, address=repr(event.address)
        )
        self.soon()

    @on(AddressPane.ShowCode)
    def _code(self) -> None:
        from sockexplorer.core.script import STYLES, python_script
        from sockexplorer.notations import socat_command
        from sockexplorer.ui.screens.text import CodeScreen

        draft = self.address.draft
        operation = self.address.primary
        if draft is None or operation is None:
            return
        try:
            endpoint = draft.endpoint(operation)
        except FieldError as error:
            self.notify(escape(str(error)), title="No script yet", severity="warning", markup=False)
            return
        address = endpoint.remote if operation == "connect" else endpoint.local
        title = f"{draft.family.constant}/{draft.protocol.name}: {operation} {escape(ascii(address))}"
        styles: dict[str, str] = {
            style: python_script(draft.family, draft.protocol, endpoint, style=style) for style in STYLES
        }
        if command := socat_command(draft.family, draft.protocol, endpoint):
            styles["socat"] = command
        self.app.push_screen(CodeScreen(title, styles, repr(address)))

    @on(FieldInput.Choices)
    def _choose(self, event: FieldInput.Choices) -> None:
        field_input = event.field_input
        field = field_input.field
        draft = self.address.draft
        texts = draft.texts[field_input.role] if draft is not None and field_input.role else {}

        def found(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if problem is not None:
                self.notify(escape(problem.headline()), title="Nothing can be listed", severity="error", markup=False)
            elif self.app.screen is self and field_input.is_attached:
                self._offer(field_input, offers(field, texts, result and result["found"]))

        if what := needs(field):
            self.hub.client.request("inventory", found, what=what)
            self.soon()
        else:
            found(None, None)

    def _offer(self, field_input: FieldInput, offered: list[Offer]) -> None:
        field = field_input.field
        if not offered:
            self.notify("There is nothing to choose from here; type it.", markup=False)
            return

        def chosen(offer: Offer | None) -> None:
            if offer is not None:
                field_input.value = offer.value
                field_input.cursor_position = len(offer.value)
                self.address.form.fill_in(field_input.role, offer.also)

        several = field.kind.offers == "flags"
        self.app.push_screen(
            ChooseScreen(f"{field.name}: {field.help}", offered, field_input.value, several=several), chosen
        )
