"""The filter that a field of the details stands for: the rows in which it says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sockexplorer.capture import ancillary_fields
from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterError
from sockexplorer.client.finding import filter_of
from sockexplorer.client.protocols import protocol_name
from sockexplorer.client.session import Session
from sockexplorer.core.text import escape
from sockexplorer.ui.facts import VALUE_CHARACTERS, Fact

_WORD = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{1,16}\Z", re.ASCII)
_EITHER = re.compile(r"\bor\b|\|\|", re.IGNORECASE)


def filter_by(facts: Sequence[Fact], index: int, frame: Frame, session: Session) -> str:
    """A filter that the frame of these facts passes for what one of them says; "" where no filter can tell it."""
    for expression in _candidates(facts, index, frame, session):
        try:
            predicate = filter_of(expression, session)
            if predicate is not None and predicate(frame):
                return expression
        except FilterError:
            pass
    return ""


def narrowed(filter_text: str, expression: str) -> str:
    """What passes a filter and an expression as well."""
    before = filter_text.strip()
    if not before or before == expression:
        return expression
    return f"({before}) and {expression}" if _EITHER.search(before) else f"{before} and {expression}"


def _candidates(facts: Sequence[Fact], index: int, frame: Frame, session: Session) -> Iterator[str]:
    path, protocol = _path(facts, index), protocol_name(session, frame)
    if path == ["frame"]:
        yield f"event=={frame.event}" if frame.event else f"dir=={'out' if frame.outgoing else 'in'}"
    elif path == ["length"]:
        yield f"len=={frame.length}"
    elif path[-1] == "sll_protocol" or (path == ["socket"] and protocol and facts[index].value.endswith(protocol)):
        yield equals("protocol", protocol)
    elif path[0] == "peer":
        yield equals("peer", session.peer_name(frame.peer))
    elif path[0] != "time":
        fact, name = facts[index], "id" if path[-1] == "can_id" else path[-1].lower()
        values = session.fields(frame) if len(path) > 1 else {}
        if any(each.text == path[-1] for each in values.get("nl.type", ())):
            yield f"nl.type=={path[-1]}"
        for field, found in values.items():
            if field.partition(".")[2] == name:
                for text, number in found:
                    if escape(text, VALUE_CHARACTERS) == fact.value:
                        yield equals(field, text, number)
        beside = f"{ancillary_fields.PREFIX}{'.'.join(path)}".replace(" ", "_")
        for text, number in ancillary_fields.values_of(frame).get(beside.lower(), ()):
            yield equals(beside, text, number)


def _path(facts: Sequence[Fact], index: int) -> list[str]:
    """The names of a fact and of those that it is beneath, the topmost first."""
    path, depth = [facts[index].name], facts[index].depth
    for each in reversed(facts[:index]):
        if each.depth < depth:
            path.insert(0, each.name)
            depth = each.depth
    return path


def equals(field: str, text: str, number: int | None = None) -> str:
    """The comparison that a field passes whose value this is."""
    if _WORD.match(text) and text.lower() not in ("and", "or", "not"):
        return f"{field}=={text}"
    if number is not None:
        # An id of CAN stands there in hexadecimal digits alone, flags with 0x: they are known by these.
        digits = text.partition(" ")[0].lower().removeprefix("0x")
        hexadecimal = _HEX.match(digits) and int(digits, 16) == number and digits != str(number)
        return f"{field}==0x{digits}" if hexadecimal else f"{field}=={number}"
    quoted = text.replace("\\", r"\\").replace('"', r"\"")
    return f'{field}=="{quoted}"'
