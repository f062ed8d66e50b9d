"""What is shipped works where nothing else is: built, installed outside the checkout, started in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program far from the checkout, without what would lead back to it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, but for the record of their hashes."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}


@dataclass(frozen=True)
class Shipped:
    """An sdist, the wheel made from it, and an environment with that wheel."""

    sdist: Path
    wheel: Path
    bin: Path
    elsewhere: Path


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Build and install."""
    dist, elsewhere = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("elsewhere")
    built = run(sys.executable, "-m", "build", "--outdir", dist, ROOT, cwd=elsewhere)
    assert built.returncode == 0, built.stdout + built.stderr
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    environment = elsewhere / "environment"
    made = run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=elsewhere)
    assert made.returncode == 0, made.stdout + made.stderr
    # The pip of this environment, and no byte code of modules that nothing here imports: half of the time.
    pip = (sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "--disable-pip-version-check")
    installed = run(*pip, "install", "-q", "--no-compile", wheel, cwd=elsewhere)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return Shipped(sdist, wheel, environment / "bin", elsewhere)


def test_the_wheel_has_the_code_and_the_styles(shipped: Shipped) -> None:
    names = set(contents(shipped.wheel))
    code = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "sockexplorer").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    styles = {f"sockexplorer/styles/{file.name}" for file in (ROOT / "styles").glob("*.tcss")}
    assert styles
    assert {name for name in names if not name.partition("/")[0].endswith(".dist-info")} == code | styles


def test_the_wheel_of_the_checkout_is_that_of_the_sdist(shipped: Shipped, tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=shipped.elsewhere)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert contents(wheel) == contents(shipped.wheel)


def test_the_sdist_has_what_tests_need(shipped: Shipped) -> None:
    with tarfile.open(shipped.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml", "tests/run.py"} <= names


def test_the_command_runs(shipped: Shipped) -> None:
    version = run(shipped.bin / "sockexplorer", "--version", cwd=shipped.elsewhere)
    assert version.stdout.startswith("sockexplorer 0."), version.stderr
    checked = run(shipped.bin / "sockexplorer", "check", "inet/udp", "127.0.0.1:9999", cwd=shipped.elsewhere)
    assert checked.returncode == 0, checked.stderr
    assert "('127.0.0.1', 9999)" in checked.stdout
    refused = run(shipped.bin / "sockexplorer", "check", "inet/udp", "127.0.0.1:99999", cwd=shipped.elsewhere)
    assert refused.returncode == 1, refused.stderr


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_explorer_paints_opens_a_socket_and_quits(shipped: Shipped, size: tuple[int, int]) -> None:
    terminal = Terminal([str(shipped.bin / "sockexplorer"), "inet/udp", "127.0.0.1:0"], size, cwd=shipped.elsewhere)
    try:
        terminal.wait_for(b"Families")
        terminal.wait_for(b"Bind")
        terminal.press(b"\r")
        terminal.wait_for(b"Waiting for frames")
        terminal.press(b"q")
        terminal.wait_for_end()
    finally:
        terminal.close()
    assert terminal.process.returncode == 0
    assert b"Traceback" not in terminal.painted
    assert terminal.painted.rindex(b"\x1b[?1049l") > terminal.painted.rindex(b"\x1b[?1049h"), (
        "the screen was not restored"
    )
