"""The code to take home: a runnable Python script for an endpoint, and its essential calls in one line.

A script needs the standard library only. Every literal in it is ASCII, and what it prints of peers passes ``ascii()``:
neither the text nor its output acts on a terminal. `steps` says what a script does, whatever its style; `blocking`
and `asynchronous` say how it waits; `parts` puts the pieces together. `alg` and `quirks` hold what single families
do differently.
"""

from __future__ import annotations

from sockexplorer.core.script.steps import address_line
from sockexplorer.core.script.writing import STYLES, Style, python_script

__all__ = ["STYLES", "Style", "address_line", "python_script"]
