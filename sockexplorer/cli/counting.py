"""What a capture holds, counted by peer, by length and by protocol: as tables for people, or as one object of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.statistics import Counts, Tally
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

Key = TypeVar("Key")
HEAD = ("frames", "share", "in", "out", "bytes")


def kinds_of(opened: Opened) -> Callable[[Frame], str]:
    """What frames of a capture are counted as, as the explorer's statistics do."""
    from sockexplorer.ui.kinds import kind_of

    return lambda frame: str(kind_of(frame, cast("Session", opened)))


def count_lines(counts: Counts, opened: Opened, dropped: int, *, as_json: bool) -> str:
    """Tables, or JSON in one line. ``dropped`` frames are not in the capture."""
    return _as_json(counts, opened, dropped) if as_json else _as_text(counts, opened)


def _as_json(counts: Counts, opened: Opened, dropped: int) -> str:
    """A peer is a Python literal, null where frames have none or there are too many of them."""
    from sockexplorer.capture.statistics import length_limits

    def literal(number: int) -> str | None:
        peer = opened.peers.get(number)
        return None if peer is None else str(peer.literal)

    peers = [{"peer": literal(number), **_told(tally)} for number, tally in _most_first(counts.peers, literal)]
    lengths = [
        {**dict(zip(("from", "to"), length_limits(bits), strict=True)), **_told(tally)}
        for bits, tally in sorted(counts.lengths.items())
    ]
    kinds = [{"protocol": name, **_told(tally)} for name, tally in _most_first(counts.kinds, str)]
    told = {**_told(counts.total), "dropped": dropped, "peers": peers, "lengths": lengths, "protocols": kinds}
    return json.dumps(told) + "\n"


def _as_text(counts: Counts, opened: Opened) -> str:
    """A table for each, most frames first, lengths in order."""
    from sockexplorer.capture.statistics import MORE, OTHERS, length_range

    def peer(number: int) -> str:
        return OTHERS if number == MORE else opened.peer_name(number) or "-"

    tables = (
        ("peer", [(peer(number), tally) for number, tally in _most_first(counts.peers, peer)]),
        ("length", [(length_range(bits), tally) for bits, tally in sorted(counts.lengths.items())]),
        ("protocol", [(escape(name), tally) for name, tally in _most_first(counts.kinds, str)]),
    )
    return "\n".join("".join(f"{line}\n" for line in _table(name, rows, counts.total)) for name, rows in tables)


def _table(name: str, rows: list[tuple[str, Tally]], total: Tally) -> Iterator[str]:
    lines = [(name, HEAD), *((each, _cells(tally, total)) for each, tally in rows)]
    room = max(len(each) for each, _ in lines)
    widths = [max(len(cells[column]) for _, cells in lines) for column in range(len(HEAD))]
    for each, cells in lines:
        numbers = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join((f"{each:<{room}}", *numbers))


def _cells(tally: Tally, total: Tally) -> tuple[str, ...]:
    share = f"{tally.frames / total.frames:.1%}"
    return (str(tally.frames), share, str(tally.frames_in), str(tally.frames_out), str(tally.bytes))


def _told(tally: Tally) -> dict[str, Any]:
    return {"frames": tally.frames, "in": tally.frames_in, "out": tally.frames_out, "bytes": tally.bytes}


def _most_first(tallies: dict[Key, Tally], name: Callable[[Key], str | None]) -> list[tuple[Key, Tally]]:
    """Those of as many frames by their names: in what order they were counted is by chance."""
    return sorted(tallies.items(), key=lambda each: (-each[1].frames, name(each[0]) or ""))
