"""What an errno means, why it usually comes, and what to try next: the form of an explanation.

The explanations stand with the families, the long tables of some beside this (`sockexplorer.core.can_advice`), those
that hold for all of them in `sockexplorer.core.general_advice`.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """``what`` happened in a sentence; ``fixes`` are things to try, the likeliest first."""

    what: str
    fixes: tuple[str, ...] = ()


def errno_name(number: int | None) -> str:
    """``EACCES`` for 13; Linux gives EOPNOTSUPP and ENOTSUP one number, and the first is the usual name."""
    if number is None:
        return ""
    # Windows has the numbers of its sockets under two names, EACCES and WSAEACCES.
    name = errno.errorcode.get(number, f"errno {number}").removeprefix("WSA")
    return "EOPNOTSUPP" if name == "ENOTSUP" else name


AdviceTable = Mapping[tuple[str, str], Advice]
"""Explanations by (operation or ``*``, errno name)."""

_AMBIENT = (
    'sockexplorer --via "sudo setpriv --reuid $USER --regid $(id -g) --init-groups --inh-caps +{cap} '
    '--ambient-caps +{cap}"'
)
RIGHTS = (
    "open it as root: sockexplorer --via sudo",
    f"grant the one right to the one process: {_AMBIENT}",
    "try it in a namespace of your own, no rights needed: sockexplorer --via 'unshare -rn'",
)


def rights(capability: str, *, namespace: bool = True) -> tuple[str, ...]:
    """Ways to run with a capability. Never a setcap on python: any script would inherit it.

    ``namespace`` is false where a network of one's own is no help: the kernel asks for the right over the whole
    machine (``capable()``, not ``ns_capable()``), or what is wanted is outside.
    """
    cap = capability.removeprefix("CAP_").lower()
    return tuple(line.format(cap=cap) for line in (RIGHTS if namespace else RIGHTS[:2]))


def look_up(tables: tuple[AdviceTable, ...], operation: str, name: str) -> Advice | None:
    """The explanation in the first table that has one, for the operation or for any; None where there is none."""
    for table in tables:
        for key in ((operation, name), ("*", name)):
            if key in table:
                return table[key]
    return None
