"""What the kernel's own files say about this host: protocols, capabilities, namespaces, switches, build options.

Sources: proc(5), sysfs(5), capabilities(7), namespaces(7), seccomp(2). Everything is read only when it is asked for,
and once; a file that can't be read is an answer of its own (None, or empty).
"""

from __future__ import annotations

import os
import re
import zlib
from functools import cached_property
from pathlib import Path

from sockexplorer.core.text import escape
from sockexplorer.engine.host_modules import Modules

CAPABILITIES = {
    "CAP_NET_BIND_SERVICE": 10, "CAP_NET_BROADCAST": 11, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_RAWIO": 17,
    "CAP_SYS_ADMIN": 21, "CAP_AUDIT_WRITE": 29, "CAP_AUDIT_CONTROL": 30, "CAP_AUDIT_READ": 37,
}  # fmt: skip
_OPTION = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=(.*)| is not set)$", re.MULTILINE)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


class HostFacts:
    """The facts of one moment: make a new one for a new probe. ``root`` is put before every path (for tests)."""

    def __init__(self, root: str = "", release: str | None = None) -> None:
        self.root = root
        self.release = escape(os.uname().release if release is None else release)

    def read(self, path: str) -> str | None:
        """The text of a file, or None when it can't be read."""
        return _read(self.root + path)

    @cached_property
    def modules(self) -> Modules:
        """Modules, and what modprobe does with them."""
        return Modules(self.read, self.root, self.release)

    # --- the process ---------------------------------------------------------------------------------------

    @cached_property
    def _status(self) -> dict[str, str]:
        lines = (self.read("/proc/self/status") or "").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def has_capability(self, name: str, which: str = "CapEff") -> bool | None:
        """Whether the right is in this process's effective set (or ``CapBnd``); None when nothing tells."""
        bits = self._status.get(which)
        if bits is None or name not in CAPABILITIES:
            return None
        return bool(int(bits, 16) >> CAPABILITIES[name] & 1)

    @property
    def no_new_rights(self) -> bool:
        """Whether programs that this process starts gain no rights: sudo and setpriv do nothing for it."""
        return self._status.get("NoNewPrivs") == "1"

    @cached_property
    def in_user_namespace(self) -> bool | None:
        """Whether its capabilities count in a namespace of its own only; None when nothing tells."""
        text = self.read("/proc/self/uid_map")
        return None if text is None else text.split() != ["0", "0", "4294967295"]

    @cached_property
    def in_first_network(self) -> bool | None:
        """Whether process 1 is in the same network namespace; None when nothing tells, as for most users."""
        try:
            own, first = (Path(self.root, "proc", each, "ns/net").readlink() for each in ("self", "1"))
        except OSError:
            return None
        return own == first

    @property
    def filtered(self) -> bool:
        """Whether a seccomp filter is on this process: it may answer EPERM or EAFNOSUPPORT in the kernel's place."""
        return self._status.get("Seccomp") == "2"

    @cached_property
    def groups(self) -> frozenset[int]:
        """The effective group and the supplementary ones."""
        return frozenset((os.getegid(), *os.getgroups()))

    # --- the kernel ----------------------------------------------------------------------------------------

    def sysctl(self, name: str) -> str | None:
        """``sysctl("net.mptcp.enabled")``: the value with single blanks, None where there is no such switch."""
        text = self.read("/proc/sys/" + name.replace(".", "/"))
        return None if text is None else escape(" ".join(text.split()))

    @cached_property
    def protocols(self) -> frozenset[str] | None:
        """Names in ``/proc/net/protocols``: what the kernel has without loading anything. None when unreadable."""
        text = self.read("/proc/net/protocols")
        return None if text is None else frozenset(line.split(None, 1)[0] for line in text.splitlines()[1:] if line)

    @cached_property
    def version(self) -> tuple[int, int]:
        """``(6, 12)`` of the release; (0, 0) where it does not begin like that."""
        found = re.match(r"(\d+)\.(\d+)", self.release)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @cached_property
    def _options(self) -> dict[str, str]:
        text = self.read(f"/boot/config-{self.release}") or self.read(f"{self.modules.directory}/config")
        if text is None:
            try:
                packed = Path(self.root + "/proc/config.gz").read_bytes()
                text = zlib.decompress(packed, 31).decode("utf-8", "replace")
            except (OSError, zlib.error):
                text = ""
        return {name: value or "n" for name, value in _OPTION.findall(text)}

    def option(self, name: str) -> str | None:
        """``y``, ``m``, ``n`` or another value of a ``CONFIG_…``; None where the configuration is not to be had."""
        if not self._options:
            return None
        return self._options.get(name, "n")
