"""Which Python a family is declared for: some parsers of ``socketmodule.c`` changed between 3.11 and 3.15."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython by its version, such as ``(3, 14)`` or ``(3, 13, 3)``."""

    version: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


RUNNING = Interpreter(tuple(sys.version_info[:3]))
