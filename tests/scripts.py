"""Generated scripts as processes: written, started, listened to line by line, ended with Ctrl-C."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from support import PATIENCE, default_signals, wait

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.script import Style, python_script
from sockexplorer.families import find

FIRST_WORDS = ("bound to ", "listening on ", "connected as ", "open as ")


def write(
    path: str, operation: str, *addresses: object, payload: bytes | None = None, style: Style = "blocking",
    **more: object,
) -> str:  # fmt: skip
    """The script for ``inet/udp`` or the like with local and remote address."""
    family, protocol = find(path)
    endpoint = Endpoint(family.constant, protocol.name, operation, *addresses, **more)  # type: ignore[arg-type]
    return python_script(family, protocol, endpoint, payload, style)


def peer_socket(path: str) -> socket.socket:
    """A socket of the same kind for the test, with a deadline."""
    family, protocol = find(path)
    sock = socket.socket(family.number, protocol.type_number, protocol.proto_number)
    sock.settimeout(PATIENCE)
    return sock


class Script:
    """A script that runs, in the interpreter's development mode: a forgotten socket is a warning, and so is one that
    would make an event loop wait.
    """

    def __init__(self, text: str, python: str = sys.executable) -> None:
        command = [python, "-X", "dev", "-W", "error", "-c", text]
        with default_signals():
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._alarm = threading.Timer(PATIENCE, self.process.kill)
        self._alarm.start()

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            assert self.process.stderr
            raise AssertionError(self.process.stderr.read())
        return line

    def address(self) -> object:
        """The address in its first line."""
        line = self.line()
        for words in FIRST_WORDS:
            if line.startswith(words):
                return ast.literal_eval(line.removeprefix(words))
        raise AssertionError(line)

    def message(self) -> tuple[str, bytes]:
        """The sender, as it is written, and the bytes of the next line."""
        peer, data = self.line().rsplit(" b", 1)
        return peer, ast.literal_eval(f"b{data}")

    def stop(self) -> None:
        """Ctrl-C while it waits, after which it ends without a word."""
        wait(lambda: state(self.process.pid) == "S", "a script that waits")
        self.process.send_signal(signal.SIGINT)
        assert self.ended() == 0

    def ended(self) -> int:
        """Wait for its end, which is without a word; the exit status."""
        assert self.process.stderr
        # Development mode has asyncio tell, too, of a callback that a busy machine was slow with.
        assert [each for each in self.process.stderr if not each.startswith("Executing <")] == []
        return self.process.wait(PATIENCE)

    def discard(self) -> None:
        """End it whatever it does."""
        self._alarm.cancel()
        self._alarm.join()
        with self.process:
            self.process.kill()


def state(pid: int) -> str:
    """``S`` for a process that waits in the kernel; a signal that comes just before that may go unseen by Python."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
