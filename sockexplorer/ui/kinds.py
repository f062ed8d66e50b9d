"""What statistics count a frame as: its protocol and the kind of message in it; and the filter for such frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sockexplorer.capture.log import Frame
from sockexplorer.client.protocols import protocol_name
from sockexplorer.client.session import Session
from sockexplorer.ui.field_filters import equals

FIELDS = ("nl.type", "can.pgn", "bcm.opcode", "uevent.action", "can.id_flags")
"""Of these the first that a decoder reads in a frame tells its kind."""


class Kind(NamedTuple):
    """A protocol by its name, and what tells the kind of message: a field and its first value, "" for none."""

    protocol: str
    field: str = ""
    text: str = ""
    number: int | None = None

    def __str__(self) -> str:
        if not self.field:
            return self.protocol
        if self.field == "can.id_flags" and self.text == "0":
            return f"{self.protocol} SFF"
        return f"{self.protocol} {'PGN ' if self.field == 'can.pgn' else ''}{self.text}"


def kind_of(frame: Frame, session: Session) -> Kind:
    """What a frame is counted as."""
    protocol, spoken = protocol_name(session, frame), session.spoken(frame)
    if spoken is None or spoken[0].constant not in ("AF_NETLINK", "AF_CAN"):
        return Kind(protocol)
    values = session.fields(frame)
    for field in FIELDS:
        if found := values.get(field):
            return Kind(protocol, field, *found[0])
    return Kind(protocol)


def filter_of_kind(name: str, kinds: Mapping[str, Kind]) -> str:
    """The filter for what is counted by a name. ``kinds`` are those with a field by their names.

    Of a frame with several messages any one passes it.
    """
    kind = kinds.get(name) or Kind(name)
    parts = [equals("protocol", kind.protocol)]
    before = FIELDS[: FIELDS.index(kind.field)] if kind.field else FIELDS
    if kind.field:
        parts.append(equals(kind.field, kind.text, kind.number))
    if kind.field != "can.id_flags":
        # Frames that one of these tells are counted by it. (Of an id with a parameter group the flags tell as much.)
        others = {each.field for each in kinds.values() if each.protocol == kind.protocol}
        parts += [f'not {field}~""' for field in before if field in others]
    return " ".join(parts)
