"""The filter over the log of a session, block by block: columns answer for many rows at once, frames are read for the
rest only.

An answer is a byte a row: `NO`, `YES`, or `ASK`, where only the predicate knows.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable
from functools import reduce
from itertools import compress, repeat
from operator import sub

from sockexplorer.capture.ancillary_fields import BESIDE
from sockexplorer.capture.block import Block
from sockexplorer.capture.link_sift import LinkSift
from sockexplorer.capture.log import Log, row_numbers
from sockexplorer.capture.lots import MOST_ALIKE
from sockexplorer.capture.predicate import Predicate, Test
from sockexplorer.capture.sifting import Sift
from sockexplorer.core.frames import Flag

NO, YES, ASK = range(3)
MOST_FRESH = 64
"""So many rows of a block are decoded while columns answer."""
_NOT = bytes.maketrans(bytes((NO, YES)), bytes((YES, NO)))
_EVENT, _OUT, _META = int(Flag.EVENT), int(Flag.OUT), int(Flag.META)


class BlockSift(Sift):
    """A `Sift` of a `Log`. ``peer_name`` gives the shown name of a peer's number, ``protocol`` that of what is spoken
    with it; ``decoded`` says whether what is shown of a payload may be something else than the payload, ``fields`` and
    ``head`` what is read in them, as in `Known`; ``link`` whether rows are frames of a link, with its header.
    """

    def __init__(
        self, log: Log, predicate: Predicate, test: Test, peer_name: Callable[[int], str],
        protocol: Callable[[int], str], *, decoded: bool, fields: bool = True, head: int | None = None,
        link: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(log, predicate)
        self._log = log
        self._test = test
        self._peer_name = peer_name
        self._protocol = protocol
        self._decoded = decoded
        self._fields = fields
        self._head = head
        self._links = LinkSift() if link else None
        self._told: dict[Test, dict[tuple[int, int, bytes], int]] = {}
        """What one row of all that are alike has answered."""

    def go_on(self, number: int, end: int, deadline: float) -> tuple[int, array[int]]:
        matching = row_numbers()
        for block in self._log.blocks(number, end):
            number, last = max(number, block.first), min(block.last, end)
            answers = self._answer(self._test, block)[number - block.first : last - block.first]
            if ASK not in answers:
                matching.extend(compress(range(number, last), answers))
                number = last
            else:
                for answer in answers:
                    if answer == YES or (answer == ASK and self._predicate(self._log.frame(number))):
                        matching.append(number)
                    number += 1
                    if answer == ASK and time.monotonic() > deadline:
                        return number, matching
            if time.monotonic() > deadline:
                break
        return number, matching

    def _answer(self, test: Test, block: Block) -> bytes:
        count = block.last - block.first
        if test.kind in ("all", "any"):
            join = _all if test.kind == "all" else _any
            return reduce(join, (self._answer(part, block) for part in test.parts))
        if test.kind == "not":
            return self._answer(test.parts[0], block).translate(_NOT)
        if test.kind == "outgoing":
            passes = {each: not each & _EVENT and bool(each & _OUT) is test.value for each in set(block.flags)}
            return bytes(map(passes.__getitem__, block.flags))
        if test.kind == "length":
            return _without_events(bytes(map(test.compare, block.lengths, repeat(test.value))), block)
        if test.kind == "number":
            return bytes(map(test.compare, range(block.first, block.last), repeat(test.value)))
        if test.kind == "time":
            return bytes(map(test.compare, block.times, repeat(test.value)))
        if test.kind == "peer":
            return self._of_peers(lambda peer: test.value(self._peer_name(peer)), block)
        if test.kind == "protocol":
            return _without_events(self._of_peers(lambda peer: test.value(self._protocol(peer)), block), block)
        if test.kind == "event":
            told = {each: ASK if each & _EVENT else int(test.value("")) for each in set(block.flags)}
            return bytes(map(told.__getitem__, block.flags))
        if test.kind in ("bytes", "text"):
            return self._search(test, block)
        if test.kind in ("fields", "head") and not self._fields:
            return bytes(count)
        if test.kind == "head" and self._head is not None:
            return self._of_heads(test, block, self._head)
        if test.kind in ("head", "heading") and self._links is not None:
            return self._links.answer(test, block, lambda row: test.value(self._log.frame(block.first + row)), ASK)
        if test.kind == "beside":
            told = {each: ASK if each & BESIDE else NO for each in set(block.flags)}
            return bytes(map(told.__getitem__, block.flags))
        return bytes((ASK,)) * count

    def _of_peers(self, wanted: Callable[[int], bool], block: Block) -> bytes:
        told = {each: wanted(each) for each in set(block.peers)}
        return bytes(map(told.__getitem__, block.peers))

    def _of_heads(self, test: Test, block: Block, head: int) -> bytes:
        """What one row of all says that are alike in peer, size and so many first bytes; of new ones only some do, so
        that it takes a moment."""
        told, fresh, answers = self._told.setdefault(test, {}), MOST_FRESH, bytearray()
        sizes = map(sub, block.ends, block.begins)
        for row, (peer, flags, size) in enumerate(zip(block.peers, block.flags, sizes, strict=True)):
            key = peer, size, block.part(row, head)
            answer = NO if flags & _EVENT else told.get(key)
            if answer is None and fresh:
                fresh -= 1
                answer = told[key] = int(test.value(self._log.frame(block.first + row)))
            answers.append(ASK if answer is None else answer)
        if len(told) > MOST_ALIKE:
            told.clear()
        return bytes(answers)

    def _search(self, test: Test, block: Block) -> bytes:
        count = block.last - block.first
        if block.data is None:
            return bytes((ASK,)) * count
        data, needle = bytes(block.data), test.value
        if test.kind == "text":
            data, needle = data.lower(), test.value.lower().encode()
        if not needle:
            return bytes((YES,)) * count
        found = bytearray(count)
        at, begins, ends = data.find(needle), block.begins, block.ends
        while at >= 0:
            row = bisect_right(begins, at) - 1
            if row >= 0 and at + len(needle) <= ends[row]:
                found[row] = YES
                # An empty row begins where the next does: the last of them is found.
                at = data.find(needle, max(ends[row], at + 1))
            else:
                at = data.find(needle, at + 1)
        if test.kind == "text":
            wanted = test.value.lower()
            if self._decoded:
                found = found.replace(bytes((NO,)), bytes((ASK,)))
            named = self._of_peers(lambda peer: wanted in self._peer_name(peer).lower(), block)
            if YES in named:
                found = bytearray(_any(bytes(found), named))
        if any(flags & _META for flags in set(block.flags)):
            # Behind its payload such a row has more, which is no part of it.
            for row, flags in enumerate(block.flags):
                if flags & _META:
                    found[row] = ASK
        return bytes(found)


def _without_events(answers: bytes, block: Block) -> bytes:
    if not any(flags & _EVENT for flags in set(block.flags)):
        return answers
    return bytes(0 if flags & _EVENT else answer for answer, flags in zip(answers, block.flags, strict=True))


def _all(one: bytes, other: bytes) -> bytes:
    """`NO` where either says so, `YES` where both do."""
    return bytes([a and b and max(a, b) for a, b in zip(one, other, strict=True)])


def _any(one: bytes, other: bytes) -> bytes:
    """`YES` where either says so, `NO` where both do."""
    return bytes([YES if YES in (a, b) else a or b for a, b in zip(one, other, strict=True)])
