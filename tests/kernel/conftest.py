"""What the tests of the lab need: its kernel, built before."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The kernel takes minutes to build: these tests use the one that is there."""
    import build

    if not os.environ.get(build.READY) and build.built() is None:
        pytest.skip("the lab's kernel is not built: python tests/kernel/lab.py build")
