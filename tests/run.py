"""Every check of this project, in one command: ``python3 tests/run.py``. Further arguments go to pytest.

Makes ``.venv`` in the checkout, or takes the one that is there, installs the project into it for editing, and runs
ruff, mypy, import-linter and pytest; and, in a kernel that has every socket family (``tests/kernel/lab.py``), the tests
of the families that a host may lack, and those that this one has skipped. That part waits for the kernel's build where
the environment has CI or SOCKEXPLORER_LAB_BUILD set, and is left out, with a hint, where no kernel is built. All of
them run, as many at a time as there are processors, and each says what it found when it has ended; the status is 1 when
any failed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "installed-for-tests"
"""Which pyproject.toml the environment was last filled from."""
TOOLS = {
    "socat": "socat", "ncat": "ncat", "nc": "netcat-openbsd", "ip": "iproute2", "tmux": "tmux",
    "unshare": "util-linux", "nsenter": "util-linux", "modprobe": "kmod", "sudo": "sudo",
    "ssh": "openssh-client", "sshd": "openssh-server", "candump": "can-utils",
    "tshark": "tshark",
}  # fmt: skip
"""Programs that tests use where they are there, with Debian's names of their packages."""
SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Where to look for them: a user's PATH may lack the directories of root's."""
LAB = ROOT / "tests" / "kernel" / "lab.py"
DOCTOR = "tests/lab/test_doctor.py"
IN_THE_LAB = {
    "pytest in the lab: families": ["tests/lab", f"--ignore={DOCTOR}"],
    "pytest in the lab: doctor": [DOCTOR],
}
"""What runs in the lab's kernel, each in one of its own: the doctor's tests unload what others need."""
LACKS = "pytest in the lab: what this host lacks"
ELSEWHERE = ("tests/core/script/", "tests/engine/", "tests/notations/", "tests/ui/")
"""Where tests are that run in the lab's kernel when the host has skipped them."""
SKIPPED = "SOCKEXPLORER_SKIPPED"
"""Environment: the file that is to name the tests which were skipped and may be on some hosts (tests/conftest.py)."""
OF_THE_LAB = "tests/kernel"
"""Tests that boot the kernel themselves."""
INTERFACE = "tests/ui"
SHARES = 4
"""How many processes the interface's tests are dealt to: they take more than half of the time of all."""
APART = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""In a network of one's own: a port that a test has found free is not taken by a test of another process.

Only root can have that without being told to be root of everything; the tests of all others run one after the other.
"""


@dataclass(frozen=True, eq=False)
class Check:
    """A tool of the environment to run in the checkout; where it needs the lab's kernel, once that is built."""

    name: str
    command: list[str]
    in_the_lab: bool = False
    takes_up: bool = False
    """Whether the tests that the host has skipped are its arguments: it begins when the host's checks have ended."""


STATIC = (
    Check("ruff check", ["ruff", "check", "."]),
    Check("ruff format", ["ruff", "format", "--check", "."]),
    Check("mypy", ["mypy"]),
    Check("import-linter", ["lint-imports"]),
)
HOW_INSTALLED = """
import importlib.metadata
try:
    print(importlib.metadata.distribution("sockexplorer").read_text("direct_url.json") or "{}")
except importlib.metadata.PackageNotFoundError:
    print("{}")
"""


