"""The worked example of CONTRIBUTING.md is a family as soon as it is pasted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"Here is a whole one, `sockexplorer/families/(\w+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
PATIENCE = 120


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the example in it."""
    there = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "sockexplorer", there / "sockexplorer", ignore=shutil.ignore_patterns("__pycache__"))
    found = EXAMPLE.search((ROOT / "CONTRIBUTING.md").read_text())
    assert found
    (there / "sockexplorer" / "families" / found[1]).write_text(found[2])
    return there


def run(house: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module with the copy in place of the project."""
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_it_keeps_the_contract_of_families(house: Path) -> None:
    contract = str(ROOT / "tests" / "families" / "test_contract.py")
    done = run(house, "pytest", "-q", "-p", "no:cacheprovider", contract, "-k", "qipcrtr")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("1:20000", 0, "2a00000001000000204e0000"),
        ("(1, 20000)", 0, "2a00000001000000204e0000"),
        ("(1, -2)", 0, "CPython passes 4294967294 silently"),
        ("(1, 'x')", 1, "port"),
        ("1", 1, "has no node and port"),
    ],
)
def test_the_command_line_knows_it(house: Path, address: str, status: int, said: str) -> None:
    done = run(house, "sockexplorer", "check", "qipcrtr/dgram", address)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_a_script_for_it_is_written(house: Path) -> None:
    done = run(house, "sockexplorer", "code", "qipcrtr/dgram", "--bind", "1:20000")
    assert done.returncode == 0, done.stderr
    assert "socket.AF_QIPCRTR" in done.stdout
    assert "sock.bind((1, 20000))" in done.stdout


def test_it_is_as_tidy_as_the_rest(house: Path) -> None:
    file = house / "sockexplorer" / "families" / "qipcrtr.py"
    config = str(ROOT / "pyproject.toml")
    for command in (
        ("ruff", "check", "--no-cache", "--config", config, str(file)),
        ("ruff", "format", "--check", "--no-cache", "--config", config, str(file)),
        ("mypy", "--strict", "--cache-dir", str(house / "cache"), str(file)),
    ):
        done = run(house, *command)
        assert done.returncode == 0, done.stdout + done.stderr
