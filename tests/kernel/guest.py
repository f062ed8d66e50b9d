"""Runs the launcher of the lab from a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LAB = Path(__file__).with_name("lab.py")
PATIENCE = 300
"""Seconds; reached only by a guest that does not end. On a slow machine several checks run beside it."""


def lab(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Run the launcher with arguments as a person would."""
    return subprocess.run(
        [sys.executable, LAB, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False, **more
    )  # type: ignore[call-overload,no-any-return]
