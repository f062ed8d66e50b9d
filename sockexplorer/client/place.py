"""Where an engine runs that is not here, in a line."""

from __future__ import annotations

from typing import Any

from sockexplorer.core.text import escape


def place(hello: dict[str, Any], via: str) -> str:
    """``engine: ada@box (uid 1000), Linux 6.1.0, Python 3.11.2, via ssh box``, escaped: what may be long comes last."""
    who = f"{hello['user']}@{hello['host']} (uid {hello['uid']})"
    return escape(f"engine: {who}, {hello['kernel']}, Python {hello['python']}, via {via}")
