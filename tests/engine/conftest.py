"""What most tests of the engine work at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from support import Desk


@pytest.fixture(params=["thread", "process"])
def desk(request: pytest.FixtureRequest, desks: Callable[..., Desk], engines: Callable[[str], Desk]) -> Iterator[Desk]:
    """A hub with an engine: once in a thread of the test's own, once as a process, which is the module's."""
    if request.param == "thread":
        yield desks()
        return
    desk = engines(sys.executable)
    yield desk
    desk.leave()
