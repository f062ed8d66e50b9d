"""Ancillary data as fields of the filter language: ``anc.IP_TTL``, ``anc.credentials.pid``, ``anc.vlan.id``.

The names are those of the details, and of ``ancillary`` in a frame's JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import Decoded
from sockexplorer.core.beside import BEFORE, ELSEWHERE, read_control
from sockexplorer.core.frames import Flag

PREFIX = "anc."
NAMES = (
    "anc.IP_TTL", "anc.IP_TOS", "anc.IP_PKTINFO", "anc.IP_PKTINFO.to", "anc.IP_PKTINFO.interface",
    "anc.IPV6_HOPLIMIT", "anc.IPV6_TCLASS", "anc.IPV6_PKTINFO", "anc.IPV6_PKTINFO.to", "anc.IPV6_PKTINFO.interface",
    "anc.credentials", "anc.credentials.pid", "anc.credentials.uid", "anc.credentials.gid",
    "anc.descriptors", "anc.security", "anc.group", "anc.priority",
    "anc.vlan", "anc.vlan.id", "anc.vlan.priority", "anc.vlan.drop_eligible", "anc.vlan.tpid",
    "anc.destination", "anc.destination.address", "anc.destination.name",
    "anc.name", "anc.name.type", "anc.name.lower", "anc.name.upper",
    "anc.returned", "anc.returned.error", "anc.returned.length", "anc.returned.data",
    "anc.fields", "anc.fields.op", "anc.fields.iv", "anc.fields.assoclen", "anc.fields.read",
    "anc.sent_by", "anc.truncated", "anc.dropped_before",
)  # fmt: skip
"""What an engine knows by name. Any other control message is ``anc.level_1_type_29``."""
LOWER = frozenset(map(str.lower, NAMES))
BESIDE = int(Flag.META | Flag.CONTROL_TRUNCATED | Flag.LOCAL | Flag.OWN)
"""A frame without any of these flags has no ancillary data."""
_BY_NUMBER = re.compile(r"anc\.level_-?\d+_type_-?\d+\Z")
_NUMBER = re.compile(r"(?:0x[0-9a-f]+|0|[1-9][0-9]*)\Z", re.IGNORECASE)
_ELSEWHERE = ELSEWHERE - {"descriptors", BEFORE}


def is_field(name: str) -> bool:
    """Whether there may be ancillary data of this name, in lower case."""
    return name in LOWER or _BY_NUMBER.match(name) is not None


def values_of(frame: Frame) -> Decoded:
    """The ancillary data of a frame by name, in lower case. Never raises, whatever a file says."""
    found: dict[str, list[tuple[str, int | None]]] = {}
    if frame.event or not frame.flags & BESIDE:
        return found
    for name, text, number in _of_frame(frame):
        found.setdefault(f"{PREFIX}{name.lower().replace(' ', '_')}", []).append((text, number))
    return found


def _of_frame(frame: Frame) -> Iterator[tuple[str, str, int | None]]:
    for key, value in frame.meta.items():
        if key == "control" and isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield from _nested(str(each.get("name", "")), read_control(each))
        elif key not in _ELSEWHERE:
            yield from _nested(key, value)
    if frame.flags & Flag.CONTROL_TRUNCATED:
        yield from _nested("truncated", True)
    if frame.flags & (Flag.LOCAL | Flag.OWN):
        yield "sent_by", "this socket" if frame.flags & Flag.OWN else "this host", None


def _nested(name: str, value: Any) -> Iterator[tuple[str, str, int | None]]:
    """A value by its name; its parts as well, if it has any."""
    if isinstance(value, dict):
        yield name, " ".join(f"{key} {each}" for key, each in value.items()), None
        for key, each in value.items():
            yield from _nested(f"{name}.{key}", each)
    elif isinstance(value, list):
        for each in value:
            yield from _nested(name, each)
    elif isinstance(value, bool):
        yield name, str(value).lower(), int(value)
    elif isinstance(value, int):
        yield name, str(value), value
    else:
        text = str(value)
        yield name, text, int(text, 0) if len(text) < 25 and _NUMBER.match(text) else None
