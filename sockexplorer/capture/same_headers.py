"""The origins of many rows at once, where their headers differ in nothing but addresses and ports.

One row of each kind is read as any other record is. The others have what it has, but for their peers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sockexplorer.capture import exported_pdu, recording
from sockexplorer.capture.header_hashes import Hashing
from sockexplorer.capture.index import DIRECTION, INTERFACE_SHIFT, ODD, OUTBOUND, Index
from sockexplorer.capture.link_types import ETHERNET, ETHERNET_HEADER, EXPORTED_PDU, ethernet_peer, peer_at
from sockexplorer.capture.provenance import Provenance, origin
from sockexplorer.capture.reading import CaptureError, Interface

if TYPE_CHECKING:
    from sockexplorer.capture.arrays import Array

FEWEST = 8
"""So few rows are read one by one as fast."""
MOST_KINDS = 32
"""Kinds of headers of one interface and size that are told apart; what is of further ones is read one by one."""
SHORTEST = 32
"""Bytes of a record that are looked at in any case."""
UNKNOWN = Provenance("", None, 0, 0, False)
"""That of a record that the file no longer has."""


def of_row(index: Index, row: int) -> Provenance:
    """The origin of one row."""
    try:
        return origin(index.record(row))
    except CaptureError:
        return UNKNOWN


def of_rows(index: Index, rows: Sequence[int], hashing: Hashing | None) -> list[Provenance]:
    """The origins of rows, each as `of_row` has it; without ``hashing`` they are read one by one."""
    found: dict[int, Provenance] = {}
    if hashing is not None and len(rows) >= FEWEST:
        from sockexplorer.capture.arrays import numpy

        every = numpy.array(rows, "i8")
        source = numpy.array([index.columns.source[row] for row in rows], "u4")
        within = numpy.array([index.columns.offset[row] + SHORTEST <= index.file.size for row in rows])
        known = [number for number, each in enumerate(index.walk.interfaces) if _is_known(each)]
        chosen = within & (source & ODD == 0) & numpy.isin(source >> INTERFACE_SHIFT, known)
        every, source = every[chosen], source[chosen]
        keys, counts = numpy.unique(source, return_counts=True)
        for key in keys[counts >= FEWEST].tolist():
            link = index.walk.interfaces[key >> INTERFACE_SHIFT].link_type
            of_source = _of_ethernet if link == ETHERNET else _of_exported
            of_source(index, every[source == key], key, hashing, found)
    return [found[row] if row in found else of_row(index, row) for row in rows]


def _is_known(interface: Interface) -> bool:
    """Whether headers of an interface are read here. Beside a frame of ours it may say more of a sender."""
    return interface.link_type == EXPORTED_PDU or (interface.link_type == ETHERNET and not interface.ours)


def _of_ethernet(index: Index, rows: Array, source: int, hashing: Hashing, found: dict[int, Provenance]) -> None:
    """Put the origins of rows of one interface and direction into ``found``, but for those with less than a header."""
    number, outgoing = source >> INTERFACE_SHIFT, source & DIRECTION == OUTBOUND
    start, kept = hashing.data(number, _offsets(index, rows))
    whole = kept >= ETHERNET_HEADER
    heads, size = hashing.bytes_at(start[whole], ETHERNET_HEADER).tobytes(), ETHERNET_HEADER
    name = index.walk.interfaces[number].name
    for row, at in zip(rows[whole].tolist(), range(0, len(heads), size), strict=True):
        peer = ethernet_peer(heads[at : at + size], name, outgoing=outgoing)
        found[row] = Provenance("packet/raw", peer, 0, 0, True, ETHERNET)


def _offsets(index: Index, rows: Array) -> Array:
    from sockexplorer.capture.arrays import numpy

    return numpy.array([index.columns.offset[row] for row in rows.tolist()], "i8")


def _of_exported(index: Index, rows: Array, source: int, hashing: Hashing, found: dict[int, Provenance]) -> None:
    """Put the origins of rows of one interface and direction into ``found``, as far as they are alike."""
    from sockexplorer.capture.arrays import numpy

    offset = _offsets(index, rows)
    start, sizes, behind, more = hashing.spans(source >> INTERFACE_SHIFT, offset)
    kinds = 0
    for size, options in {*zip(sizes.tolist(), more.tolist(), strict=True)}:
        which = numpy.flatnonzero((sizes == size) & (more == options))
        while size and options >= 0 and len(which) >= FEWEST and kinds < MOST_KINDS:
            kinds += 1
            head = hashing.bytes_at(start[which], size)
            addresses = _addresses(head[0].tobytes(), outgoing=source & DIRECTION == OUTBOUND)
            fixed = numpy.ones(size, bool)
            for begin, end in addresses:
                fixed[begin:end] = False
            alike = (head[:, fixed] == head[0, fixed]).all(axis=1)
            if options:
                tail = hashing.bytes_at(behind[which], options)
                if recording.PEER.encode() in tail[0].tobytes():
                    # What is told beside the tags counts; there is one for each.
                    break
                alike &= (tail == tail[0]).all(axis=1)
            example = of_row(index, int(rows[which[0]]))
            found.update(zip(rows[which[alike]].tolist(), _with_peers(example, head[alike], addresses), strict=True))
            which = which[~alike]


class _Addresses(NamedTuple):
    """Where in the tags the host and the port of the peer are, begin and end; of what there is not, nothing."""

    host: tuple[int, int]
    port: tuple[int, int]


def _addresses(head: bytes, *, outgoing: bool) -> _Addresses:
    spans, _ = exported_pdu.places(head)
    host, port = (0, 0), (0, 0)
    numbers = exported_pdu.DESTINATION if outgoing else exported_pdu.SOURCE
    for number, size in zip(numbers, (4, 16, 4), strict=True):
        begin, end = spans.get(number, (0, 0))
        if end - begin != size:
            continue
        if number == numbers[-1]:
            port = begin, end
        elif host == (0, 0):
            host = begin, end
    return _Addresses(host, port)


def _with_peers(example: Provenance, heads: Array, addresses: _Addresses) -> list[Provenance]:
    """What rows with these tags have; the first is the ``example``'s."""
    (begin, end), port = addresses.host, addresses.port
    packed, size = heads[:, begin:end].tobytes(), end - begin
    ports = heads[:, port[0] : port[1]].copy().view(">u4")[:, 0].tolist() if port[1] else [0] * len(heads)
    path, _, header, added, plain, link = example
    if not size:
        return [example] * len(heads)
    hosts = (exported_pdu.host_text(packed[at : at + size]) for at in range(0, len(packed), size))
    return [
        Provenance(path, peer_at(host, number, path), header, added, plain, link)
        for host, number in zip(hosts, ports, strict=True)
    ]
