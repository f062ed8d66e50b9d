"""The sparklines of what is received, sent and dropped."""

from __future__ import annotations

import socket
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from person import Person
from ring_blocks import HOST, OUTGOING, Sent, ring_block

from sockexplorer.capture.log import Log
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import RING, Traffic, pack_header
from sockexplorer.families import find
from sockexplorer.ui.widgets.rates import BLOCKS, SAMPLES, History, RatesLine, bars

People = Callable[..., Person]


@given(st.lists(st.floats(0, 1e9), max_size=30), st.floats(0, 1e9))
def test_nothing_is_the_lowest_block_and_something_never(values: list[float], top: float) -> None:
    shown = bars(values, top)
    assert len(shown) == len(values)
    for value, block in zip(values, shown, strict=True):
        assert (block == BLOCKS[0]) == (value == 0)
    if values and max(values) > 0 and not top:
        assert shown[values.index(max(values))] == BLOCKS[-1]


async def test_what_comes_goes_and_is_lost_is_told_apart(
    people: People, size: tuple[int, int], peer: socket.socket
) -> None:
    async with people(size, log_limit=32768) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        line = person.main.query_one(RatesLine)
        history = History(session)
        for number in range(50):
            peer.sendto(b"%d" % number, session.local)  # type: ignore[arg-type]
        await person.until(lambda: session.log.received == 50)
        await person.compose("answer")
        await person.until(lambda: session.log.sent == 1)
        history.sample(0.5)
        assert history.rates[-1] == (100.0, 2.0, 0.0)
        assert len(history.rates) == SAMPLES
        line.show(history, size[0])
        text = str(line.render())
        assert "█" in text.partition("→")[0]
        assert text.partition("→")[2][:12].rstrip(" ⚠▁")[-1:] == BLOCKS[1], "a little was sent"
        assert ("⚠" in text) is (size[0] >= 100), "where there is little room no loss needs none"
        assert not history.lossy
        while not session.log.dropped:
            for _ in range(40):
                peer.sendto(b"." * 500, session.local)  # type: ignore[arg-type]
            await person.pilot.pause(0.02)
        history.sample(0.5)
        line.show(history, size[0])
        assert history.lossy
        assert str(line.render()).partition("⚠")[2].strip()[-1] == "█"
        assert line.styles.width is not None
        assert line.styles.width.value == len(str(line.render()))


def test_what_is_told_late_to_have_been_sent_is_no_traffic() -> None:
    """Packets of a ring count as received until they are looked at."""
    log = Log()
    history = History(Session(1, Endpoint("AF_PACKET", "raw", "bind"), *find("packet/raw"), log))
    frames = [Sent(b"x", 1, pkttype=OUTGOING if each % 2 else HOST) for each in range(100)]
    data = ring_block(frames)
    data += bytes(-len(data) % 8)
    log.append(pack_header(RING, 100, len(data), Traffic(100, 0, len(data), 0)) + data)
    history.sample(0.5)
    assert history.rates[-1] == (200.0, 0.0, 0.0)
    log.tell_directions()
    assert (log.received, log.sent, log.bytes_in, log.bytes_out) == (50, 50, 50, 50)
    history.sample(0.5)
    assert history.rates[-1] == (0.0, 0.0, 0.0)
    assert history.now == 0


async def test_the_line_is_in_sight_with_a_session(people: People, size: tuple[int, int], peer: socket.socket) -> None:
    async with people(size) as person:
        assert not person.main.query_one(RatesLine).display
        session = await person.open("inet/udp", "bind", local_port="0")
        peer.sendto(b"x", session.local)  # type: ignore[arg-type]
        await person.until(lambda: person.main.query_one(RatesLine).display)
        await person.sees("←▁", "→▁")
