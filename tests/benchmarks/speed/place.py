"""Where it is measured: a network namespace of its own, a directory on tmpfs, the control built; and what that is."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "control.c"
ROOT = SOURCE.parents[2]
NEAR, FAR = "sxb0", "sxb1"
"""The two ends of the veth pair: what is captured on, what is sent to."""
TOUCHED_MIB = 3072
INSIDE = "SOCKEXPLORER_BENCHMARK_NAMESPACE"


def enter_namespace() -> None:
    """Start over in a network namespace of our own, where nothing else is sent. SystemExit where that is refused."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    command = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    refused = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if refused.returncode:
        sys.exit(f"no network namespace of our own here: {refused.stderr.strip()}; run it as root")
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


@dataclass
class Place:
    """What a measurement needs of the machine."""

    directory: Path
    control: Path
    may_force: bool
    """Whether buffers beyond net.core.rmem_max are allowed: CAP_NET_ADMIN outside of the namespace."""
    _port: int = field(default=20000)

    def port(self) -> int:
        """A port that nobody has: the namespace is ours."""
        self._port += 1
        return self._port

    def file(self, name: str) -> Path:
        """A path that nothing is at."""
        path = self.directory / name
        path.unlink(missing_ok=True)
        return path


@contextlib.contextmanager
def place(*, touch: bool) -> Iterator[Place]:
    """Build the control; remove everything again. SystemExit without a compiler.

    ``touch``: have the machine's memory at hand first.
    """
    shared = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="sockexplorer-benchmark-", dir=shared if shared.is_dir() else None))
    try:
        control = directory / "control"
        try:
            subprocess.run(
                ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(control), str(SOURCE)], check=True
            )  # fmt: skip
        except FileNotFoundError:
            sys.exit("the control needs a C compiler: apt-get install gcc libc6-dev")
        if touch:
            _touch(directory / "memory")
        yield Place(directory, control, _may_force())
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def on_disk(directory: Path, room: int) -> Iterator[Path]:
    """A directory of our own in one on a disk; it is removed again.

    Raises OSError where there is none, where it is in memory, or where there is no room for so many bytes.
    """
    free = shutil.disk_usage(directory).free
    if file_system(directory) in ("tmpfs", "ramfs"):
        raise OSError(f"{directory} is in memory too ({file_system(directory)}); --directory chooses another")
    if free < room:
        raise OSError(f"{directory} has room for {free / 2**30:.1f} GiB of the {room / 2**30:.1f} wanted")
    made = Path(tempfile.mkdtemp(prefix="sockexplorer-benchmark-", dir=directory))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def file_system(path: Path) -> str:
    """The type of the file system that a path is on, as of ``/proc/self/mounts`` (proc_pid_mounts(5)): ext4, tmpfs."""
    path, found = path.resolve(), ("", "unknown")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        # Blanks and the like are three octal digits.
        at, kind = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), line.split()[1]), line.split()[2]
        # What was mounted later on the same directory hides what was there.
        if path.is_relative_to(at) and len(at) >= len(found[0]):
            found = at, kind
    return found[1]


def _touch(path: Path) -> None:
    """Have the machine's memory backed by its host, if it is a virtual one, before anybody's first touch counts."""
    piece = bytes(2**20)
    with path.open("wb") as file:
        for _ in range(TOUCHED_MIB):
            file.write(piece)
    path.unlink()


def _may_force() -> bool:
    import socket

    from speed.processes import SO_RCVBUFFORCE

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 2**24)
        except PermissionError:
            return False
    return True


@contextlib.contextmanager
def veth() -> Iterator[None]:
    """A wire with two ends, on which the kernel says nothing by itself. Raises OSError where it can't be made."""
    made = subprocess.run(
        ["ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise OSError(f"no veth pair here: {made.stderr.strip()}")
    try:
        for each in (NEAR, FAR):
            with contextlib.suppress(OSError):
                Path(f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6").write_text("1")
            subprocess.run(["ip", "link", "set", each, "up"], check=True)
        yield
    finally:
        subprocess.run(["ip", "link", "del", NEAR], check=False)


def described() -> str:
    """The machine, the kernel and Python, in a line each."""
    model = "unknown processor"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"machine   {os.cpu_count()} × {model}, {memory:.0f} GiB, load {os.getloadavg()[0]:.2f}\n"
        f"kernel    {platform.system()} {platform.release()} {platform.machine()}\n"
        f"Python    {platform.python_implementation()} {platform.python_version()}"
    )


def missing(program: str, package: str) -> str:
    """Why a peer is left out, "" where it is there."""
    return "" if shutil.which(program) else f"no {program} here: apt-get install {package}"
