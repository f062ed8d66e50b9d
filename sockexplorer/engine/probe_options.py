"""Does the kernel know a socket option? Asked with ``getsockopt`` of real sockets that are bound to nothing.

A made-up option is asked first, once per socket and level: only where the kernel answers that with ENOPROTOOPT is any
other error a sign that it knows the option.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from types import TracebackType

from sockexplorer.core.advice import errno_name, rights
from sockexplorer.engine.probe_homes import SET_WITH_NOTHING, SOCKETS, Home
from sockexplorer.engine.probe_python import number_here
from sockexplorer.engine.probe_sockets import ALLOWED, DENIED, Answer, Finding, open_socket

MADE_UP = 0x7FFE
LONGEST = 256
"""Bytes of room for an option's value: more than any of them fills but TCP_INFO's newest."""


class Asker:
    """Opens each kind of socket once, when it is first needed; a context manager that closes them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._sockets: dict[str, tuple[socket.socket | None, Answer]] = {}
        self._discerning: dict[tuple[str, int], bool] = {}

    def __enter__(self) -> Asker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _socket(self, key: str) -> tuple[socket.socket | None, Answer]:
        if key not in self._sockets:
            names = SOCKETS[key]
            call = f"socket({', '.join(names)})"
            numbers = [number_here(name) for name in names]
            if None in numbers:
                opened, answer = None, Answer(call, errno.EAFNOSUPPORT)
            else:
                domain, kind, proto = (each or 0 for each in numbers)
                opened, answer = open_socket(domain, kind, proto, call)
            if opened is not None:
                self._stack.enter_context(opened)
            self._sockets[key] = (opened, answer)
        return self._sockets[key]

    def _discerns(self, key: str, level: int, opened: socket.socket) -> bool:
        """Whether this socket tells an option that it knows from one that nobody knows."""
        if (key, level) not in self._discerning:
            self._discerning[key, level] = _get(opened, level, MADE_UP) == errno.ENOPROTOOPT
        return self._discerning[key, level]

    def ask(self, name: str, option: int, home: Home) -> Finding:
        """What the kernel says to an option, by the sockets of its home. Raises nothing."""
        level = number_here(home.level)
        if level is None:
            return Finding("unknown", None, None, (f"the level {home.level} has no number here",))
        seen = []
        refused: str | None = None
        for key in home.ask:
            opened, answer = self._socket(key)
            if opened is None:
                seen.append(answer.evidence)
                refused = answer.name
                continue
            kind = f"of socket({', '.join(SOCKETS[key])})"
            code = _get(opened, level, option)
            call = f"getsockopt({home.level}, {name}) {kind}"
            if code == 0:
                return Finding("available", True, True, (f"{call} succeeded",), allowed=(ALLOWED,))
            discerning = self._discerns(key, level, opened)
            if code == errno.ENOPROTOOPT and name in SET_WITH_NOTHING and discerning:
                code = _set_nothing(opened, level, option)
                call = f"setsockopt({home.level}, {name}, b'') {kind}"
            what = f"{call}: {errno_name(code)} {os.strerror(code)}"
            if errno_name(code) in DENIED:
                return Finding("needs-privilege", True, False, (), rights("CAP_NET_ADMIN"), allowed=(what,))
            if code not in (errno.ENOPROTOOPT, errno.EOPNOTSUPP) and discerning:
                known = "the kernel knows it (a made-up option answers ENOPROTOOPT)"
                return Finding("available", True, True, (what, known))
            seen.append(what)
        if refused in DENIED and len(seen) == 1:
            return Finding("needs-privilege", None, False, (), rights("CAP_NET_RAW"), allowed=tuple(seen))
        return Finding("unknown", None, None, (*seen, "set-only options and types of ancillary data answer so as well"))


def _get(opened: socket.socket, level: int, option: int) -> int:
    """The errno of ``getsockopt``, 0 for success."""
    try:
        if opened.family == number_here("AF_VSOCK"):
            opened.getsockopt(level, option)  # CPython takes no length here, and reads a 64-bit number.
        else:
            opened.getsockopt(level, option, LONGEST)
    except OSError as error:
        return error.errno or errno.EINVAL
    except OverflowError:
        return errno.ENOPROTOOPT
    return 0


def _set_nothing(opened: socket.socket, level: int, option: int) -> int:
    """The errno of ``setsockopt`` with an empty value, which these options refuse for its length alone."""
    try:
        opened.setsockopt(level, option, b"")
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0
