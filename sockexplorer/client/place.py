"""Where an engine runs that is not here, in a line."""

from __future__ import annotations

from typing import Any

from sockexplorer.core.text import escape


def place(hello: dict[str, Any], via: str) -> str:
    """``via ssh box: ada@box (uid 1000), Linux 6.1.0, Python 3.11.2``, escaped."""
    who = f"{hello['user']}@{hello['host']} (uid {hello['uid']})"
    return escape(f"via {via}: {who}, {hello['kernel']}, Python {hello['python']}")
