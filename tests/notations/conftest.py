"""What the tests of notations share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from shell_lines import Line


@pytest.fixture
def run() -> Iterator[Callable[[str], Line]]:
    """Runs lines of a shell, which end with the test."""
    running: list[Line] = []
    if shutil.which("socat") is None:
        pytest.skip("no socat on this host")

    def start(text: str) -> Line:
        running.append(Line(text))
        return running[-1]

    yield start
    for each in running:
        each.discard()
