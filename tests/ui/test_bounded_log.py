"""A log that is full: rows go at the top, numbers stay, the loss is in sight, the cursor stays on its row."""

from __future__ import annotations

import socket
from collections.abc import Callable

from person import Person

from sockexplorer.core.frames import pack_frames_for_tests as _unused  # noqa: F401

People = Callable[..., Person]
