"""Writes to a peer: whom, as text with escapes or as hex, and the payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, Static

from sockexplorer.client.session import Peer, Session
from sockexplorer.core.faults import FieldError
from sockexplorer.core.fields import Field
from sockexplorer.core.payload import PayloadError, from_hex, from_text
from sockexplorer.core.text import escape
from sockexplorer.decoders import summary
from sockexplorer.ui.columns import both_ends

NAME_CELLS = 26
"""How much of a peer's name stands before the payload; a path may be four times as long."""
_PASTED = str.maketrans({"\n": r"\n", "\t": r"\t"})


class SendInput(Input):
    """An input whose Enter sends. No priority binding: that would overtake letters typed just before."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Send", id="composer-send")]

    def _on_paste(self, event: events.Paste) -> None:
        # An input, to which the event goes on, has one line: what a paste has between its lines would be lost.
        # Most terminals paste a carriage return for the end of a line.
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n").translate(_PASTED)


class Composer(Vertical):
    """Two lines under the traffic: the payload, and what it amounts to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "mode", "Text/hex", id="composer-mode"),
        Binding("escape", "close", "Done", id="composer-done"),
    ]

    class Send(Message):
        """Send these bytes: to a peer's number, to an address, or to whom the socket is connected.

        ``values`` are those of the message's fields.
        """

        def __init__(self, data: bytes, peer: int | None, to: object, values: Mapping[str, object]) -> None:
            super().__init__()
            self.data = data
            self.peer = peer
            self.to = to
            self.values = values

    class Closed(Message):
        """The person is done."""

    def __init__(self) -> None:
        super().__init__(id="composer")
        self.session: Session | None = None
        self.peer: int | None = None
        self.mode = "text"
        """How the payload is written: ``text`` with escapes, ``hex``, or ``frame``, the protocol's own notation."""
        self._fields: tuple[Field, ...] = ()

    @property
    def hex(self) -> bool:
        """Whether the payload is written as hexadecimal digits."""
        return self.mode == "hex"

    def compose(self) -> ComposeResult:
        yield Horizontal(id="composer-fields", classes="composer-line")
        with Horizontal(classes="composer-line"):
            yield Label("to", classes="field-name", id="composer-to-label")
            yield SendInput(
                compact=True, id="composer-to", placeholder="peer's address, or as bound", select_on_focus=True
            )
            yield Button(
                "text",
                compact=True,
                id="composer-mode",
                tooltip="Text with escapes, hex, or the protocol's own notation (ctrl+t)",
            )
            yield SendInput(
                compact=True, id="composer-payload", placeholder=r"text, with \n \x00 \u00e9", select_on_focus=True
            )
        yield Static(id="composer-note")

    # --- opening -------------------------------------------------------------------------------------------

    def open(self, session: Session, peer: int | None) -> None:
        """Get ready to write to a peer of a session."""
        fresh = session is not self.session
        self.session, self.peer = session, peer
        target = self.query_one("#composer-to", Input)
        payload = self.query_one("#composer-payload", Input)
        label = self.query_one("#composer-to-label", Label)
        if fresh:
            self._show_fields(session)
            if self.mode == "frame":
                payload.value = ""
                self._write_as("text", "")
        operates = session.protocol.operates
        connected = session.protocol.connections or operates or session.endpoint.operation == "connect"
        target.display = not connected
        if connected:
            if peer not in session.connections:
                self.peer = session.connections[0] if len(session.connections) == 1 else None
            name = session.peer_name(self.peer) if self.peer else ""
            everyone = "peer" if session.connections or operates else "nobody is connected"
            label.update(Content(f"to {both_ends(name, NAME_CELLS) or everyone} "))
        else:
            label.update(Content("to "))
            known = session.peers.get(peer) if peer else None
            if known is not None and known.address is not None:
                target.value = _answers_to(session, known)
            elif fresh:
                target.value = self._default_target(session)
        if fresh and not payload.value:
            payload.value = session.protocol.sample
        self.display = True
        payload.focus()
        self._note()

    def _show_fields(self, session: Session) -> None:
        """What the protocol wants to know of each message, an input each."""
        self._fields = session.family.message_fields(session.protocol, session.endpoint.local)
        line = self.query_one("#composer-fields", Horizontal)
        line.display = bool(self._fields)
        line.remove_children()
        for each in self._fields:
            given = SendInput(each.default, compact=True, select_on_focus=True, placeholder=each.help, name=each.name)
            given.styles.width = "1fr" if each.kind.wide else max(8, len(each.default) + 2)
            line.mount(Label(f"{each.name} ", classes="field-name", markup=False), given)

    def _values(self) -> dict[str, object]:
        """The values of the message's fields; one that is empty and has no default is left out. Raises `FieldError`."""
        texts = {each.name: each.value for each in self.query_one("#composer-fields").query(SendInput)}
        given = ((each, texts.get(each.name, each.default)) for each in self._fields)
        return {each.name: each.parse(text) for each, text in given if text.strip() or each.default}

    def _default_target(self, session: Session) -> str:
        family, protocol = session.family, session.protocol
        if family.constant == "AF_NETLINK":
            return "0:0"
        if session.endpoint.remote is not None:
            return repr(session.endpoint.remote)
        if protocol.sends_bound:
            return ""
        remote = {**{each.name: each.default for each in family.fields(protocol)}, **protocol.remote}
        try:
            return repr(
                family.build(protocol, {each.name: each.parse(remote[each.name]) for each in family.fields(protocol)})
            )
        except FieldError:
            return ""

    # --- what is typed -------------------------------------------------------------------------------------

    def read(self) -> tuple[bytes, object, dict[str, object]]:
        """Payload, target and the values of the message's fields. Raises `PayloadError` or `FieldError`."""
        text = self.query_one("#composer-payload", Input).value
        data = self._payload(text)
        values = self._values()
        target = self.query_one("#composer-to", Input)
        to: object = None
        if target.display and self.session is not None:
            family, protocol = self.session.family, self.session.protocol
            if not target.value.strip() and protocol.sends_bound:
                return data, None, values
            if not target.value.strip():
                raise FieldError("to", "", "is empty", f"write an address such as {family.example(protocol)}")
            to = family.read(protocol, target.value)
            family.check(protocol, to)
        return data, to, values

    def _payload(self, text: str) -> bytes:
        """The bytes of a payload as it is written. Raises `PayloadError`."""
        if self.mode == "frame" and self.session is not None:
            return self.session.family.read_payload(self.session.protocol, text)
        return from_hex(text) if self.hex else from_text(text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._note()

    def _note(self) -> None:
        try:
            data, to, values = self.read()
        except (PayloadError, FieldError) as error:
            self.say(f"✗ {escape(str(error), 160)}", "$text-error")
            return
        where = f" to {escape(ascii(to))}" if to is not None else ""
        beside = " with " + ", ".join(values) if values else ""
        self.say(f"{len(data)} byte{'' if len(data) == 1 else 's'}{where}{beside}: {escape(ascii(data[:24]), 90)}")

    def say(self, text: str, style: str = "$foreground-muted") -> None:
        """Show a line of safe text under the payload."""
        self.query_one("#composer-note", Static).update(Content.styled(text, style))

    def select_payload(self) -> None:
        """Select the payload, so that what is typed next replaces what was sent."""
        self.query_one("#composer-payload", Input).action_select_all()

    # --- doing ---------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _send(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            data, to, values = self.read()
        except (PayloadError, FieldError):
            self._note()
            return
        self.post_message(self.Send(data, self.peer if to is None else None, to, values))

    def action_mode(self) -> None:
        payload = self.query_one("#composer-payload", Input)
        try:
            data: bytes | None = self._payload(payload.value)
        except PayloadError:
            data = None
        notation = self.session.protocol.notation if self.session is not None else ""
        modes = ["text", "hex", *(["frame"] if notation else [])]
        self._write_as(modes[(modes.index(self.mode) + 1) % len(modes)], notation)
        if data is not None:
            payload.value = self._written(data)
            payload.cursor_position = len(payload.value)
        self._note()

    def _write_as(self, mode: str, notation: str) -> None:
        self.mode = mode
        self.query_one("#composer-mode", Button).label = mode
        hints = {"text": r"text, with \n \x00 \u00e9", "hex": "de ad be ef", "frame": notation}
        self.query_one("#composer-payload", Input).placeholder = hints[mode]

    def _written(self, data: bytes) -> str:
        """Bytes as the mode writes them; where its notation has no words for them, its example."""
        if self.mode == "frame" and self.session is not None:
            family, protocol = self.session.family, self.session.protocol
            text = summary(family.constant, protocol.name, data)
            try:
                same = family.read_payload(protocol, text) == data
            except PayloadError:
                same = False
            return text if same else protocol.notation
        return data.hex(" ") if self.hex else ascii(data)[2:-1]

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_mode()

    def action_close(self) -> None:
        self.display = False
        self.post_message(self.Closed())


def _answers_to(session: Session, peer: Peer) -> str:
    """The address that an answer to a peer goes to, as it is typed."""
    address = peer.address
    if session.family.constant == "AF_NETLINK" and isinstance(address, tuple):
        # The groups say to whom it was told. An answer is for the sender: without rights nobody may write to groups.
        address = (address[0], 0)
    if _reads_back(session, address):
        return session.family.text(address)
    return peer.literal if address == peer.address else repr(address)


def _reads_back(session: Session, address: object) -> bool:
    """Whether the plain form of an address stands for just that address."""
    try:
        return session.family.read(session.protocol, session.family.text(address)) == address
    except FieldError:
        return False
