"""Builds the lab's kernel: User-mode Linux from Debian's source package, as an ordinary program, without root.

The result is kept in the cache, under a name made from what it was built from. It takes about five minutes on two
cores, and what `PACKAGES` lists.
"""

from __future__ import annotations

import fcntl
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "sockets.config"
SERIES = "6.12"
"""Linux 7.1 and later have no UDP-Lite any more, 6.16 and later no DCCP."""
READY = "SOCKEXPLORER_LAB_KERNEL"
"""Environment: a kernel that was built before from the same configuration, plain or as .xz; then nothing is built."""
PACKAGES = {
    "gcc": "gcc", "make": "make", "flex": "flex", "bison": "bison", "bc": "bc", "xz": "xz-utils", "ld": "binutils",
    "perl": "perl-base", "/usr/include/stdio.h": "libc6-dev",
}  # fmt: skip
"""Programs and files that the build needs, with Debian's names of their packages."""
LEFT_OUT = (
    *(f"*/drivers/{name}/*.[ch]" for name in ("gpu", "net/ethernet", "net/wireless", "media", "scsi", "staging")),
    *(f"*/arch/{name}/*.[chS]" for name in ("arm*", "mips", "powerpc")),
    "*.rst", "*.yaml", "*.dts*", "*/sound/*.[ch]", "*/tools/testing/*",
)  # fmt: skip
"""Two thirds of the source, which the configuration never reaches."""


class BuildError(Exception):
    """Why there is no kernel, with what to do."""


def cache() -> Path:
    """The directory that keeps kernels."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sockexplorer-lab"


def stamp() -> str:
    """Changes with the series and with every option."""
    options = re.sub(r"#.*", "", CONFIG.read_text())
    return hashlib.sha256((SERIES + options).encode()).hexdigest()[:10]


def built() -> Path | None:
    """The kernel if it is there already."""
    path = cache() / f"linux-{stamp()}"
    return path if path.exists() else None


def kernel() -> Path:
    """The kernel, built now if it was not before; whoever asks meanwhile waits for it. Raises `BuildError`."""
    path = cache() / f"linux-{stamp()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if built() is None:
            if ready := os.environ.get(READY):
                _take(Path(ready), path)
            else:
                _build(path)
    return path


def say(text: str) -> None:
    """Progress, on stderr: stdout belongs to the command in the guest."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _take(ready: Path, path: Path) -> None:
    data = ready.read_bytes()
    _place(lzma.decompress(data) if ready.suffix == ".xz" else data, path)


def _place(data: bytes, path: Path) -> None:
    """Write a program so that another process sees it whole or not at all."""
    new = path.with_suffix(f".{os.getpid()}")
    new.write_bytes(data)
    new.chmod(0o755)
    new.replace(path)


def _build(path: Path) -> None:
    absent = sorted({package for what, package in PACKAGES.items() if not (shutil.which(what) or Path(what).exists())})
    if absent:
        raise BuildError(f"the build needs: sudo apt-get install --no-install-recommends {' '.join(absent)}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as directory:
        work = Path(directory)
        _unpack(_fetch(work), work / "source")
        say(f"source unpacked after {time.monotonic() - began:.0f} s; compiling takes about four minutes on two cores")
        log = path.parent / "build.log"
        try:
            _compile(work, log)
        except subprocess.CalledProcessError as error:
            raise BuildError(f"{' '.join(map(str, error.cmd))} failed; see {log}") from None
        subprocess.run(["strip", "-o", work / "linux", work / "out" / "linux"], check=True)
        _place((work / "linux").read_bytes(), path)
    say(f"built in {time.monotonic() - began:.0f} s")


def _fetch(work: Path) -> Path:
    """The source package, from wherever apt gets its packages; needs neither root nor an installation."""
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", f"linux-source-{SERIES}"]
    if subprocess.run(command, cwd=work, check=False).returncode:
        raise BuildError(f"apt has no linux-source-{SERIES}: try sudo apt-get update")
    return next(work.glob("linux-source-*.deb"))


def _unpack(package: Path, source: Path) -> None:
    source.mkdir()
    unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    tar = ["tar", "-xO", f"./usr/src/linux-source-{SERIES}.tar.xz"]
    inner = subprocess.Popen(tar, stdin=unpack.stdout, stdout=subprocess.PIPE)
    assert unpack.stdout is not None
    unpack.stdout.close()
    skip = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    subprocess.run(["tar", "-xJ", "-C", source, "--strip-components=1", *skip], stdin=inner.stdout, check=True)
    assert inner.stdout is not None
    inner.stdout.close()
    if inner.wait() or unpack.wait():
        raise BuildError(f"{package.name} could not be unpacked")
    package.unlink()


def _compile(work: Path, log: Path) -> None:
    make = ["make", "-s", "-C", str(work / "source"), "ARCH=um", f"O={work / 'out'}"]
    with log.open("w") as out:
        subprocess.run([*make, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"], stdout=out, stderr=out, check=True)
        got = set((work / "out" / ".config").read_text().splitlines())
        lost = [
            line for line in CONFIG.read_text().splitlines() if re.match(r"CONFIG_\w+=y$", line) and line not in got
        ]
        if lost:
            raise BuildError(f"the kernel did not take these options, for want of others: {' '.join(lost)}")
        jobs = len(os.sched_getaffinity(0))
        subprocess.run([*make, f"-j{jobs}", "linux"], stdout=out, stderr=out, check=True)
