"""The steps of a script, whatever its style: open, say where, send first, receive."""

from __future__ import annotations

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script import quirks
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.names import Names
from sockexplorer.core.script.parts import Parts, indented

_BOUND = '''\
@contextlib.contextmanager
def bound(sock, path):
    """Bind a socket file that only we may use; at the end remove it, if it is still the one we made."""
    mask = os.umask(0o177)  # before bind: the file is private from its first moment
    try:
        sock.bind(path)
    finally:
        os.umask(mask)
    ours = os.lstat(path)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(ours, os.lstat(path)):
                os.unlink(path)'''
_WORD = {"bind": "bound to", "connect": "connected as", "listen": "listening on", "open": "open as"}
_NAMELESS = {"bind": "bound", "connect": "connected", "listen": "listening", "open": "open"}


def address_line(family: Family, protocol: Protocol, endpoint: Endpoint) -> str:
    """The essential calls, such as ``sock.bind(('127.0.0.1', 9999))``; several are joined by ``; ``."""
    if endpoint.operation == "open" and endpoint.remote is not None:
        return f"sock.sendto(data, {endpoint.remote!a})"
    calls = _bind(endpoint)
    if endpoint.operation == "connect":
        calls.append(f"sock.connect({endpoint.remote!a})")
    return "; ".join(calls) or f"sock = {Names().socket_call(family, protocol, endpoint)}"


def open_socket(parts: Parts, dialect: Dialect, family: Family, protocol: Protocol, endpoint: Endpoint) -> None:
    """Options, and the calls that take the socket to where the endpoint wants it."""
    for option, after_bind in set_options(parts, protocol, endpoint):
        (parts.body if after_bind else parts.opening).append(option)
    if protocol.gate is not None:
        level, name = (parts.names.use(each) for each in protocol.gate[:2])
        parts.opening.append("# At first nothing gets through.")
        parts.opening.append(f"sock.setsockopt({level}, {name}, {protocol.gate[2]!r})")
    path = socket_file(family, endpoint)
    if path is None:
        parts.body += _bind(endpoint)
    else:
        parts.imports |= {"contextlib", "os"}
        parts.helpers.append(_BOUND)
        parts.managers.append(f"bound(sock, {path!a})")
        parts.body += ["sock.listen()"] if endpoint.operation == "listen" else []
    if endpoint.operation == "connect":
        parts.body.append(dialect.connect(parts, family, protocol, endpoint))


def set_options(parts: Parts, protocol: Protocol, endpoint: Endpoint) -> list[tuple[str, bool]]:
    """The lines that set the endpoint's options, each with whether it comes after bind."""
    declared = {each.name: each for each in protocol.options}
    lines = []
    for option in endpoint.options:
        level, name = parts.names.use(option.level), parts.names.use(option.name)
        known = declared.get(option.name)
        value = f"{option.value!r}"
        if known is not None and known.by_length:
            value = f"None, {value}"
        lines.append((f"sock.setsockopt({level}, {name}, {value})", known is not None and known.after_bind))
    return lines


def socket_file(family: Family, endpoint: Endpoint) -> str | bytes | None:
    """The path of the socket file that binding makes, up to a NUL, where the kernel stops; None for none."""
    address = endpoint.local
    if family.constant != "AF_UNIX" or endpoint.operation == "open":
        return None
    if isinstance(address, str):
        return address.partition("\0")[0] or None
    if isinstance(address, bytes | bytearray | memoryview):
        return bytes(address).partition(b"\0")[0] or None
    return None


def _bind(endpoint: Endpoint) -> list[str]:
    calls = []
    if endpoint.operation == "listen" or (endpoint.operation != "open" and endpoint.local is not None):
        calls.append(f"sock.bind({endpoint.local!a})")
    if endpoint.operation == "listen":
        calls.append("sock.listen()")
    return calls


def say_where(protocol: Protocol, endpoint: Endpoint) -> str:
    """The line that prints the socket's own address, which the kernel may have chosen."""
    if not protocol.has_name:
        return f'print("{_NAMELESS[endpoint.operation]}", flush=True)'
    return f'print("{_WORD[endpoint.operation]}", ascii(sock.getsockname()), flush=True)'


def send_first(dialect: Dialect, family: Family, protocol: Protocol, endpoint: Endpoint) -> list[str]:
    """The line that sends the payload before anything is received; none where the endpoint names no peer."""
    if endpoint.operation == "listen":
        return []
    if endpoint.operation == "connect":
        return [dialect.send()]
    if endpoint.remote is not None:
        return [dialect.send_to(f"{endpoint.remote!a}")]
    return [dialect.send()] if quirks.sends_bound(family, protocol) else []


def name_peer(protocol: Protocol, endpoint: Endpoint) -> str:
    """The line that says, before anything is sent, who the peer is: a connection that was reset knows no more."""
    lasting = protocol.has_name and not protocol.ends_in_reset
    known = "sock.getpeername()" if lasting else f"{endpoint.remote!a}"
    return f"peer = ascii({known})"


def receive_stream(parts: Parts, dialect: Dialect, protocol: Protocol, size: int) -> list[str]:
    """Print what comes over a connection, until its end."""
    lines = [
        f"while data := {dialect.receive(size)}:",
        "    print(peer, data, flush=True)",
        *indented(dialect.in_turn()),
    ]
    if not protocol.ends_in_reset:
        return lines
    parts.imports.add("contextlib")
    return ["with contextlib.suppress(ConnectionResetError):  # every end looks like that here", *indented(lines)]


def can_answer(protocol: Protocol, endpoint: Endpoint) -> bool:
    """Whether the payload may go to the sender of each message."""
    return endpoint.operation == "bind" and protocol.has_senders and not quirks.hears_itself(protocol)


def receive_messages(
    parts: Parts, dialect: Dialect, family: Family, protocol: Protocol, size: int, *, answer: bool
) -> list[str]:
    """Print each message with its sender, and answer with the payload if so wished."""
    if not protocol.has_senders:
        why = "# recvfrom() fails here: Python knows no senders of this family."
        take, shown = [why, f"data = {dialect.receive(size)}"], "data"
    else:
        take, shown = [f"data, peer = {dialect.receive_from(size)}"], "ascii(peer), data"
    if family.constant == "AF_NETLINK":
        parts.imports.add("errno")
        take = [
            "try:",
            *indented(take),
            "except OSError as error:",
            "    if error.errno != errno.ENOBUFS:",
            "        raise",
            '    print("messages were lost: they came faster than they were read", flush=True)',
            "    continue",
        ]
    turn = [*take, f"print({shown}, flush=True)"]
    if answer:
        turn += ["if peer:", f"    {dialect.send_to('peer')}"]
    return ["while True:", *indented([*turn, *dialect.in_turn()])]
