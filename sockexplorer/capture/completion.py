"""What may follow in a filter while it is typed: names of fields, then values that a field has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sockexplorer.capture import ancillary_fields
from sockexplorer.capture.comparisons import FIELDS
from sockexplorer.capture.predicate import Vocabulary

MOST = 50
_LAST = re.compile(r"(?:^|[\s(])([^\s()\"/]*)\Z")
_COMPARISON = re.compile(r"([A-Za-z_][\w.-]*)(==|!=|~)(.*)\Z")
_UNFINISHED = re.compile(r"(?:^|[\s(])(?:hex:[ ]?[0-9a-f]{1,2}(?:[ :-]?[0-9a-f]{1,2})*|'[^']*)\Z", re.IGNORECASE)
"""Bytes, or a text between apostrophes, that may go on: no name begins there."""
_BARE = re.compile(r"[^\s()\"/]+\Z")


def compared_last(text: str) -> str:
    """The field whose value a filter ends with, in lower case; "" where it ends with anything else."""
    last = _LAST.search(text)
    comparison = _COMPARISON.match(last[1]) if last else None
    return comparison[1].lower() if comparison and comparison[3] else ""


def completions(text: str, vocabulary: Vocabulary, values: Callable[[str], Iterable[str]]) -> list[str]:
    """Whole filters that begin with ``text`` as it is and go on with a name or a value, at most `MOST`.

    ``values`` gives what a field may be compared with. Nothing is offered after a blank or inside quotes.
    """
    last = _LAST.search(text)
    token = last[1] if last else ""
    if not token or text.count('"') % 2 or _UNFINISHED.search(text):
        return []
    comparison = _COMPARISON.match(token)
    if comparison:
        begun, known = comparison[3], values(comparison[1].lower())
    else:
        begun, known = token, [*FIELDS, *ancillary_fields.NAMES, *sorted(vocabulary.names)]
    found = dict.fromkeys(
        text + each[len(begun) :]
        for each in known
        if len(each) > len(begun) and each.lower().startswith(begun.lower()) and _BARE.match(each)
    )
    return list(found)[:MOST]
