"""Tests that need a kernel with every family; elsewhere none of them is collected.

python tests/kernel/lab.py run -- .venv/bin/python -m pytest tests/lab
"""

from __future__ import annotations

import os

if os.environ.get("SOCKEXPLORER_LAB") != "1":
    collect_ignore_glob = ["test_*.py"]
