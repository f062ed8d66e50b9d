"""The asyncio style: the event loop waits for all sockets at once, and each accepted peer has a task.

``loop.sock_recv()`` and its kin take a socket of any family, but for ``sock_connect()``: it looks internet addresses
up with ``getaddrinfo()``, which knows neither Multipath TCP nor the type and protocol of raw and ping sockets.
"""

from __future__ import annotations

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.parts import Parts, indented

_LET_OTHERS = "await asyncio.sleep(0)  # even in a flood let other tasks run, and Ctrl-C through"
_CONNECT = '''\
async def connect(sock, address):
    """Connect; loop.sock_connect() would ask getaddrinfo() for the address, which refuses this one."""
    try:
        sock.connect(address)
    except BlockingIOError:
        loop = asyncio.get_running_loop()
        decided = asyncio.Event()
        loop.add_writer(sock, decided.set)
        try:
            await decided.wait()
        finally:
            loop.remove_writer(sock)
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code)) from None'''
_SERVE = '''\
async def serve(connection, peer):
    """Print what one peer sends, until it ends."""
    loop = asyncio.get_running_loop()
    with connection:
        print(peer, "connected", flush=True)
{greeting}\
        with contextlib.suppress(OSError):  # reset, or timed out: that is an end as well
            while data := await loop.sock_recv(connection, {size}):
                print(peer, data, flush=True)
                {in_turn}
        print(peer, "closed", flush=True)'''
_GREETING = """\
        with contextlib.suppress(OSError):
            await loop.sock_sendall(connection, PAYLOAD)
"""


class Asynchronous(Dialect):
    """``await loop.sock_recv(sock, …)``."""

    def receive(self, size: int | str, sock: str = "sock") -> str:
        return f"await loop.sock_recv({sock}, {size})"

    def receive_from(self, size: int) -> str:
        return f"await loop.sock_recvfrom(sock, {size})"

    def send(self, sock: str = "sock") -> str:
        return f"await loop.sock_sendall({sock}, PAYLOAD)"

    def send_to(self, address: str) -> str:
        return f"await loop.sock_sendto(sock, PAYLOAD, {address})"

    def accept(self) -> str:
        return "await loop.sock_accept(sock)"

    def in_turn(self) -> list[str]:
        return [_LET_OTHERS]

    def connect(self, parts: Parts, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        if not protocol.connections:
            return f"sock.connect({endpoint.remote!a})  # done at once: there is nothing to wait for"
        if _loop_connects(family, protocol, endpoint):
            return f"await loop.sock_connect(sock, {endpoint.remote!a})"
        parts.helpers.append(_CONNECT)
        parts.imports.add("os")
        return f"await connect(sock, {endpoint.remote!a})"

    def serve(self, parts: Parts, label: str, size: int, *, greet: bool) -> list[str]:
        parts.imports.add("contextlib")
        parts.helpers.append(_SERVE.format(size=size, in_turn=_LET_OTHERS, greeting=_GREETING if greet else ""))
        address = "address" if "address" in label else "_"
        return [
            "async with asyncio.TaskGroup() as peers:",
            "    while True:",
            f"        connection, {address} = {self.accept()}",
            f"        peers.create_task(serve(connection, {label}))",
        ]

    def main(self, parts: Parts) -> list[str]:
        parts.imports.add("asyncio")
        lines = [
            "async def main():",
            f'    """Run until {"Ctrl-C cancels it" if parts.endless else "the result is there"}."""',
            "    loop = asyncio.get_running_loop()",
            f"    sock = {parts.socket}",
            "    sock.setblocking(False)  # the event loop waits, never the socket",
            *indented(parts.opening),
            f"    with {', '.join(parts.managers)}:",
            *indented(parts.body, 2),
        ]
        return ["\n".join(lines), "\n".join(_start(parts))]


def _loop_connects(family: Family, protocol: Protocol, endpoint: Endpoint) -> bool:
    """Whether ``loop.sock_connect()`` gets through: it looks up what is no IP address, and '' is none to it."""
    if family.constant not in ("AF_INET", "AF_INET6"):
        return True
    named = isinstance(endpoint.remote, tuple) and bool(endpoint.remote[0])
    return named and protocol.proto == "IPPROTO_TCP" and endpoint.proto is None


def _start(parts: Parts) -> list[str]:
    """The statements that run ``main()``."""
    lines: list[str] = []
    managers: list[str] = []
    run = "asyncio.run(main())"
    if parts.endless:
        parts.imports.add("contextlib")
        managers.append("contextlib.suppress(KeyboardInterrupt)")
    if parts.selector_loop:
        lines.append("# The default event loop of Windows takes internet addresses only.")
        managers.append("asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner")
        run = "runner.run(main())"
    if not managers:
        return [*lines, run]
    return [*lines, f"with {', '.join(managers)}:", f"    {run}"]
