"""Builds the lab's kernel: User-mode Linux from Debian's source package, as an ordinary program, without root.

The result is kept in the cache, in a directory whose name is made from what it was built from: the program ``linux``,
and its modules below ``lib/modules``. It takes about five minutes on two cores, and what `PACKAGES` lists.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "sockets.config"
SERIES = "6.12"
"""Linux 7.1 and later have no UDP-Lite any more, 6.16 and later no DCCP."""
FLAGS = "-O1"
"""The compiler's time is what the build takes, a seventh less than with the kernel's -Os; it refuses -Og and -O0."""
READY = "SOCKEXPLORER_LAB_KERNEL"
"""Environment: a tar file of the cache's directory for the same configuration, packed or not; then nothing is built."""
PACKAGES = {
    "gcc": "gcc", "make": "make", "flex": "flex", "bison": "bison", "bc": "bc", "xz": "xz-utils", "ld": "binutils",
    "perl": "perl-base", "/usr/include/stdio.h": "libc6-dev", "depmod": "kmod",
}  # fmt: skip
"""Programs and files that the build needs, with Debian's names of their packages."""
SYSTEM = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Where programs are looked for: a user's PATH may lack depmod's directory."""
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
    """Changes with the series, with every option, and with the compiler's."""
    options = re.sub(r"#.*", "", CONFIG.read_text())
    return hashlib.sha256((SERIES + options + FLAGS).encode()).hexdigest()[:10]


def built() -> Path | None:
    """The kernel if it is there already."""
    path = cache() / f"linux-{stamp()}" / "linux"
    return path if path.exists() else None


def kernel() -> Path:
    """The kernel, built now if it was not before; whoever asks meanwhile waits for it. Raises `BuildError`."""
    place = cache() / f"linux-{stamp()}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if built() is None:
            with tempfile.TemporaryDirectory(dir=place.parent, prefix="build-") as directory:
                new = Path(directory) / place.name
                if ready := os.environ.get(READY):
                    _unpack_ready(Path(ready), new)
                else:
                    _build(Path(directory), new)
                new.rename(place)
    return place / "linux"


def say(text: str) -> None:
    """Progress, on stderr: stdout belongs to the command in the guest."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _unpack_ready(ready: Path, new: Path) -> None:
    with tarfile.open(ready) as tar:
        tar.extractall(new.parent, filter="data")
    if not (new / "linux").exists():
        raise BuildError(f"{ready} has no {new.name}/linux: it was built from another configuration")


def _build(work: Path, new: Path) -> None:
    absent = sorted({package for what, package in PACKAGES.items() if not _is_there(what)})
    if absent:
        raise BuildError(f"the build needs: sudo apt-get install --no-install-recommends {' '.join(absent)}")
    began = time.monotonic()
    _unpack(_fetch(work), work / "source")
    say(f"source unpacked after {time.monotonic() - began:.0f} s; compiling takes about four minutes on two cores")
    log = cache() / "build.log"
    try:
        _compile(work, log)
        _install(work, new, log)
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{' '.join(map(str, error.cmd))} failed; see {log}") from None
    say(f"built in {time.monotonic() - began:.0f} s")


def _is_there(what: str) -> bool:
    return bool(shutil.which(what, path=SYSTEM)) or Path(what).exists()


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


def _make(work: Path) -> list[str]:
    return ["make", "-s", "-C", str(work / "source"), "ARCH=um", f"KCFLAGS={FLAGS}", f"O={work / 'out'}"]


def _compile(work: Path, log: Path) -> None:
    make = _make(work)
    with log.open("w") as out:
        subprocess.run([*make, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"], stdout=out, stderr=out, check=True)
        got = set((work / "out" / ".config").read_text().splitlines())
        wanted = [line for line in CONFIG.read_text().splitlines() if re.match(r"CONFIG_\w+=[ym]$", line)]
        if lost := [line for line in wanted if line not in got]:
            raise BuildError(f"the kernel did not take these options, for want of others: {' '.join(lost)}")
        jobs = len(os.sched_getaffinity(0))
        subprocess.run([*make, f"-j{jobs}", "linux", "modules"], stdout=out, stderr=out, check=True)


def _install(work: Path, new: Path, log: Path) -> None:
    """Put the program and the modules where they are to stay together, with depmod's tables."""
    new.mkdir()
    depmod = shutil.which("depmod", path=SYSTEM)
    with log.open("a") as out:
        subprocess.run(["strip", "-o", new / "linux", work / "out" / "linux"], stdout=out, stderr=out, check=True)
        where = [f"INSTALL_MOD_PATH={new}", "INSTALL_MOD_STRIP=1", f"DEPMOD={depmod}"]
        subprocess.run([*_make(work), *where, "modules_install"], stdout=out, stderr=out, check=True)
    for link in new.glob("lib/modules/*/build"):
        link.unlink()
