"""Full passes of the garbage collector come when nobody types, and come all the same."""

from __future__ import annotations

import gc
import socket
import weakref
from collections.abc import Callable, Iterator

import pytest
from person import Person
from textual.strip import Strip

from sockexplorer.ui.collecting import BETWEEN_SECONDS, LONGEST_SECONDS, REST_SECONDS, Collector


class Ring:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.ring = self


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def collector(clock: Clock) -> Iterator[Collector]:
    before = gc.get_threshold()
    collector = Collector(clock)
    collector.begin()
    yield collector
    collector.end()
    assert gc.get_threshold() == before
    gc.unfreeze()


def old_garbage() -> weakref.ref[Ring]:
    """As old as what has outlived both generations of the young."""
    ring = Ring()
    gone = weakref.ref(ring)
    gc.collect(1)
    return gone


def test_what_is_old_is_freed_when_nobody_types(collector: Collector, clock: Clock) -> None:
    gone = old_garbage()
    kept: list[object] = [[] for _ in range(200_000)]
    clock.now += BETWEEN_SECONDS
    collector.pressed()
    assert not collector.tick()
    assert gone() is not None, "a key was pressed at this moment"
    del kept
    clock.now += REST_SECONDS
    assert collector.tick()
    assert gone() is None


def test_it_does_not_pass_again_and_again(collector: Collector, clock: Clock) -> None:
    clock.now += BETWEEN_SECONDS
    assert collector.tick()
    clock.now += BETWEEN_SECONDS / 2
    assert not collector.tick()


def test_who_types_on_and_on_gets_a_pass_all_the_same(collector: Collector, clock: Clock) -> None:
    gone = old_garbage()
    passes = 0
    for _ in range(int(LONGEST_SECONDS / 0.5)):
        clock.now += 0.5
        collector.pressed()
        passes += collector.tick()
    assert passes == 1
    assert gone() is None


async def test_lines_that_are_drawn_over_need_no_pass(people: Callable[..., Person], peer: socket.socket) -> None:
    """Else a flood in view makes thousands of objects a second that only a full pass frees."""
    async with people((120, 40)) as person:
        session = await person.open("inet/udp", "bind", local_port="0")
        view = person.main.traffic.view
        for number in range(100):
            peer.sendto(b"%d" % number, session.local)  # type: ignore[arg-type]
        await person.until(lambda: view.line_count() == 100, "the rows")
        await person.settle()
        gc.collect()
        gc.disable()
        for number in range(100, 160):
            peer.sendto(b"%d" % number, session.local)  # type: ignore[arg-type]
            await person.until(lambda n=number: view.line_count() == n + 1, "the next row")
            await person.pilot.pause(0.01)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        gc.enable()
        left = [each for each in gc.garbage if isinstance(each, Strip)]
        gc.garbage.clear()
        assert len(left) < 60, "less than a line for each time that dozens were drawn"


async def test_the_explorer_leaves_the_collector_as_it_was(people: Callable[..., Person]) -> None:
    before = gc.get_threshold()
    async with people((80, 24)) as person:
        await person.until(lambda: gc.get_threshold() != before, "the explorer's own")
        assert gc.isenabled()
    assert gc.get_threshold() == before
