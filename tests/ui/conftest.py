"""Fixtures of the interface's tests: a hub with an engine, and the application over it."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for person.py and pty_app.py: importlib mode adds no directories

from person import PATIENCE, Person
from support import udp
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from sockexplorer.client.hub import Hub
from sockexplorer.client.link import Link, start_process, start_thread
from sockexplorer.ui import typeahead
from sockexplorer.ui.app import ExplorerApp
from sockexplorer.ui.settings import Settings

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def rare_collections() -> Iterator[None]:
    """Textual's trees are large and live as long as the application: looking through them takes a quarter of a test."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    yield
    gc.set_threshold(*before)


@pytest.fixture(autouse=True, scope="module")
def applications_freed() -> Iterator[None]:
    """An application has what exists when it begins left alone by the collector: here that is those before it."""
    yield
    gc.unfreeze()
    gc.collect()


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """Every application parses the same style sheets, in a fifth of its start: what one has parsed serves the next."""
    parse = Stylesheet._parse_rules
    parsed: dict[tuple[object, ...], list[RuleSet]] = {}

    def parse_once(sheet: Stylesheet, css: str, read_from: tuple[str, str], *more: object, **by_name: object) -> object:
        key = css, read_from, more, *by_name.items(), *sheet._variables.items()
        if key not in parsed:
            parsed[key] = parse(sheet, css, read_from, *more, **by_name)  # type: ignore[arg-type]
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(autouse=True)
def keys_wait_for_their_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a test types has had its effect before the next key, and before it looks."""
    monkeypatch.setattr(typeahead, "PATIENCE_SECONDS", PATIENCE / 2)
    monkeypatch.setattr(typeahead, "REPLY_SECONDS", PATIENCE / 2)


@pytest.fixture
def hubs() -> Iterator[Callable[..., Hub]]:
    """Makes hubs, and shuts them down."""
    made: list[Hub] = []

    def make(start: Callable[[], Link] = start_thread, **more: int) -> Hub:
        made.append(Hub(start, **more))
        return made[-1]

    yield make
    for each in made:
        each.shut_down()


@pytest.fixture
def people(hubs: Callable[..., Hub]) -> Callable[..., Person]:
    """Makes a person at the explorer: ``async with people(size=(80, 24)) as person``.

    With ``python`` the engine is a process of that interpreter, such as `support.namespace_python` has.
    """

    def make(
        size: tuple[int, int] = (120, 40),
        *,
        process: bool = False,
        python: str | None = None,
        settings: Settings | None = None,
        start: tuple[str | None, str | None] = (None, None),
        **hub: int,
    ) -> Person:
        started = partial(start_process, python) if python else start_process if process else start_thread
        made = hubs(started, **hub)
        return Person(ExplorerApp(made, settings or Settings(), *start), size)

    return make


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture(params=SIZES, ids=_name)
def every_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """A small, a usual and a large terminal."""
    width, height = request.param
    return width, height


@pytest.fixture(params=SIZES[:2], ids=_name)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """A terminal with one pane in sight, and one with all four."""
    width, height = request.param
    return width, height


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """A plain UDP socket of somebody else."""
    with udp() as sock:
        yield sock
