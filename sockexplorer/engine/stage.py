"""Sockets in a network namespace of the engine's own, for demonstrations that must not touch the host's network.

The namespace belongs to a child process, which makes the sockets and passes them on; it ends when the engine does, and
the namespace with its last socket.
"""

from __future__ import annotations

import array
import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec

CHILD = "sockexplorer.engine.stage_child"
PATIENCE = 10.0
"""Seconds for the child's answers; it needs a fraction of one."""
FORBIDDEN = "no network namespace of one's own is allowed here: {}"


class Stage:
    """One namespace. It is made when the first socket is wanted."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: socket.socket | None = None

    def descriptor(self, family: int, kind: int, proto: int) -> int:
        """A new socket of the namespace, for the caller to own. Raises OSError: of ``socket()``, or of the stage."""
        stream = self._ready()
        try:
            stream.send(json.dumps([family, kind, proto]).encode())
            # recv_fds() of socket would do, but leaves what it received open across exec.
            data, messages, _, _ = stream.recvmsg(64, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
        except OSError as error:
            self.close()
            raise OSError(error.errno, f"the stage's process does not answer: {error}") from None
        if not data:
            self.close()
            raise ConnectionResetError("the stage's process has ended")
        if number := int(data):
            raise OSError(number, os.strerror(number))
        if not messages:  # the kernel closed it, for there is no number left for another one
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return array.array("i", messages[0][2])[0]

    def close(self) -> None:
        """End the child; sockets that it gave away live on."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _ready(self) -> socket.socket:
        if self._stream is not None:
            return self._stream
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE)
        self._stream = ours
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-c", _source()], stdin=theirs.fileno(), stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
        except BaseException:
            self.close()
            raise
        try:
            word = ours.recv(64)
        except OSError as error:
            self.close()
            raise OSError(error.errno, FORBIDDEN.format(error)) from None
        if word != b"0":
            self.close()
            number = int(word or b"1")
            raise OSError(number, FORBIDDEN.format(os.strerror(number)))
        return ours


def _source() -> str:
    """The child's program: source text, since the engine's modules may be nowhere on this file system."""
    spec = find_spec(CHILD)
    source = spec.loader.get_source(CHILD) if spec is not None and spec.loader is not None else None  # type: ignore[attr-defined]
    if source is None:
        raise FileNotFoundError(f"{CHILD} has no source")
    return str(source)
