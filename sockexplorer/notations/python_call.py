"""Python code that opens a socket: ``socket.socket(…)``, ``sock.bind(…)``, ``create_connection(…)``, whole scripts.

The code is parsed, never run. Source: the `socket` and `asyncio` references.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Operation, Protocol
from sockexplorer.families import all_families, numbered
from sockexplorer.notations import expression
from sockexplorer.notations.expression import Unknown
from sockexplorer.notations.plausible import implausible
from sockexplorer.notations.reading import Reading, accepts, fitting, operation

NOTATION = "Python code"
_LIKELY = re.compile(
    r"\b(?:socket|bind|connect|connect_ex|sendto|create_(?:connection|server|datagram_endpoint|unix_connection"
    r"|unix_server)|open_connection|open_unix_connection|start_server|start_unix_server)\s*\("
)
_PROMPT = re.compile(r"^(?:>>>|\.\.\.|In \[\d+\]:) ?", re.MULTILINE)
_INET, _STREAM = "AF_INET", "SOCK_STREAM"


@dataclass
class _Found:
    """What the code says of one socket."""

    kind: tuple[int, int, int] | None = None
    """The arguments of socket(), where the code has them."""
    local: object = None
    remote: object = None
    listening: bool = False
    sends: bool = False
    options: list[SetOption] = field(default_factory=list)


def read(text: str) -> Iterator[Reading]:
    """The socket that the code opens, binds or connects: the last of each where there are several."""
    if not _LIKELY.search(text):
        return
    try:
        module = _parse(text)
    except Unknown:
        return
    found = _Found()
    for call in _calls(module):
        try:
            _note(found, expression.called(call.func), call)
        except (Unknown, ValueError):
            continue
    yield from _readings(found)


def _parse(text: str) -> ast.Module:
    code = textwrap.dedent(_PROMPT.sub("", text)).strip()
    # A line out of a script may open a block, or go on in the next line.
    for end in ("", " pass" if code.endswith(":") else ")"):
        try:
            return expression.parse(code.rstrip(",") + end)
        except Unknown:
            continue
    raise Unknown(code[:60])


def _calls(module: ast.Module) -> list[ast.Call]:
    calls = [each for each in ast.walk(module) if isinstance(each, ast.Call)]
    return sorted(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))


def _note(found: _Found, name: str, call: ast.Call) -> None:
    """Take over what one call says. Raises `Unknown` or ValueError where it can't be told."""
    named = {each.arg: each.value for each in call.keywords if each.arg}
    match name, call.args:
        case "socket", arguments:
            found.kind = _kind(arguments, named)
        case "bind", [address]:
            found.local = expression.value(address)
        case (("connect" | "connect_ex"), [address]):
            found.remote = expression.value(address)
        case "sendto", [_, *_, address]:
            found.remote, found.sends = expression.value(address), True
        case "listen", _:
            found.listening = True
        case "setsockopt", [level, option, value] | [level, option, ast.Constant(value=None), value]:
            found.options.append(_option(level, option, value))
        case (("create_connection" | "create_server"), [address, *_]) if isinstance(address, ast.Tuple):
            _take(found, name == "create_server", expression.value(address))
            if "family" in named:
                found.kind = _kind([named["family"]], {})
        case (("create_connection" | "open_connection"), [*_, host, port]):
            _take(found, False, (expression.value(host), expression.value(port)))
        case (("create_server" | "start_server"), [_, host, port, *_]):
            _take(found, True, (expression.value(host) or "", expression.value(port)))
        case (("open_unix_connection" | "start_unix_server" | "create_unix_connection" | "create_unix_server"), _):
            path = named["path"] if "path" in named else call.args[-1]
            found.kind = (number("AF_UNIX"), number(_STREAM), 0)
            _take(found, name.endswith("server"), expression.value(path), keep=True)
        case "create_datagram_endpoint", _:
            found.local = expression.value(named["local_addr"]) if "local_addr" in named else None
            found.remote = expression.value(named["remote_addr"]) if "remote_addr" in named else None
            version = _version(found.local or found.remote)
            found.kind = (number(version), number("SOCK_DGRAM"), number("IPPROTO_UDP"))


def _take(found: _Found, listening: bool, address: object, *, keep: bool = False) -> None:
    """One end of a stream; its kind follows from the host unless it is known."""
    if listening:
        found.local, found.listening = address, True
    else:
        found.remote = address
    if not keep:
        found.kind = (number(_version(address)), number(_STREAM), number("IPPROTO_TCP"))


def _version(address: object) -> str:
    host = address[0] if isinstance(address, tuple) and address else ""
    return "AF_INET6" if isinstance(host, str) and ":" in host else _INET


def _kind(arguments: list[ast.expr], named: dict[str, ast.expr]) -> tuple[int, int, int]:
    """The numbers of ``socket(family=AF_INET, type=SOCK_STREAM, proto=0)``. Raises `Unknown` or ValueError."""
    given = dict(zip(("family", "type", "proto"), arguments, strict=False)) | named
    numbers = []
    for name, default in (("family", number(_INET)), ("type", number(_STREAM)), ("proto", 0)):
        value = expression.value(given[name]) if name in given else default
        if not isinstance(value, int) or value < 0:
            raise ValueError(name)
        numbers.append(value)
    return (numbers[0], numbers[1], numbers[2])


def _option(level: ast.expr, name: ast.expr, value: ast.expr) -> SetOption:
    """The option by the names that the code uses. Raises `Unknown` or ValueError."""
    given = expression.value(value)
    if not isinstance(given, int | bytes):
        raise ValueError("an option that is neither an int nor bytes")
    texts = [expression.called(each) or str(expression.value(each)) for each in (level, name)]
    return SetOption(texts[0], texts[1], given if isinstance(given, bytes) else int(given))


def _readings(found: _Found) -> Iterator[Reading]:
    for family, protocol, proto in _candidates(found):
        wanted: list[Operation] = ["bind", "listen"]
        if found.sends and not protocol.connections:
            wanted = ["open"]
        elif found.remote is not None:
            wanted = ["connect"]
        elif found.listening:
            wanted = ["listen"]
        does = "open" if wanted == ["open"] else operation(protocol, *wanted)
        if found.sends and found.local is not None:
            does = operation(protocol, "bind")
        if found.local is None and found.remote is None:
            does = None
        yield Reading(
            family, protocol, does, found.local, found.remote, proto, tuple(found.options), NOTATION
        )  # fmt: skip


def _candidates(found: _Found) -> list[tuple[Family, Protocol, int | None]]:
    """The protocols of the socket; where the code does not tell, those that take its addresses, likeliest first."""
    addresses = [each for each in (found.local, found.remote) if each is not None]
    if found.kind is not None:
        domain, kind, proto = found.kind
        known = [(each, *fit) for each in numbered(domain) for fit in fitting(each, kind, proto)]
        return [each for each in known if all(accepts(each[0], each[1], address) for address in addresses)]
    if not addresses:
        return []
    connects = found.remote is not None and not found.sends
    taken = [
        (implausible(family, protocol, addresses[0]), connects and not protocol.connections, family, protocol)
        for family in all_families()
        for protocol in family.protocols
        if all(accepts(family, protocol, address) for address in addresses)
        and (not found.listening or protocol.connections)
    ]
    taken.sort(key=lambda each: each[:2])
    return [(family, protocol, None) for _, _, family, protocol in taken]
