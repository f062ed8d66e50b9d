"""Kinds of sockets that a host may lack or forbid, marked so that a skip of theirs is no failure in CI."""

from __future__ import annotations

from typing import Any

import pytest

REASONS = {
    "inet/udplite": "Linux 7.1 and later have no UDP-Lite", "inet6/udplite": "Linux 7.1 and later have no UDP-Lite",
    "inet/mptcp": "kernels are built without MPTCP, or have it switched off",
    "inet/raw": "raw sockets need CAP_NET_RAW", "inet6/raw": "raw sockets need CAP_NET_RAW",
    "packet/raw": "AF_PACKET needs CAP_NET_RAW", "packet/dgram": "AF_PACKET needs CAP_NET_RAW",
}  # fmt: skip


def cases(given: list[tuple[Any, ...]]) -> list[Any]:
    """The sets of parameters, whose first is ``family/protocol``, with marks where those are rare."""
    return [
        pytest.param(*each, marks=pytest.mark.optional_on_this_host(reason=REASONS[each[0]]))
        if each[0] in REASONS
        else each
        for each in given
    ]
