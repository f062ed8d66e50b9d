"""The code to take home: a runnable Python script for an endpoint, and its essential calls in one line.

A script needs the standard library only. Every literal in it is ASCII, and what it prints of peers passes ``ascii()``:
neither the text nor its output acts on a terminal.
"""

from __future__ import annotations

import socket

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family, Protocol

WIDE = 24
"""Bytes of a payload on one line of the script."""

_HELPER_FILE = '''\
@contextlib.contextmanager
def bound(sock, path):
    """Bind a socket file that only we may use; at the end remove it, if it is still the one we made."""
    os.fchmod(sock.fileno(), 0o600)  # before bind: the file is private from its first moment
    sock.bind(path)
    ours = os.lstat(path)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(ours, os.lstat(path)):
                os.unlink(path)'''
_HELPER_RECEIVE = '''\
def receive(connection):
    """What has arrived, b"" at the end."""
    try:
        return connection.recv({size})
    except ConnectionError:
        return b""'''
_SERVE = """\
selector.register(sock, selectors.EVENT_READ)
try:
    while True:
        for key, _ in selector.select():
            if key.fileobj is sock:
                connection, address = sock.accept()
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
                with contextlib.suppress(ConnectionError):
                    connection.sendall(PAYLOAD)
"""
_WORD = {"bind": "bound to", "connect": "connected as", "listen": "listening on", "open": "open as"}
_DO = {
    "bind": "bind, then print each message with its sender",
    "connect": "connect, then print what arrives",
    "listen": "listen, then print what each peer sends",
    "open": "open, then print what arrives",
}


