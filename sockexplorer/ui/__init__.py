"""The explorer: a Textual application in four panes."""

from __future__ import annotations

import gc


def run(family_protocol: str | None = None, address: str | None = None) -> int:
    """Run the explorer until it is quit. Its exit status: 0, or 128 + n after signal n.

    ``family_protocol`` (``inet/udp``) and ``address`` fill the form to start with. Raises KeyError.
    """
    # Nearly all that the start makes stays: to collect waits until the screen stands.
    gc.disable()
    # The engine starts while Textual is imported: both take a while, and there are two cores.
    from sockexplorer.client.hub import Hub
    from sockexplorer.ui.settings import load

    settings = load()
    hub = Hub(log_limit=settings.log_bytes)
    try:
        from sockexplorer.ui.app import ExplorerApp
        from sockexplorer.ui.ending import run_app

        return run_app(ExplorerApp(hub, settings, family_protocol, address))
    finally:
        gc.enable()
        hub.shut_down()
