"""Filters over the rows of a session or a file, with the names of what decoders read."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.predicate import Headings, Predicate, Vocabulary
from sockexplorer.client.file_session import FileSession
from sockexplorer.client.heading import has_headings, heading_of
from sockexplorer.client.opened import Opened
from sockexplorer.client.protocols import protocol_name
from sockexplorer.decoders.fields import IN_HEADS, NUMBERS, OPEN_PREFIXES, field_names, message_types
from sockexplorer.decoders.packet import may_head

if TYPE_CHECKING:
    from sockexplorer.client.session import Session


@cache
def vocabulary() -> Vocabulary:
    """The names of what decoders read. They are loaded for it: not before somebody filters."""
    return Vocabulary(frozenset(field_names()), OPEN_PREFIXES, IN_HEADS, {"nl.type": message_types()}, NUMBERS)


def filter_of(text: str, session: Session | Opened | None) -> Predicate | None:
    """Compile a filter for the rows of a session or a file, None for a blank one.

    Raises `capture.predicate.FilterError`. Without either it is only checked: it finds nothing that a session knows of
    a row beside its bytes.
    """
    if session is None:
        return compile_filter(text, str, vocabulary=vocabulary())
    headings = Headings(lambda frame: heading_of(session, frame).text, partial(_may_head, session))
    protocol = partial(protocol_name, session)
    return compile_filter(
        text, session.peer_name, session.summary, session.fields, vocabulary(), headings, protocol
    )  # fmt: skip


def _may_head(session: Session | Opened, text: str) -> bool:
    """Whether a text may be in a heading of the rows."""
    if not may_head(text):
        return False
    if isinstance(session, Opened):
        return True
    if isinstance(session, FileSession):
        captured = session.captured
        # Of a large file it is known where its frames are from; more kinds of them may come into one that grows.
        known = captured.vectorised and captured.ready and not session.growing and session.progress == 1
        return not known or any(has_headings(each.path) for each in captured.origins.known)
    return has_headings(f"{session.family.name}/{session.protocol.name}")
