"""The terminal, lent to a command that may ask for a password on it.

Such a command runs in a process group of its own, as a shell's job does (setpgid(2), tcsetpgrp(3)): while it has the
terminal it can ask, Ctrl-C is for it; afterwards neither Ctrl-C nor the keys of the explorer reach it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from collections.abc import Iterator
from types import TracebackType


class Terminal:
    """The controlling terminal, if there is one and it is ours. A context manager that takes back what it lent."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._group = 0
        """To whom it is lent; 0 for nobody."""
        self.ours = False
        """Whether we are in its foreground: a background job may not give it away."""
        with contextlib.suppress(OSError, termios.error):
            self._descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            self._attributes = termios.tcgetattr(self._descriptor)
            self.ours = os.tcgetpgrp(self._descriptor) == os.getpgrp()

    @property
    def there(self) -> bool:
        """Whether there is one at all."""
        return self._descriptor >= 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.take_back()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def lend(self, group: int) -> None:
        """Make a process group its foreground, and wake the group in case it asked too early and was stopped."""
        if not self.ours:
            return
        with _no_stop(), contextlib.suppress(OSError):
            os.tcsetpgrp(self._descriptor, group)
            self._group = group
            os.killpg(group, signal.SIGCONT)

    def take_back(self) -> None:
        """Be its foreground again, with the attributes that it had: who was killed may have left it without echo."""
        if not self._group:
            return
        self._group = 0
        with _no_stop(), contextlib.suppress(OSError, termios.error):
            os.tcsetpgrp(self._descriptor, os.getpgrp())
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._attributes)

    def follow(self, process: int) -> None:
        """If the borrower was stopped (Ctrl-Z), stop as well; when continued, lend it the terminal once more."""
        group = self._group
        if group and _is_stopped(process):
            self.take_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            self.lend(group)


def _is_stopped(process: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, process, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    return False


@contextlib.contextmanager
def _no_stop() -> Iterator[None]:
    """Whoever is not in the foreground is stopped by SIGTTOU for touching the terminal, unless it is blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
