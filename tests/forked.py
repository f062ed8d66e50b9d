"""Verbs of the command line as processes forked from one that has imported everything, and their engines from them.

In the lab's kernel Python takes half a second to start, and a verb starts it twice. Only that is left out, which every
host tests: a verb has a process, descriptors, signals and a status of its own, and so has its engine.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import traceback
from multiprocessing.reduction import DupFd
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import IO, NoReturn

from sockexplorer import families
from sockexplorer.cli.group import main
from sockexplorer.client import link
from sockexplorer.engine import __main__ as engine

WARM = ("cli.conversation", "cli.open", "cli.send", "cli.sending", "cli.watch", "capture.sink", "client.processes")
"""Modules of the package that, with what they import and every family, are there when a verb begins."""
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [f"sockexplorer.{each}" for each in (*WARM, *(f"families.{each.name}" for each in iter_modules(families.__path__)))]
)


class Verb:
    """``sockexplorer`` with arguments: what `subprocess.Popen` is to whoever waits for it and reads from it."""

    stdin = None

    def __init__(self, *arguments: str) -> None:
        out, err = os.pipe(), os.pipe()
        self.stdout, self.stderr = (os.fdopen(each[0], "rb", buffering=0) for each in (out, err))
        self._process = CONTEXT.Process(target=_verb, args=(arguments, DupFd(out[1]), DupFd(err[1])))
        self._process.start()
        for each in (out, err):
            os.close(each[1])

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()

    def wait(self, timeout: float) -> int:
        """Its exit status. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("sockexplorer", timeout)
        return self._process.exitcode


class Engine:
    """A forked engine: as much of `subprocess.Popen` as ``client/link.py`` uses."""

    def __init__(
        self, command: list[str], *, stdin: int, stdout: int, stderr: IO[bytes], start_new_session: bool
    ) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._serve(stdin, stdout, stderr.fileno())

    def _serve(self, *streams: int) -> NoReturn:
        try:
            os.setsid()
            _take(*streams)
            os.closerange(3, 1024)
            engine.main()
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises TimeoutExpired."""
        if self.returncode is None:
            descriptor = os.pidfd_open(self.pid)
            ended = select.select([descriptor], [], [], timeout)[0]
            os.close(descriptor)
            if not ended:
                raise subprocess.TimeoutExpired("the engine", timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self) -> None:
        """End it whatever it does."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def _take(*streams: int) -> None:
    """Have descriptors as stdin, stdout and stderr, and Python's names for them."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, closefd=False)  # noqa: SIM115 - they stay
        for number, mode in enumerate("rww")
    )


def _verb(arguments: tuple[str, ...], out: DupFd, err: DupFd) -> None:
    """The verb's process, from its first line to its last."""
    # A collection would write to every object that both processes have, and so copy the memory that they share.
    gc.freeze()
    descriptors = os.open(os.devnull, os.O_RDONLY), out.detach(), err.detach()
    _take(*descriptors)
    for each in descriptors:
        os.close(each)
    link.subprocess = SimpleNamespace(Popen=Engine, TimeoutExpired=subprocess.TimeoutExpired)  # type: ignore[assignment]
    sys.argv = ["sockexplorer", *arguments]
    main()
