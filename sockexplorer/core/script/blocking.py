"""The blocking style: one thread that waits in the kernel, for one socket or with a selector for many."""

from __future__ import annotations

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.parts import Parts, indented

_RECEIVE = '''\
def receive(connection):
    """What has arrived, b"" at the end."""
    try:
        return connection.recv({size})
    except OSError:  # reset, or timed out: that is an end as well
        return b""'''
_SERVE = """\
selector.register(sock, selectors.EVENT_READ)
try:
    while True:
        for key, _ in selector.select():
            if key.fileobj is sock:
                connection, {address} = sock.accept()
                peer = {label}
                selector.register(connection, selectors.EVENT_READ, peer)
                print(peer, "connected", flush=True)
{greeting}\
            elif data := receive(key.fileobj):
                print(key.data, data, flush=True)
            else:
                print(key.data, "closed", flush=True)
                selector.unregister(key.fileobj)
                key.fileobj.close()
finally:
    for key in list(selector.get_map().values()):
        key.fileobj.close()
"""
_GREETING = """\
                with contextlib.suppress(OSError):
                    connection.sendall(PAYLOAD)
"""


class Blocking(Dialect):
    """``sock.recv(…)``."""

    def receive(self, size: int | str, sock: str = "sock") -> str:
        return f"{sock}.recv({size})"

    def receive_from(self, size: int) -> str:
        return f"sock.recvfrom({size})"

    def send(self, sock: str = "sock") -> str:
        return f"{sock}.sendall(PAYLOAD)"

    def send_to(self, address: str) -> str:
        return f"sock.sendto(PAYLOAD, {address})"

    def accept(self) -> str:
        return "sock.accept()"

    def in_turn(self) -> list[str]:
        return []

    def connect(self, parts: Parts, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        return f"sock.connect({endpoint.remote!a})"

    def serve(self, parts: Parts, label: str, size: int, *, greet: bool) -> list[str]:
        parts.imports |= {"selectors"}
        parts.opening.append("selector = selectors.DefaultSelector()")
        parts.managers.append("selector")
        parts.helpers.append(_RECEIVE.format(size=size))
        address = "address" if "address" in label else "_"
        return _SERVE.format(address=address, label=label, greeting=_GREETING if greet else "").splitlines()

    def patience(self, timeout: float) -> list[str]:
        if timeout:
            return [f"sock.settimeout({timeout:g})  # then TimeoutError, whatever it waits for"]
        return ["sock.setblocking(False)  # BlockingIOError where it would wait"]

    def main(self, parts: Parts) -> list[str]:
        managers = list(parts.managers)
        if parts.endless:
            parts.imports.add("contextlib")
            managers.append("contextlib.suppress(KeyboardInterrupt)")
        lines = [f"sock = {parts.socket}", *parts.opening, f"with {', '.join(managers)}:", *indented(parts.body)]
        return ["\n".join(lines)]
