"""Boots the lab's kernel for one command: its output and its exit status are passed through.

The guest sees the host's file system at the same paths, below an overlay in memory: only the directories that are
named stay writable. It is root with every capability in its own kernel, whoever runs it, and has no network device of
the host's. User-mode Linux is one process with a stub for each guest process; it needs ptrace, and nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

INIT = Path(__file__).resolve().with_name("init.sh")
PROGRAMS = INIT.parents[2] / ".venv" / "bin"
"""Where the checkout's own programs are: ``run -- sockexplorer`` finds them."""
PASSED = re.compile(
    r"(PATH|HOME|LANG|LC_.*|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|VIRTUAL_ENV|PY.*|CI|TZ|SOCKEXPLORER_.*)\Z"
)
"""Variables of the environment that the guest gets as well."""
NO_STATUS, LOST, TIMED_OUT = 70, 74, 124
"""Exit statuses of our own: the guest died without a word (sysexits.h, EX_SOFTWARE); what it said could not be written
(EX_IOERR); it took too long (timeout(1)).
"""
PIECE = 3072
"""Bytes of stdin that are on their way at most: less than a terminal's buffer of 4096."""
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""prctl(2)."""


@dataclass(frozen=True)
class Job:
    """What to run in the guest. ``memory`` in MiB; ``seconds`` is the longest that it may take."""

    command: Sequence[str]
    writable: Sequence[Path] = ()
    environment: dict[str, str] = field(default_factory=dict)
    terminal: bool = False
    """Whether the command gets this terminal, instead of pipes."""
    stdin: bool = False
    """Whether the command reads our stdin, byte for byte; without, it has none."""
    arguments: Sequence[str] = ()
    """What else the kernel's command line has."""
    memory: int = 1536
    seconds: float = 1800


def run(kernel: Path, job: Job) -> int:
    """Boot, run, switch off. The command's exit status, or `NO_STATUS`, `LOST` or `TIMED_OUT`.

    The kernel's modules are taken from ``lib/modules`` beside it.
    """
    directory = Path(tempfile.mkdtemp(prefix="lab-"))
    try:
        _prepare(directory, job)
        (directory / "modules").write_text(f"{kernel.resolve().parent}/lib/modules\n")
        with _signals(), _processor() as processor:
            return _boot(kernel, directory, job, processor)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _prepare(directory: Path, job: Job) -> None:
    """Write what `init.sh` reads."""
    init = directory / "init.sh"
    init.write_text(INIT.read_text())
    init.chmod(0o755)
    writable = [directory, *(path.resolve() for path in job.writable)]
    if Path("/") in writable:
        raise ValueError("/ can't be writable in the guest: name a directory")
    (directory / "writable").write_text("".join(f"{path}\n" for path in writable))
    passed = {name: value for name, value in os.environ.items() if PASSED.match(name)}
    if PROGRAMS.is_dir():
        passed["PATH"] = f"{PROGRAMS}{os.pathsep}{passed.get('PATH', os.defpath)}"
    passed |= {"SOCKEXPLORER_LAB": "1", **job.environment}
    (directory / "environment").write_text("".join(f"export {name}={shlex.quote(passed[name])}\n" for name in passed))
    (directory / "command").write_text(f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(job.command)}\n")
    for name in ("terminal", "stdin"):
        if getattr(job, name):
            (directory / name).touch()


