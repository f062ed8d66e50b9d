"""Scripts of both styles, started and ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripts import Script, write

from sockexplorer.core.script import STYLES, Style


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    """Every test that takes it runs once for each style."""
    style: Style = request.param
    return style


@pytest.fixture
def start() -> Iterator[Callable[..., Script]]:
    """Run a script's text."""
    running: list[Script] = []

    def run(text: str, python: str = sys.executable) -> Script:
        running.append(Script(text, python))
        return running[-1]

    yield run
    for each in running:
        each.discard()


@pytest.fixture
def run(start: Callable[..., Script], style: Style) -> Callable[..., Script]:
    """Write the script for ``inet/udp`` or the like in the style at hand, and run it."""

    def write_and_start(*arguments: object, python: str = sys.executable, **more: Any) -> Script:
        return start(write(*arguments, style=style, **more), python)  # type: ignore[arg-type]

    return write_and_start
