"""numpy, set up for what goes through large files, and imported by that when it does."""

from __future__ import annotations

import os
from typing import Any

_THREADS = "OPENBLAS_NUM_THREADS"
_unasked = _THREADS not in os.environ
# The OpenBLAS in numpy's wheels starts threads for products of matrices when it is loaded, which spin for a while.
# Nothing here has such products.
os.environ.setdefault(_THREADS, "1")
import numpy as numpy  # noqa: E402

if _unasked:
    del os.environ[_THREADS]

Array = numpy.ndarray[Any, numpy.dtype[Any]]

# Freed memory stays with glibc up to twice the largest piece that was mapped by itself and freed: mallopt(3), about
# M_MMAP_THRESHOLD. Else the arrays of every step would come from the kernel anew, page by page.
_largest = numpy.empty(2 * 2**20, "u1")
del _largest
