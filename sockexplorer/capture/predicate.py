"""A predicate over frames that tells what it asks, for those who can answer it for many frames at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sockexplorer.capture.log import Frame

Predicate = Callable[[Frame], bool]
Compare = Callable[[Any, Any], Any]
PeerName = Callable[[int], str]
Decoded = Mapping[str, Sequence[tuple[str, int | None]]]
"""The fields of a payload by name: the text of each value, and its number where it is one."""


class Vocabulary(NamedTuple):
    """The names of the fields that decoders give; under an open prefix any name may come. Those ``in_heads`` are told
    by a payload's size and its first bytes, where `Test` says so. ``words`` are all that a field says with a prefix,
    as of ``nl.type`` are those that begin with ``RTM_``. Fields of ``numbers`` say one, and maybe its name behind it.
    """

    names: frozenset[str] = frozenset()
    open_prefixes: tuple[str, ...] = ()
    in_heads: frozenset[str] = frozenset()
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    numbers: frozenset[str] = frozenset()


class Test(NamedTuple):
    """What a part of a filter asks, for those who can answer it for many frames at once.

    ``all``, ``any``, ``not``: of ``parts``. ``outgoing``: of a bool. ``length``, ``number``, ``time``, ``clock``:
    ``compare(it, value)``; time in ns since the epoch, clock in ns since midnight, of here. ``peer``, ``event``: of a
    function of the name; ``protocol`` as well, and an event does not pass. ``bytes``: the payload has them. ``text``:
    the payload, or what is shown of a frame, has this text of ASCII in any case. ``beside``: ancillary data, and a
    frame without any does not pass. ``fields``: of a predicate that asks fields of a payload; no frame without fields
    passes. ``head``: the same of fields that a few bytes tell, where sockets are known to have such payloads.
    ``heading``: of a predicate that asks what rows say ahead of the bytes; frames that say nothing don't pass.
    ``other``: ask the predicate.
    """

    kind: str
    value: Any = None
    compare: Compare = operator.eq
    parts: tuple[Test, ...] = ()


OTHER = Test("other")
BESIDE = Test("beside")


class Compiled:
    """A predicate that tells what it asks."""

    __slots__ = ("_holds", "test")

    def __init__(self, holds: Predicate, test: Test = OTHER) -> None:
        self._holds = holds
        self.test = test

    def __call__(self, frame: Frame) -> bool:
        return self._holds(frame)


class Headings(NamedTuple):
    """What rows say of frames ahead of their bytes, as a link's do: ``of`` a frame, and whether a text ``may`` be in
    one. Of most texts the answer is no, and no heading is made."""

    of: Callable[[Frame], str]
    may: Callable[[str], bool]


NO_HEADINGS = Headings(lambda frame: "", lambda text: False)


class Shown(NamedTuple):
    """What a view knows of a frame beside the bytes: its peer's name, its payload summed up, and decoded, and the name
    of its protocol."""

    peer: PeerName
    payload: Callable[[Frame], str]
    fields: Callable[[Frame], Decoded]
    vocabulary: Vocabulary
    headings: Headings
    protocol: Callable[[Frame], str]


class FilterError(ValueError):
    """A filter that can't be read; the message says where and why."""


class FilterTooSlow(FilterError):
    """A regular expression that takes too long on a frame; raised by the predicate, not by `compile_filter`."""
