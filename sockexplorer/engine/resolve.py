"""Host names, looked up in a thread of their own: a resolver may take seconds, and the engine must not."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable

from sockexplorer.core.family import Family

Found = Callable[[object, OSError | None], None]


class Resolver:
    """Replaces host names in addresses by numbers. ``wake`` is called from the thread when an answer waits."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def resolve(self, family: Family, address: object, found: Found) -> None:
        """Call ``found(address, None)`` with a numeric address, at once if it is one, or ``found(None, error)``."""
        host = None if address is None else family.host_name(address)
        if host is None:
            found(address, None)
            return
        threading.Thread(target=self._look_up, args=(family, address, host, found), daemon=True).start()

    def _look_up(self, family: Family, address: object, host: str, found: Found) -> None:
        try:
            first = socket.getaddrinfo(host, None, family.number, socket.SOCK_STREAM)[0]
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
            self._answers.put(lambda: found(None, failure))
        else:
            numeric = family.with_host(address, str(first[4][0]))
            self._answers.put(lambda: found(numeric, None))
        self._wake()

    def deliver(self) -> None:
        """Run what the answers ask for, on the engine's thread."""
        while True:
            try:
                answer = self._answers.get_nowait()
            except queue.Empty:
                return
            answer()
