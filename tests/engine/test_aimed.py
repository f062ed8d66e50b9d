"""Messages that go from the kernel to the spool at once are those that were sent, whatever else comes among them."""

from __future__ import annotations

import os
import time
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import deliver, udp

from sockexplorer.capture.log import Log
from sockexplorer.engine import gather, opening, recvmmsg
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find

pytestmark = pytest.mark.skipif(not recvmmsg.AVAILABLE, reason="there is no recvmmsg here")
Run = tuple[int, int, int]
"""A sender, a length, and how many messages."""
runs = st.tuples(st.integers(0, 2), st.sampled_from((0, 1, 64, 64, 64, 65, 3000)), st.integers(1, 20))
alike = st.tuples(st.integers(0, 2), st.just(64), st.integers(3, 20)).map(lambda run: [run])


def received(batches: list[list[Run]], snaplen: int) -> int:
    """Send and read one batch after the other, and compare; how many went to the spool at once."""
    fill = Spool.fill
    with (
        udp() as here, udp() as one, udp() as two, udp() as three,
        patch.object(gather, "FEW", 2), patch.object(gather, "STEADY", 1), patch.object(gather, "RELUCTANT", 1),
        patch.object(Spool, "fill", autospec=True, side_effect=fill) as filled,
    ):  # fmt: skip
        names: dict[int, str] = {}
        log = Log(on_peers=lambda told: names.update((each["id"], each["address"]) for each in told))
        assert log.store.descriptor is not None
        spool = Spool(os.dup(log.store.descriptor))
        while spool.prepare(64 * 2**20):
            pass
        here.setblocking(False)
        opening.stamp(here)
        reader = MessageReader(here, *find("inet/udp"), spool, snaplen, lambda drops: None)
        sent, began = list[tuple[str, bytes, int]](), time.time_ns()
        for batch in batches:
            for who, length, count in batch:
                for number in range(count):
                    data = bytes((number + each) & 0xFF for each in range(length))
                    deliver((one, two, three)[who], data, here)
                    sent.append((repr((one, two, three)[who].getsockname()), data[:snaplen], length))
            reader.read()
            log.catch_up()
            known = {log.frame(each).peer for each in range(1, log.end)}
            assert known <= names.keys(), "who sent is told ahead of what was sent"
        spool.flush()
        log.catch_up()
        frames = [log.frame(each) for each in range(1, log.end)]
        assert [(names[each.peer], each.payload, each.length) for each in frames] == sent
        assert all(began - 10**9 < each.time <= time.time_ns() for each in frames)
        spool.close()
        log.close()
    return filled.call_count


@settings(max_examples=60)
@given(st.lists(alike | st.lists(runs, min_size=1, max_size=3), max_size=8), st.sampled_from((40, 64, 2500, 65536)))
def test_batches_of_any_lengths(batches: list[list[Run]], snaplen: int) -> None:
    received(batches, snaplen)


@pytest.mark.parametrize(("length", "snaplen", "directly"), [(64, 65536, 4), (64, 64, 4), (64, 63, 0), (0, 65536, 0)])
def test_a_flood_goes_there_at_once(length: int, snaplen: int, directly: int) -> None:
    assert received([[(0, length, 10)]] * 6, snaplen) == directly
