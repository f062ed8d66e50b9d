"""CONTRIBUTING.md tells the truth; ``.venv/bin/python tests/packaging/test_contributing.py`` writes its example."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FAMILY = ROOT / "sockexplorer" / "families" / "qipcrtr.py"
EXAMPLE = re.compile(r"(<!-- example[^>]*-->\n).*?(<!-- /example -->)", re.DOTALL)
PATIENCE = 60


def with_example(text: str) -> str:
    """CONTRIBUTING.md with the family as it is."""
    return EXAMPLE.sub(lambda found: f"{found[1]}```python\n{FAMILY.read_text()}```\n{found[2]}", text)


def test_the_worked_example_is_the_file() -> None:
    text = CONTRIBUTING.read_text()
    assert EXAMPLE.search(text)
    assert text == with_example(text), "run: .venv/bin/python tests/packaging/test_contributing.py"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one more file: the example, for a family that is not declared."""
    there = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "sockexplorer", there / "sockexplorer", ignore=shutil.ignore_patterns("__pycache__"))
    pasted = FAMILY.read_text().replace("AF_QIPCRTR", "AF_DECnet")
    (there / "sockexplorer" / "families" / "decnet.py").write_text(pasted)
    return there


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["check", "decnet/dgram", "1:20000"], 0, "0c00000001000000204e0000"),
        (["check", "AF_DECnet", "(1, 'x')"], 1, "port"),
        (["check", "decnet/dgram", "1"], 1, "has no node and port"),
        (["code", "decnet/dgram", "--bind", "1:20000"], 0, "sock.bind((1, 20000))"),
    ],
)
def test_one_file_makes_a_family(house: Path, words: list[str], status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sockexplorer", *words],
        cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


if __name__ == "__main__":
    CONTRIBUTING.write_text(with_example(CONTRIBUTING.read_text()))
