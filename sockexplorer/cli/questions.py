"""An engine for a command: where ``--via`` says, or here; and one of its own for questions answered one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import click

from sockexplorer.cli.report import Failed, note, refused
from sockexplorer.client.client import Client, Refused, StartError
from sockexplorer.client.link import Link


def starter(here: Callable[[], Link], waiting: Callable[[], None] = lambda: None) -> Callable[[], Link]:
    """What starts an engine: behind the command of ``--via``, or ``here`` without one.

    ``waiting`` is called while the command is on its way, and may raise to give up.
    """
    context = click.get_current_context(silent=True)
    via = context.find_root().params.get("via") if context is not None else None
    if via is None:
        return here
    from sockexplorer.client.via import start

    return partial(start, via, waiting=waiting, tell=note)


def not_started(error: OSError) -> Failed:
    """The failure of a command whose engine can't be started."""
    return refused(error.problem) if isinstance(error, StartError) else Failed(f"the engine can't be started: {error}")


@contextmanager
def engine(here: Callable[[], Link]) -> Iterator[Client]:
    """The engine that `starter` starts. Raises `Failed` when it can't be started, refuses, dies or falls silent."""
    try:
        client = Client(starter(here)())
    except OSError as error:
        raise not_started(error) from None
    try:
        yield client
    except Refused as error:
        raise refused(error.problem) from None
    except TimeoutError as error:
        raise Failed(str(error)) from None
    finally:
        client.close()


def tell_place(client: Client) -> None:
    """Say on stderr where an engine runs that is not here."""
    if client.link.via:
        from sockexplorer.client.place import place

        note(place(client.call("hello"), client.link.via))
