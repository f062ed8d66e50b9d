"""Filters over the rows of a session, with the names of what decoders read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sockexplorer.capture.filter import Predicate, Vocabulary, compile_filter
from sockexplorer.decoders.fields import OPEN_PREFIXES, field_names

if TYPE_CHECKING:
    from sockexplorer.client.session import Session


@cache
def vocabulary() -> Vocabulary:
    """The names of what decoders read. They are loaded for it: not before somebody filters."""
    return Vocabulary(frozenset(field_names()), OPEN_PREFIXES)


def filter_of(text: str, session: Session | None) -> Predicate | None:
    """Compile a filter for the rows of a session, None for a blank one. Raises `capture.filter.FilterError`.

    Without a session it is only checked: it finds nothing that a session knows of a row beside its bytes.
    """
    if session is None:
        return compile_filter(text, str, vocabulary=vocabulary())
    return compile_filter(text, session.peer_name, session.summary, session.fields, vocabulary())
