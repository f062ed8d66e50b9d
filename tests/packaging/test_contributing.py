"""CONTRIBUTING.md tells the truth; ``.venv/bin/python tests/packaging/test_contributing.py`` writes its examples."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
EXAMPLES = ROOT / "tests" / "packaging"
EXAMPLE = re.compile(r"(<!-- example (\w+\.py)[^>]*-->\n).*?(<!-- /example -->)", re.DOTALL)
PATIENCE = 60


def with_examples(text: str) -> str:
    """CONTRIBUTING.md with the family and its test as they are."""
    return EXAMPLE.sub(lambda found: f"{found[1]}```python\n{(EXAMPLES / found[2]).read_text()}```\n{found[3]}", text)


def test_the_worked_examples_are_the_files() -> None:
    text = CONTRIBUTING.read_text()
    assert [found[2] for found in EXAMPLE.finditer(text)] == ["xdp.py", "xdp_facts.py"]
    assert text == with_examples(text), "run: .venv/bin/python tests/packaging/test_contributing.py"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its tests with one more file in it: the family, without its test."""
    there = tmp_path_factory.mktemp("house")
    for name in ("sockexplorer", "tests"):
        shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", there)
    shutil.copy(EXAMPLES / "xdp.py", there / "sockexplorer" / "families")
    return there


def inside(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module with that copy."""
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True,
        text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["check", "xdp/raw", "lo:3", "--bytes"], 0, "sxdp_queue_id"),
        (["check", "AF_XDP", "('lo', 3, 6)"], 0, "XDP_COPY together"),
        (["check", "AF_XDP", "('lo', 'x')"], 1, "queue_id"),
        (["check", "xdp/raw", "lo"], 1, "has no interface and queue"),
        (["about", "xdp/raw"], 0, "What usually goes wrong"),
        (["read", "--all", "('lo', 0)"], 0, "AF_XDP/raw"),
        (["code", "xdp/raw", "--bind", "lo:3"], 0, "sock.bind(('lo', 3))"),
    ],
)
def test_one_file_makes_a_family(house: Path, words: list[str], status: int, said: str) -> None:
    done = inside(house, "sockexplorer", *words)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.optional_on_this_host(reason="AF_XDP needs CONFIG_XDP_SOCKETS, and CAP_NET_RAW")
def test_a_family_that_no_python_has_is_opened_by_number(house: Path) -> None:
    try:
        socket.socket(44, socket.SOCK_RAW).close()
    except OSError as error:
        pytest.skip(f"no AF_XDP here: {error}")
    doctor = inside(house, "sockexplorer", "doctor", "xdp")
    assert "not in this Python, but by number" in doctor.stdout, doctor.stdout
    watch = inside(house, "sockexplorer", "watch", "xdp/raw", "--bind", "lo:0")
    # Its address has reached the kernel, which misses the rings; a socket of Python's says "bad family" before.
    assert watch.returncode == 1
    assert "bind: EINVAL" in watch.stderr
    assert "The rings or the UMEM are missing." in watch.stderr


def contract(house: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Hold the family to the contract; ``more`` are further files of tests."""
    files = (f"tests/families/{name}" for name in ("test_contract.py", *more))
    return inside(house, "pytest", "-q", "-p", "no:cacheprovider", "-k", "xdp", *files)


def test_it_keeps_what_every_family_keeps_with_its_test_beside_it(house: Path) -> None:
    without = contract(house)
    assert without.returncode == 1, without.stdout
    assert "tests/families/test_xdp.py, with the tables of tests/family_tables.py" in without.stdout
    assert "1 failed" in without.stdout
    shutil.copy(EXAMPLES / "xdp_facts.py", house / "tests" / "families" / "test_xdp.py")
    done = contract(house, "test_xdp.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


if __name__ == "__main__":
    CONTRIBUTING.write_text(with_examples(CONTRIBUTING.read_text()))