def _boot(kernel: Path, directory: Path, job: Job, processor: int) -> int:
    # The stubs of guest processes become ours when the kernel ends: without this they would be init's.
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    console, out, err = (os.pipe() for _ in range(3))
    log = bytearray()
    lost: list[OSError] = []
    pumps = [
        threading.Thread(target=_pump, args=(source, sink, lost), daemon=True)
        for source, sink in ((console[0], log), (out[0], sys.stdout.fileno()), (err[0], sys.stderr.fileno()))
    ]
    given, giving = os.pipe()
    taken, taking = os.pipe()
    command = [
        str(kernel), f"mem={job.memory}M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw",
        f"init={directory}/init.sh", f"uml_dir={directory}", "con=null", f"con0=null,fd:{console[1]}",
        "con1=fd:0,fd:1" if job.terminal else f"con1=null,fd:{out[1]}", f"con2=null,fd:{err[1]}",
        f"con3=fd:{given},fd:{taking}", "loglevel=4",
        *job.arguments,
    ]  # fmt: skip
    attributes = termios.tcgetattr(0) if job.terminal and sys.stdin.isatty() else None
    # Before there are threads, beside which a process that is not yet another program can do nothing safely.
    process = subprocess.Popen(
        command,
        preexec_fn=lambda: _settle(processor),
        pass_fds=(console[1], out[1], err[1], given, taking),
        env={**os.environ, "TMPDIR": _memory_directory(job.memory) or str(directory)},
        start_new_session=not job.terminal,
        stdin=None if job.terminal else subprocess.DEVNULL,
        stdout=None if job.terminal else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for descriptor in (console[1], out[1], err[1], given, taking):
        os.close(descriptor)
    for thread in (*pumps, threading.Thread(target=_give, args=(giving, taken, job.stdin), daemon=True)):
        thread.start()
    status: int | None = None
    try:
        process.wait(job.seconds)
    except subprocess.TimeoutExpired:
        status = TIMED_OUT
        print(f"lab: stopped after {job.seconds:g} s", file=sys.stderr)
    finally:
        _end(process, own_group=not job.terminal)
        if attributes is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, attributes)
    # As long as it takes: whoever reads our output may be slow, and nobody else writes to these pipes any more.
    for pump in pumps:
        pump.join()
    if status is not None:
        return status
    if lost:
        print(f"lab: output was lost: {lost[0].strerror}", file=sys.stderr)
        return LOST
    try:
        return int((directory / "status").read_text())
    except (OSError, ValueError):
        print("lab: the guest ended without a status; its console said:", file=sys.stderr)
        sys.stderr.write(log.decode(errors="replace")[-8000:])
        return NO_STATUS


def _pump(source: int, sink: int | bytearray | None, lost: list[OSError]) -> None:
    """Copy until the other end is closed; what can't be written is still taken, for the guest must go on."""
    with open(source, "rb", buffering=0) as stream:
        while data := stream.read(65536):
            if isinstance(sink, bytearray):
                sink += data
            elif sink is not None:
                try:
                    while data:
                        data = data[os.write(sink, data) :]
                except OSError as error:
                    sink = None
                    # That nobody reads any more is no failure, as with head(1).
                    if not isinstance(error, BrokenPipeError):
                        lost.append(error)


def _give(giving: int, taken: int, stdin: bool) -> None:
    """Copy our stdin to the guest in pieces behind their lengths; a length of 0 is the end.

    The guest says with a byte that it is ready for a piece: before it is, its terminal driver changes bytes; a console
    that had to hold back input reads no more (seen with UML 6.12); and one that hangs up forgets what it still holds.
    """
    with open(giving, "wb", buffering=0) as sink, open(taken, "rb", buffering=0) as ready, contextlib.suppress(OSError):
        while stdin and ready.read(1):
            data = os.read(0, PIECE)
            sink.write(len(data).to_bytes(4, "big") + data)
            stdin = bool(data)
        ready.read()


@contextlib.contextmanager
def _processor() -> Iterator[int]:
    """A processor for a kernel and its stubs, which no other launcher takes meanwhile if it finds one that is free.

    Kernel and stubs never run at the same time: on one processor they switch four times as fast.
    """
    processors = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(processors)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        for each in (*processors[first:], *processors[:first]):
            with contextlib.suppress(OSError):
                claim.bind(f"\0sockexplorer-lab-processor-{each}")
                break
        else:
            each = processors[first]
        yield each


def _settle(processor: int) -> None:
    """Called in the process that becomes the kernel: it stays on a processor, and ends when we do, even by SIGKILL."""
    os.sched_setaffinity(0, {processor})
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _memory_directory(mebibytes: int) -> str | None:
    """Where the guest's memory may lie, a sparse file that is mapped executable: /dev/shm if it is large enough."""
    try:
        there = os.statvfs("/dev/shm")
    except OSError:
        return None
    executable = not there.f_flag & os.ST_NOEXEC
    return "/dev/shm" if executable and there.f_bavail * there.f_frsize > mebibytes << 20 else None


def _end(process: subprocess.Popen[bytes], *, own_group: bool) -> None:
    """Kill the kernel if it still runs, and reap it with its stubs, which keep our pipes open as long as they live."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if own_group else process.kill()
    process.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            # A stub whose kernel was killed alone runs on, wherever that leads.
            for stub in _children():
                os.kill(stub, signal.SIGKILL)
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)


def _children() -> list[int]:
    """Our children (proc(5), ``/proc/PID/task/TID/children``); none of them is reaped but by us."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
        return [
            int(each) for task in Path("/proc/self/task").iterdir() for each in (task / "children").read_text().split()
        ]
    return []


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end us as Ctrl-C does, so that no kernel stays behind."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
