"""Loss is never silent: what the kernel dropped, and what came in, are what was sent."""

from __future__ import annotations

import os

import pytest
from support import Desk, rows, udp

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.engine import memory
from sockexplorer.engine.reading import MOST_AHEAD, OF_SPARE, SNAPLEN_MAX
from sockexplorer.engine.server import LARGE_BUFFER
from sockexplorer.engine.session import Session
from sockexplorer.families import find

SMALL = SetOption("SOL_SOCKET", "SO_RCVBUF", 65536)
"""With the 4 MiB that the engine asks for otherwise, nothing is dropped that one sender sends."""


def test_received_and_dropped_are_what_was_sent(desk: Desk) -> None:
    desk.hub.log_limit = None  # none of its events is trimmed
    session = desk.open("inet/udp", local=("127.0.0.1", 0), options=(SMALL,))
    sent = 0
    with udp() as peer:

        def flood() -> bool:
            nonlocal sent
            for _ in range(4000):
                peer.sendto(b"x" * 8000, session.local)
                sent += 1
            desk.hub.poll(0)
            return session.drops > 0

        desk.until(flood, "a drop")
        # Twice, for frames queued before the second overflow carry the counter of the first.
        dropped = session.drops
        desk.until(lambda: flood() and session.drops > dropped, "more drops")
    desk.until(lambda: session.log.received + session.drops == sent, f"{sent} = received + dropped")
    events = [each for each in rows(session) if each.event == "dropped"]
    assert sum(each.meta["count"] for each in events) == session.drops == events[-1].meta["total"]
    assert "dropped" in events[0].meta["text"]
    assert session.log.received + session.log.dropped >= session.log.received


def test_drops_at_the_end_are_counted_though_no_frame_follows(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0), options=(SMALL,))
    sent = 0
    with udp() as peer:

        def flood() -> int:
            nonlocal sent
            for _ in range(4000):
                peer.sendto(b"x" * 8000, session.local)
            sent += 4000
            desk.hub.poll(0)
            return session.drops

        desk.until(flood, "a drop")
    desk.until(lambda: session.log.received + session.drops == sent, "the rest of the counter")


def test_room_for_a_flood_is_at_hand_once_a_socket_is_open(desk: Desk) -> None:
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    descriptor = session.log.store.descriptor
    assert descriptor is not None
    if session.receive_buffer >= LARGE_BUFFER and memory.spare() > 2 * OF_SPARE * MOST_AHEAD:
        desk.until(lambda: os.fstat(descriptor).st_blocks * 512 >= MOST_AHEAD, "pages")


@pytest.mark.parametrize(
    ("counters", "drops", "events"),
    [
        ([5], 5, 1),
        ([5, 5], 5, 1),
        ([5, 9], 9, 2),
        ([9, 5], 9, 1),
        ([100, 0, 50, 100, 101], 101, 2),
        ([2**32 - 1], 0, 0),
        ([2**31 - 1, 2**32 - 2, 3], 2**32 + 3, 3),
    ],
)
def test_the_kernels_counter_may_come_late_and_wraps(counters: list[int], drops: int, events: int) -> None:
    session = Session(1, Endpoint("inet", "udp", "bind"), *find("inet/udp"))
    for each in counters:
        session.drops.see(each)
    assert session.drops.total == drops
    assert session.spool.recorded[1] == events


def test_snaplen_has_an_end() -> None:
    session = Session(1, Endpoint("inet", "udp", "bind", snaplen=2**40), *find("inet/udp"))
    with udp() as sock:
        assert session.reading.messages_of(sock).snaplen == SNAPLEN_MAX
