"""Every check of this project, in one command: ``python3 tests/run.py``. Further arguments go to pytest.

Makes ``.venv`` in the checkout, or takes the one that is there, installs the project into it for editing, and runs
ruff, mypy, import-linter and pytest; then, in a kernel that has every socket family (``tests/kernel/lab.py``), the
tests of the families that a host may lack. That last part waits for the kernel's build where the environment has CI or
SOCKEXPLORER_LAB_BUILD set, and is left out, with a hint, where no kernel is built. All of them run; the status is 1
when any failed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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
LONG = ("tests/lab/test_doctor.py", "tests/lab/test_command_line.py")
IN_THE_LAB: dict[str, list[str]] = {
    "pytest in the lab: families": ["tests/lab", *(f"--ignore={each}" for each in LONG)],
    "pytest in the lab: doctor and verbs": [*LONG],
    "pytest in the lab: what this host lacks": [
        "-m", "optional_on_this_host", "tests/core/script", "tests/engine", "tests/notations", "tests/ui",
    ],
}  # fmt: skip
"""What runs in the lab's kernel, each in one of its own: tests that are for it, and those that the host skips."""
OF_THE_LAB = {"pytest of the lab": ["pytest", "tests/kernel"]}
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
    checks = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "import-linter": ["lint-imports"],
        "pytest": ["pytest", *arguments],
    }
    wanted = not arguments and lab_is_wanted()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        # Each guest is one process on one processor, and waits for the kernel while it is built.
        guests = {
            name: pool.submit(timed, lab_command(more), capture_output=True)
            for name, more in (IN_THE_LAB.items() if wanted else ())
        }
        failed = [name for name, command in checks.items() if not passes(name, command)]
        failed += [name for name, guest in guests.items() if not passed(name, *guest.result())]
    if wanted:
        failed += [name for name, command in OF_THE_LAB.items() if not passes(name, command)]
        checks |= {name: [] for name in (*IN_THE_LAB, *OF_THE_LAB)}
    elif arguments:
        print("hint: with arguments for pytest, nothing runs in the lab's kernel")
    else:
        print(f"hint: no kernel for the tests of rare families; to build one: python3 {LAB.relative_to(ROOT)} build")
    print(f"\nfailed: {', '.join(failed)}" if failed else f"\npassed: {', '.join(checks)}")
    return 1 if failed else 0


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


def passes(name: str, command: list[str]) -> bool:
    """Run a tool of the environment in the checkout, and say how it went."""
    print(f"\n--- {name}", flush=True)
    result, seconds = timed(command)
    say(name, result.returncode, seconds)
    return result.returncode == 0


def timed(command: list[str], *, capture_output: bool = False) -> tuple[subprocess.CompletedProcess[bytes], float]:
    """Run a tool of the environment in the checkout; what came of it, and the seconds that it took."""
    began = time.monotonic()
    program = VENV / "bin" / command[0]
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=environment, check=False, capture_output=capture_output
    )  # fmt: skip
    return done, time.monotonic() - began


def say(name: str, status: int, seconds: float) -> None:
    """The last line of a check."""
    print(f"--- {name}: {'passed' if status == 0 else 'FAILED'}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
