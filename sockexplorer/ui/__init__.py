"""The explorer: a Textual application in four panes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sockexplorer.client.file_session import Pipe
    from sockexplorer.client.link import Link


def run(
    family_protocol: str | None,
    address: str | None,
    start: Callable[[], Link],
    limit: Callable[[int], int | None] = lambda usual: usual,
    directory: Path | None = None,
    capture: tuple[Path | Pipe, str] | None = None,
) -> int:
    """Run the explorer until it is quit. Its exit status: 0, or 128 + n after signal n.

    ``family_protocol`` (``inet/udp``) and ``address`` fill the form to start with. ``start`` starts the engine, while
    the terminal is not the explorer's: it may ask for a password. ``limit`` gives the bytes that a log keeps, from what
    the settings say, and ``directory`` is where; see `capture.log.Log`. ``capture`` is a
    capture file or a pipe to show at the start, and a filter. Raises KeyError, and OSError when it can't be started.
    """
    # Nearly all that the start makes stays: to collect waits until the screen stands.
    gc.disable()
    stderr = sys.__stderr__
    if stderr is None or not stderr.isatty():
        # Textual draws on stderr, which is for what goes wrong: where that goes elsewhere, the terminal is stdout.
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]
    # The engine starts while Textual is imported: both take a while, and there are two cores.
    from sockexplorer.client.hub import Hub
    from sockexplorer.ui.settings import load

    settings = load()
    hub = Hub(start, log_limit=limit(settings.log_bytes), log_directory=directory)
    try:
        from sockexplorer.ui.app import ExplorerApp
        from sockexplorer.ui.ending import run_app

        return run_app(ExplorerApp(hub, settings, family_protocol, address, capture))
    finally:
        sys.__stderr__ = stderr  # type: ignore[misc]
        gc.enable()
        hub.shut_down()
