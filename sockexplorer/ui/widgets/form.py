"""The inputs of a draft: both addresses, the protocol number, the socket options. What is typed goes into the draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, ItemGrid, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from sockexplorer.core.draft import TIMEOUT, Draft, option_field, proto_field
from sockexplorer.core.faults import FieldError
from sockexplorer.core.fields import Field
from sockexplorer.core.judged import Judged
from sockexplorer.core.protocol import Role
from sockexplorer.ui.widgets.box import Box
from sockexplorer.ui.widgets.field_input import FieldInput, FieldRow

if TYPE_CHECKING:
    from sockexplorer.notations import Reading

ROLE_TITLES: dict[Role, str] = {"local": "local address", "remote": "remote address"}
BIND_FIRST = "bind_first"
VALUE_CELLS = 12
"""Room for the value of an option beside others: numbers fit."""


class AddressForm(VerticalScroll, can_focus=False):
    """One draft's inputs; `show` swaps them for another's."""

    class Edited(Message):
        """The draft holds something else now; ``role`` is the address that changed, None for the rest."""

        def __init__(self, role: Role | None) -> None:
            super().__init__()
            self.role = role

    class Pasted(Message):
        """A whole address was pasted, in some notation; ``readings`` are what it may mean."""

        def __init__(self, readings: list[Reading], role: Role) -> None:
            super().__init__()
            self.readings = readings
            self.role = role

    def __init__(self) -> None:
        super().__init__(Static("Choose a family and a protocol in pane 1.", id="form-empty"), id="form")
        self._draft: Draft | None = None
        self._body = Vertical(classes="form-body")

    def show(self, draft: Draft) -> None:
        """Build the inputs of a draft anew."""
        self._draft = draft
        # Removing takes a while: a body of its own keeps the old inputs apart from the new ones meanwhile.
        self._body = Vertical(*self._rows(draft), classes="form-body")
        with self.app.batch_update():
            self.remove_children()
            self.mount(self._body)

    def inputs(self) -> list[FieldInput]:
        """In their order on the screen."""
        return list(self._body.query(FieldInput))

    def fill_in(self, role: Role | None, texts: Mapping[str, str]) -> None:
        """Put texts into the fields of an address, by name."""
        for each in self.inputs():
            if each.role == role and each.field.name in texts:
                each.value = texts[each.field.name]

    def mark(self, judged: Judged) -> None:
        """Mark the inputs that hold what can't be, or what CPython refuses; what is missing is no fault."""
        for each in self.inputs():
            try:
                each.field.parse(each.value) if each.value or each.role else None
                wrong = False
            except FieldError:
                wrong = not (each.role and each.field.name in judged.draft.missing(each.role))
            verdict = judged.verdict(each.role) if each.role else None
            if verdict is not None and not verdict.accepted:
                wrong = wrong or verdict.field in ("", each.field.name)
            each.set_class(wrong, "-wrong")

    def _rows(self, draft: Draft) -> Iterator[Widget]:
        names = max(len(each.name) for each in draft.fields())
        for role in draft.roles:
            yield Label(ROLE_TITLES[role], classes="role", markup=False)
            for fields in _lines(draft.fields()):
                inputs = [
                    FieldInput(each, role, draft.texts[role][each.name], f"{role}.{each.name}", self._pasted)
                    for each in fields
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
        inputs = [
            FieldInput(option_field(each), None, draft.options.get(each.name, ""), f"option.{each.name}")
            for each in numbers
        ]
        inputs.append(FieldInput(TIMEOUT, None, draft.timeout, "timeout"))
        yield Label("options", classes="role", markup=False)
        for wide, together in groupby(inputs, lambda each: each.field.kind.wide):
            rows = [FieldRow(each, len(each.field.name)) for each in together]
            least = max(row.cells_around for row in rows) + VALUE_CELLS
            yield ItemGrid(*rows, min_column_width=None if wide else least, classes="field-rows")
        if boxes:
            # A label that does not fit would wrap, and its only line show nothing of it.
            widest = max(box.cells for box in boxes)
            yield ItemGrid(*boxes, min_column_width=max(22, widest + 2), classes="boxes")

    def _pasted(self, source: FieldInput, text: str) -> bool:
        """Whether a text is a whole address and not the one element: it fills the form then."""
        draft = self._draft
        if draft is None or source.role is None:
            return False
        # Imported when something is pasted: the first paint need not wait for it.
        from sockexplorer.notations import read

        readings = read(text, (draft.family, draft.protocol))
        if not readings or (readings[0].bare and not _quoted(text) and _fits(source, text)):
            return False
        self.post_message(self.Pasted(readings, source.role))
        return True

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        source, draft = event.input, self._draft
        if draft is None or not isinstance(source, FieldInput) or not source.name:
            return
        before, _, name = source.name.partition(".")
        if before == "proto":
            draft.proto = event.value
        elif before == "timeout":
            draft.timeout = event.value
        elif before == "option":
            draft.options[name] = event.value
        elif source.role is not None:
            if draft.texts[source.role].get(name) == event.value:
                return  # as it was built
            draft.texts[source.role][name] = event.value
        self.post_message(self.Edited(source.role))

    @on(Box.Changed)
    def _switched(self, event: Box.Changed) -> None:
        event.stop()
        box, draft = event.box, self._draft
        if draft is None or not box.name:
            return
        if box.name == BIND_FIRST:
            draft.bind_first = box.value
        else:
            draft.options[box.name.partition(".")[2]] = "1" if box.value else ""
        self.post_message(self.Edited(None))


def _lines(fields: tuple[Field, ...]) -> Iterator[list[Field]]:
    """Two fields a line, a wide one alone."""
    line: list[Field] = []
    for each in fields:
        if line and (each.kind.wide or line[0].kind.wide or len(line) == 2):
            yield line
            line = []
        line.append(each)
    if line:
        yield line


def _quoted(text: str) -> bool:
    """Whether it is a literal that no field takes as it is: a tuple, or a str in quotes."""
    return text.lstrip()[:1] in ("(", "'", '"') or text.lstrip()[:2] in ("b'", 'b"')


def _fits(source: FieldInput, text: str) -> bool:
    try:
        source.field.parse(text)
    except FieldError:
        return False
    return True