def address_line(family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
    """The essential calls, such as ``sock.bind(('127.0.0.1', 9999))``; several are joined by ``; ``."""
    if endpoint.operation == "open" and endpoint.remote is not None:
        return f"sock.sendto(data, {endpoint.remote!a})"
    return "; ".join(_calls(endpoint)) or f"sock = {_Names().socket_call(family, protocol, endpoint)}"


def python_script(family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None = None) -> str:
    """A script that opens the endpoint and prints each peer with its bytes until Ctrl-C.

    ``payload`` is sent once to the endpoint's remote address, where there is one; otherwise to each peer: as an answer
    to each datagram, or as soon as a connection is accepted.
    """
    names = _Names()
    opening = [f"sock = {names.socket_call(family, protocol, endpoint)}"]
    for option in endpoint.options:
        level, name = names.use(option.level), names.use(option.name)
        opening.append(f"sock.setsockopt({level}, {name}, {option.value})")
    path = _file(family, endpoint)
    managers = ["sock", *([f"bound(sock, {path!a})"] if path is not None else [])]
    ready = [f'print("{_WORD[endpoint.operation]}", ascii(sock.getsockname()), flush=True)']
    first = _first(endpoint, payload)
    # An open socket has its address only once it has sent.
    body = _calls(endpoint, bound=path is not None) + (first + ready if endpoint.operation == "open" else ready + first)
    helpers = [] if path is None else [_HELPER_FILE]
    imports = {"contextlib", "socket"} | ({"os"} if path is not None else set())
    if endpoint.operation == "listen":
        imports.add("selectors")
        opening.append("selector = selectors.DefaultSelector()")
        managers.append("selector")
        helpers.append(_HELPER_RECEIVE.format(size=_size(protocol, endpoint)))
        label = 'f"#{connection.fileno()}"' if family.constant == "AF_UNIX" else "ascii(address)"
        body += _SERVE.format(label=label, greeting="" if payload is None else _GREETING).splitlines()
    else:
        imports |= {"errno"} if family.constant == "AF_NETLINK" else set()
        body += _receive(family, protocol, endpoint, payload)
    managers.append("contextlib.suppress(KeyboardInterrupt)")
    head = [
        "#!/usr/bin/env python3",
        f"# {family.name}/{protocol.name}: {_DO[endpoint.operation]}. Ctrl-C ends it.",
        *(f"import {name}" for name in sorted(imports)),
    ]
    constants = names.definitions() + ([] if payload is None else _payload(payload))
    main = [*opening, f"with {', '.join(managers)}:", *(f"    {line}".rstrip() for line in body)]
    gap = "\n\n\n" if helpers else "\n\n"
    top = "\n\n".join("\n".join(lines) for lines in (head, constants) if lines)
    return gap.join([top, *helpers, "\n".join(main)]) + "\n"


class _Names:
    """Constants as a script writes them; those that `socket` lacks are defined at the top."""

    def __init__(self) -> None:
        self.missing: dict[str, int] = {}

    def use(self, name: str) -> str:
        """``socket.NAME``, the bare name where the script defines it, or the number that it is."""
        if hasattr(socket, name):
            return f"socket.{name}"
        value = number(name)
        if not name.isidentifier():
            return str(value)
        self.missing[name] = value
        return name

    def definitions(self) -> list[str]:
        """Assignments for the names that this Python's ``socket`` does not have."""
        return [f"{name} = {value}  # the socket module has no name for it" for name, value in self.missing.items()]

    def socket_call(self, family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
        """``socket.socket(…)``."""
        proto = protocol.proto
        if endpoint.proto is not None:
            known = (name for name, value in protocol.proto_choices.items() if value == endpoint.proto)
            proto = next(known, str(endpoint.proto))
        arguments = [self.use(family.constant), self.use(protocol.type)]
        if proto != "0":
            arguments.append(self.use(proto))
        return f"socket.socket({', '.join(arguments)})"


def _file(family: Family, endpoint: Endpoint) -> str | bytes | None:
    """The path of the socket file that binding makes, up to a NUL, where the kernel stops; None for none."""
    address = endpoint.local
    if family.constant != "AF_UNIX" or endpoint.operation == "open":
        return None
    if isinstance(address, str):
        return address.partition("\0")[0] or None
    if isinstance(address, bytes | bytearray | memoryview):
        return bytes(address).partition(b"\0")[0] or None
    return None


def _calls(endpoint: Endpoint, *, bound: bool = False) -> list[str]:
    """The calls that take a socket to where the endpoint wants it; ``bound`` when a helper has bound it."""
    calls = []
    if not bound and endpoint.operation != "open" and (endpoint.local is not None or endpoint.operation == "listen"):
        calls.append(f"sock.bind({endpoint.local!a})")
    if endpoint.operation == "listen":
        calls.append("sock.listen()")
    elif endpoint.operation == "connect":
        calls.append(f"sock.connect({endpoint.remote!a})")
    return calls


def _first(endpoint: Endpoint, payload: bytes | None) -> list[str]:
    """The lines that send the payload before anything is received."""
    if payload is None or endpoint.operation == "listen":
        return []
    if endpoint.operation == "connect":
        return ["sock.sendall(PAYLOAD)"]
    if endpoint.remote is not None:
        return [f"sock.sendto(PAYLOAD, {endpoint.remote!a})"]
    return ["sock.send(PAYLOAD)"] if endpoint.family in ("AF_NETLINK", "AF_PACKET") else []


def _receive(family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None) -> list[str]:
    """The lines that receive until Ctrl-C, or until the end of a connection."""
    size = _size(protocol, endpoint)
    if endpoint.operation == "connect" and protocol.connections:
        return [
            "peer = ascii(sock.getpeername())",
            f"while data := sock.recv({size}):",
            "    print(peer, data, flush=True)",
        ]
    take = f"data, peer = sock.recvfrom({size})"
    if family.constant == "AF_NETLINK":
        lines = [
            "while True:",
            "    try:",
            f"        {take}",
            "    except OSError as error:",
            "        if error.errno != errno.ENOBUFS:",
            "            raise",
            '        print("messages were lost: they came faster than they were read", flush=True)',
            "        continue",
        ]
    else:
        lines = ["while True:", f"    {take}"]
    lines.append("    print(ascii(peer), data, flush=True)")
    if payload is not None and endpoint.operation == "bind" and not _first(endpoint, payload):
        lines += ["    if peer:", "        sock.sendto(PAYLOAD, peer)"]
    return lines


def _size(protocol: Protocol, endpoint: Endpoint) -> int:
    return endpoint.snaplen or protocol.snaplen


def _payload(payload: bytes) -> list[str]:
    """The assignment of the payload, wrapped when it is long."""
    if len(payload) <= WIDE:
        return [f"PAYLOAD = {payload!r}"]
    parts = (payload[at : at + WIDE] for at in range(0, len(payload), WIDE))
    return ["PAYLOAD = (", *(f"    {part!r}" for part in parts), ")"]