def main(arguments: list[str]) -> int:
    """Prepare, run every check, sum up. The exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one is told so
        sys.exit(f"sockexplorer needs Python 3.11 or later; this is {sys.version.split()[0]}")
    prepare()
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool, path=SEARCHED) is None})
    if missing:
        print(f"hint: tests that need them are skipped without: {' '.join(missing)}", flush=True)
    if arguments:
        checks = [*STATIC, Check("pytest", ["pytest", *arguments])]
        failed = [each.name for each in checks if not passes(each)]
        print("hint: with arguments for pytest, nothing runs in the lab's kernel")
    else:
        wanted = lab_is_wanted()
        checks = everything(lab=wanted)
        failed = side_by_side(checks)
        if not wanted:
            build = f"python3 {LAB.relative_to(ROOT)} build"
            print(f"hint: no kernel for the tests of rare families; to build one: {build}")
    told = f"failed: {', '.join(failed)}" if failed else f"passed: {', '.join(each.name for each in checks)}"
    print(f"\n{told}")
    return 1 if failed else 0


def everything(*, lab: bool) -> list[Check]:
    """Every check, in the order in which they begin: what waits for the kernel, or is long, early."""
    pytest = ["pytest", "-p", "no:cacheprovider"]
    left_out = [f"--ignore={OF_THE_LAB}"] if lab else []
    interface: list[Check] = []
    if shutil.which(APART[0]) and subprocess.run([*APART, "true"], check=False, capture_output=True).returncode == 0:
        left_out.append(f"--ignore={INTERFACE}")
        files = sorted(str(each.relative_to(ROOT)) for each in (ROOT / INTERFACE).rglob("test_*.py"))
        for share in range(SHARES):
            name = f"pytest: interface, {share + 1} of {SHARES}"
            interface.append(Check(name, [*APART, *pytest, *files[share::SHARES]]))
    host = Check("pytest", [*pytest, *left_out])
    if not lab:
        return [*STATIC, host, *interface]
    first, *more = (Check(name, lab_command(arguments), in_the_lab=True) for name, arguments in IN_THE_LAB.items())
    of_the_lab = Check("pytest of the lab", [*pytest, OF_THE_LAB], in_the_lab=True)
    lacks = Check(LACKS, lab_command([]), in_the_lab=True, takes_up=True)
    return [*STATIC, host, first, *interface, *more, of_the_lab, lacks]


def side_by_side(checks: list[Check]) -> list[str]:
    """Run checks, one for each processor at a time, and print what each said when it ends. Those that failed."""
    processors = len(os.sched_getaffinity(0))
    print(f"{len(checks)} checks, {processors} at a time; each is told of when it ends", flush=True)

    def run(check: Check) -> tuple[subprocess.CompletedProcess[bytes], float]:
        if check.takes_up:
            wait(of_the_host)
            tests = [each for each in skipped.read_text().splitlines() if each.startswith(ELSEWHERE)]
            if not tests:
                return subprocess.CompletedProcess([], 0, b"this host lacks nothing\n", b""), 0.0
            check = replace(check, command=[*check.command, *tests])
        print(f"--- {check.name} begins", flush=True)
        return timed(check, capture_output=True, environment={} if check.in_the_lab else {SKIPPED: str(skipped)})

    with tempfile.TemporaryDirectory(prefix="sockexplorer-") as directory, ThreadPoolExecutor(processors) as pool:
        (skipped := Path(directory) / "skipped").touch()
        # One after the other in this order: what waits for the host's checks begins when each of them has begun.
        running = {pool.submit(run, each): each for each in checks if not each.takes_up}
        of_the_host = [each for each, check in running.items() if not check.in_the_lab]
        running |= {pool.submit(run, each): each for each in checks if each.takes_up}
        failed = {running[each] for each in as_completed(running) if not passed(running[each].name, *each.result())}
    return [each.name for each in checks if each in failed]


def lab_is_wanted() -> bool:
    """Whether the lab's kernel is there, or its minutes of building are to be spent."""
    if os.environ.get("CI") or os.environ.get("SOCKEXPLORER_LAB_BUILD"):
        return True
    return subprocess.run([PYTHON, LAB, "build", "--check"], check=False).returncode == 0


def lab_command(arguments: list[str]) -> list[str]:
    """The command that runs pytest in the lab's kernel."""
    return ["python", str(LAB), "run", "--", str(PYTHON), "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def prepare() -> None:
    """See to it that the environment holds what pyproject.toml asks for now, and this checkout itself."""
    if not runs(PYTHON):
        print(f"making {VENV.name}", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode:
            sys.exit("no virtual environment could be made; on Debian: sudo apt install python3-venv")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if INSTALLED.is_file() and INSTALLED.read_text() == wanted and holds_this_checkout():
        return
    print(f"installing into {VENV.name}", flush=True)
    install: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-e",
        f"{ROOT}[test]",
    ]
    if status := subprocess.run(install, check=False).returncode:
        sys.exit(status)
    INSTALLED.write_text(wanted)


def runs(python: Path) -> bool:
    """Whether an interpreter starts, and is recent enough."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def holds_this_checkout() -> bool:
    """Whether the environment has the project for editing: a later ``pip install .`` leaves a copy in its place."""
    said = subprocess.run([PYTHON, "-I", "-c", HOW_INSTALLED], check=False, capture_output=True, text=True).stdout
    told = json.loads(said or "{}")
    return bool(told.get("dir_info", {}).get("editable")) and told.get("url") == ROOT.as_uri()


def passed(name: str, result: subprocess.CompletedProcess[bytes], seconds: float) -> bool:
    """Print what a check that ran beside others said, and how it went."""
    print(f"\n--- {name}", flush=True)
    sys.stdout.buffer.write(result.stdout + result.stderr)
    say(name, result.returncode, seconds)
    return result.returncode == 0


def passes(check: Check) -> bool:
    """Run a check, whose output goes where ours does, and say how it went."""
    print(f"\n--- {check.name}", flush=True)
    result, seconds = timed(check)
    say(check.name, result.returncode, seconds)
    return result.returncode == 0


def timed(
    check: Check, *, capture_output: bool = False, environment: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[bytes], float]:
    """Run a check; what came of it, or of the kernel's build, and the seconds that it took without that."""
    if check.in_the_lab:
        built, seconds = timed(Check("", ["python", str(LAB), "build"]), capture_output=True)
        if built.returncode:
            return built, seconds
    began = time.monotonic()
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # Hundreds of processes import the same modules: each is compiled once, even for who wants no bytecode otherwise.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    program = shutil.which(check.command[0], path=path)
    assert program is not None
    done = subprocess.run(
        [program, *check.command[1:]], cwd=ROOT, env={**usual, "PATH": path, **(environment or {})}, check=False,
        capture_output=capture_output,
    )  # fmt: skip
    return done, time.monotonic() - began


def say(name: str, status: int, seconds: float) -> None:
    """The last line of a check."""
    print(f"--- {name}: {'passed' if status == 0 else 'FAILED'}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
