"""Changing a socket option of an open session: what the kernel had before, what it has after, as a row of its own."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import SetOption
from sockexplorer.engine.failure import simple
from sockexplorer.engine.opening import granted, set_option
from sockexplorer.engine.session import Session

VALUE_BYTES = 64
"""Of an option's value that is no int, what is read back at most."""


def change_option(session: Session, option: SetOption) -> str:
    """Set an option of a session's socket and of its connections; what it is as a sentence. Raises `Failure`.

    Source: setsockopt(2), getsockopt(2).
    """
    sockets = [each.sock for each in session.connections.values()]
    if session.sock is not None and session.sock not in sockets:
        sockets.insert(0, session.sock)
    if not sockets:
        raise simple("setsockopt", "the session has no open socket", "open it again, with the option")
    try:
        level, name = number(option.level), number(option.name)
        before = _read(sockets[0], level, name, option.value)
        for sock in sockets:
            set_option(sock, session.protocol, option)
        after = _read(sockets[0], level, name, option.value)
    except (OSError, OverflowError, TypeError, KeyError, ValueError) as error:
        failure = session.explain("setsockopt", error)
        session.spool.event("error", f"{option.name}: {failure}", failure=failure.to_json())
        raise failure from None
    text = _sentence(option, before, after)
    if len(sockets) > 1:
        text += f", on {len(sockets)} sockets"
    session.spool.event("option-changed", text, option=option.name)
    others = tuple(each for each in session.endpoint.options if each.name != option.name)
    session.endpoint = replace(session.endpoint, options=(*others, option))
    if session.sock is not None:
        session.granted |= granted(session.sock)
    session.changed = True
    return text


def _read(sock: socket.socket, level: int, name: int, like: int | bytes) -> int | bytes | None:
    """The value of an option, in the form of another one; None for what can only be set."""
    try:
        if isinstance(like, int):
            return sock.getsockopt(level, name)
        return sock.getsockopt(level, name, VALUE_BYTES)
    except OSError:
        return None


def _sentence(option: SetOption, before: int | bytes | None, after: int | bytes | None) -> str:
    asked = _shown(option.value)
    if after is None:
        return f"{option.name} set to {asked}"
    text = f"{option.name} {'' if before is None else _shown(before)} → {_shown(after)}".replace("  ", " ")
    return text if _shown(after) == asked else f"{text}, asked for {asked}"


def _shown(value: int | bytes) -> str:
    if isinstance(value, bytes):
        # A flag that was given as bytes is easier to read as the int that it is.
        return str(int.from_bytes(value, sys.byteorder)) if len(value) == 4 else f"hex:{value.hex()}"
    return str(value)
