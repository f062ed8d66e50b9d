"""Host names, looked up in a thread of their own: a resolver may take seconds, and the engine must not."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable

from sockexplorer.core.family import Family
from sockexplorer.core.internet import InternetFamily

Found = Callable[[object, OSError | None], None]
FoundHosts = Callable[[list[str], OSError | None], None]


def _numeric(sockaddr: tuple[object, ...]) -> str:
    """The host of an answer, with its zone: a link-local address says nothing without."""
    zone = sockaddr[3] if len(sockaddr) > 3 else 0
    return f"{sockaddr[0]}%{zone}" if zone else str(sockaddr[0])


class Resolver:
    """Replaces host names in addresses by numbers. ``wake`` is called from the thread when an answer waits."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def resolve(self, family: Family, address: object, found: Found) -> None:
        """Call ``found(address, None)`` with a numeric address, at once if it is one, or ``found(None, error)``."""

        def first(hosts: list[str], error: OSError | None) -> None:
            if error is not None:
                found(None, error)
            else:
                found(family.with_host(address, hosts[0]) if hosts else address, None)

        self.hosts(family, address, first)

    def hosts(self, family: Family, address: object, found: FoundHosts) -> None:
        """Call ``found(hosts, None)`` with every number of the host name, the best one first (RFC 6724).

        There are none where the address has no host name; ``found([], error)`` when the look-up failed.
        """
        host = None if address is None else family.host_name(address)
        if host is None or not isinstance(family, InternetFamily):
            found([], None)
            return
        threading.Thread(target=self._look_up, args=(family, host, found), daemon=True).start()

    def _look_up(self, family: InternetFamily, host: str, found: FoundHosts) -> None:
        try:
            # AF_RDS and its like carry addresses of IP: the version counts, not the family.
            version = {4: socket.AF_INET, 6: socket.AF_INET6}[family.version]
            answers = socket.getaddrinfo(host, None, version, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
            self._answers.put(lambda: found([], failure))
        else:
            hosts = list(dict.fromkeys(_numeric(answer[4]) for answer in answers))
            self._answers.put(lambda: found(hosts, None))
        self._wake()

    def deliver(self) -> None:
        """Run what the answers ask for, on the engine's thread."""
        while True:
            try:
                answer = self._answers.get_nowait()
            except queue.Empty:
                return
            answer()
