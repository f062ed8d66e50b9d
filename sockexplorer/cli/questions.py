"""An engine of a command's own, for questions that it answers one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sockexplorer.cli.report import Failed, refused
from sockexplorer.client.client import Client, Refused
from sockexplorer.client.link import Link


@contextmanager
def engine(start: Callable[[], Link]) -> Iterator[Client]:
    """The engine that ``start`` starts. Raises `Failed` when it can't be started, refuses, dies or falls silent."""
    try:
        client = Client(start())
    except OSError as error:
        raise Failed(f"the engine can't be started: {error}") from None
    try:
        yield client
    except Refused as error:
        raise refused(error.problem) from None
    except TimeoutError as error:
        raise Failed(str(error)) from None
    finally:
        client.close()
