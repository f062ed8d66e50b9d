"""A whole script: the steps of an endpoint, in a style."""

from __future__ import annotations

from typing import Literal, get_args

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script import alg, by_bytes, quirks, steps
from sockexplorer.core.script.asynchronous import Asynchronous
from sockexplorer.core.script.blocking import Blocking
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.names import Names
from sockexplorer.core.script.parts import Parts, assignment

Style = Literal["blocking", "asyncio"]
STYLES: tuple[Style, ...] = get_args(Style)

_DIALECTS: dict[Style, Dialect] = {"blocking": Blocking(), "asyncio": Asynchronous()}
_DO = {
    "bind": "bind, then print each message with its sender",
    "connect": "connect, then print what arrives",
    "listen": "listen, then print what each peer sends",
    "open": "open, then print what arrives",
}


def python_script(
    family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None = None, style: Style = "blocking"
) -> str:
    """A script that opens the endpoint and prints each peer with its bytes until Ctrl-C.

    ``payload`` is sent once to the endpoint's remote address, where there is one; otherwise to each peer: as an answer
    to each datagram, or as soon as a connection is accepted. What a script prints is the same in every style.
    """
    dialect, names = _DIALECTS[style], Names()
    purpose = _DO[endpoint.operation]
    if not protocol.has_senders:
        purpose = purpose.removesuffix(" with its sender")
    parts = Parts(
        f"{family.name}/{protocol.name}: {purpose}. Ctrl-C ends it.",
        names.socket_call(family, protocol, endpoint),
        names,
        selector_loop=quirks.on_windows(family),
    )
    if family.foreign:
        parts.title += f"\n# {family.constant}: {family.availability}."
    if endpoint.timeout is not None and endpoint.operation != "listen":
        parts.opening += dialect.patience(endpoint.timeout)  # a server's sockets wait in a selector
    if family.by_bytes:
        by_bytes.fill(parts, family)
    if alg.applies(family, endpoint):
        alg.fill(parts, dialect, family, protocol, endpoint, payload)
    else:
        _fill(parts, dialect, family, protocol, endpoint, payload)
    return parts.render(dialect.main(parts))


def _fill(
    parts: Parts, dialect: Dialect, family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None
) -> None:
    """The steps that most families have in common."""
    size = endpoint.snaplen or protocol.snaplen
    steps.open_socket(parts, dialect, family, protocol, endpoint)
    where = steps.say_where(protocol, endpoint)
    first = [] if payload is None else steps.send_first(dialect, family, protocol, endpoint)
    answer = False
    if endpoint.operation == "listen":
        label = 'f"#{connection.fileno()}"' if family.constant == "AF_UNIX" else "ascii(address)"
        answer = payload is not None
        parts.body += [where, *dialect.serve(parts, label, size, greet=answer)]
    elif endpoint.operation == "connect" and protocol.connections:
        parts.body += [where, steps.name_peer(protocol, endpoint), *first]
        parts.body += steps.receive_stream(parts, dialect, protocol, size)
    else:
        answer = payload is not None and not first and steps.can_answer(protocol, endpoint)
        # An open socket has its address only once it has sent.
        parts.body += [*first, where] if endpoint.operation == "open" else [where, *first]
        parts.body += steps.receive_messages(parts, dialect, family, protocol, size, answer=answer)
    if payload is not None:
        note = "" if first or answer else "not sent: the endpoint names no peer"
        parts.constants += assignment("PAYLOAD", payload, note)
