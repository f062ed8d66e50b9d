"""numpy, set up for what goes through large files, and imported by that when it does."""

from __future__ import annotations

import contextlib
import ctypes
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

# Freed memory stays with glibc, up to so much: else the arrays of every step would come from the kernel anew, page by
# page. Larger pieces, such as columns that grow, are mapped by themselves and grow without being copied: mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
with contextlib.suppress(AttributeError, OSError):
    _mallopt = ctypes.CDLL(None).mallopt
    _mallopt(M_MMAP_THRESHOLD, 2 * 2**20)
    _mallopt(M_TRIM_THRESHOLD, 32 * 2**20)
