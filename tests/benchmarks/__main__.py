"""Everything that is measured, one after the other: ``.venv/bin/python tests/benchmarks [--rounds N]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = "traffic.py", "captures.py"

if __name__ == "__main__":
    for part in PARTS:
        subprocess.run([sys.executable, "-u", str(Path(__file__).with_name(part)), *sys.argv[1:]], check=True)
    subprocess.run([sys.executable, str(Path(__file__).with_name("start.py"))], check=True)
