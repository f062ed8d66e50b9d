"""Memory that could be taken is what the machine has, and no more than a container may have."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from sockexplorer.engine.memory import spare, spare_for

FREE = spare(Path("/nonexistent"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "max", "memory.current": "400"}, None),
        ({"memory.max": "1000", "memory.current": "400"}, 600),
        ({"memory.max": "1000", "memory.current": "1400"}, 0),
        ({"memory.max": "9" * 18, "memory.current": "4"}, None),
        ({"a/memory.max": "1000", "a/memory.current": "400", "a/b/memory.max": "max", "a/b/memory.current": "9"}, 600),
        ({"a/b/memory.max": "100", "a/b/memory.current": "9", "memory.max": "50", "memory.current": "10"}, 40),
        ({"memory/memory.limit_in_bytes": "1000", "memory/memory.usage_in_bytes": "1"}, 999),
        ({"memory/a/b/memory.limit_in_bytes": "1000", "memory/a/b/memory.usage_in_bytes": "1"}, 999),
        ({"memory/a/memory.limit_in_bytes": "1000", "memory/a/memory.usage_in_bytes": "2"}, 998),
        ({"memory.max": "nonsense", "memory.current": ""}, None),
    ],
)  # fmt: skip
def test_the_least_of_machine_and_groups(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    found = spare(tmp_path, "/a/b")
    if expected is None:
        assert found > 2**20, "what is free changes all the time"
    else:
        assert found == expected


def test_the_machine_has_some() -> None:
    assert 0 < FREE < 2**50


def test_a_file_in_memory_has_no_file_system_that_could_be_full(tmp_path: Path) -> None:
    file = os.memfd_create("x")
    assert spare_for(file) == math.inf
    os.close(file)
    with (tmp_path / "on_disk").open("wb") as made:
        assert 0 <= spare_for(made.fileno()) < 2**60
