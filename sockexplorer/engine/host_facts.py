"""What the kernel's own files say about this host: modules, capabilities, switches, build options.

Sources: proc(5), sysfs(5), modules.dep(5), modules.alias of depmod(8), capabilities(7), seccomp(2). Everything is read
only when it is asked for, and once; a file that can't be read is an answer of its own (None, or empty).
"""

from __future__ import annotations

import os
import re
import zlib
from functools import cached_property
from pathlib import Path

from sockexplorer.core.text import escape

CAPABILITIES = {
    "CAP_NET_BIND_SERVICE": 10, "CAP_NET_BROADCAST": 11, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_RAWIO": 17,
    "CAP_SYS_ADMIN": 21, "CAP_AUDIT_WRITE": 29, "CAP_AUDIT_CONTROL": 30, "CAP_AUDIT_READ": 37,
}  # fmt: skip
_ALIAS = re.compile(r"^alias ((?:net-pf|can-proto|bt-proto)-\S+) (\S+)$", re.MULTILINE)
_OPTION = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=(.*)| is not set)$", re.MULTILINE)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def _module_name(path: str) -> str:
    """``can_raw`` for ``kernel/net/can/can-raw.ko.xz``."""
    return path.rpartition("/")[2].partition(".")[0].replace("-", "_")


class HostFacts:
    """The facts of one moment: make a new one for a new probe. ``root`` is put before every path (for tests)."""

    def __init__(self, root: str = "", release: str | None = None) -> None:
        self.root = root
        self.release = escape(os.uname().release if release is None else release)

    def read(self, path: str) -> str | None:
        """The text of a file, or None when it can't be read."""
        return _read(self.root + path)

    # --- modules -------------------------------------------------------------------------------------------

    @property
    def modules_directory(self) -> str:
        return f"/lib/modules/{self.release}"

    @cached_property
    def has_modules_directory(self) -> bool:
        """False in most containers, and after the running kernel's package was replaced."""
        return Path(self.root + self.modules_directory).is_dir()

    @cached_property
    def _loaded_text(self) -> str | None:
        return self.read("/proc/modules")

    @property
    def modular(self) -> bool:
        """Whether the kernel has loadable modules at all."""
        return self._loaded_text is not None

    @cached_property
    def loaded(self) -> frozenset[str]:
        """Names in ``/proc/modules``."""
        return frozenset(line.partition(" ")[0] for line in (self._loaded_text or "").splitlines())

    @cached_property
    def locked(self) -> bool:
        """Whether ``kernel.modules_disabled`` forbids loading until the next boot."""
        return self.sysctl("kernel.modules_disabled") == "1"

    @cached_property
    def module_files(self) -> dict[str, str]:
        """Path by module name, from ``modules.dep``."""
        text = self.read(f"{self.modules_directory}/modules.dep") or ""
        paths = (line.partition(":")[0] for line in text.splitlines())
        return {_module_name(path): path for path in paths if path}

    @cached_property
    def built_in(self) -> frozenset[str]:
        """Modules compiled into the kernel, from ``modules.builtin``."""
        text = self.read(f"{self.modules_directory}/modules.builtin") or ""
        return frozenset(map(_module_name, text.splitlines()))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Which module the kernel would load for ``net-pf-29`` and the like, from ``modules.alias``."""
        return dict(_ALIAS.findall(self.read(f"{self.modules_directory}/modules.alias") or ""))

    def loads_for(self, alias: str) -> str | None:
        """The module that asking for ``alias`` would load now; "" when nothing would be, None when nothing tells."""
        if not self.modular or self.locked:
            return ""
        if not self.aliases:
            return None
        module = self.aliases.get(alias, "")
        return "" if module.replace("-", "_") in self.loaded else module

    # --- the process ---------------------------------------------------------------------------------------

    @cached_property
    def _status(self) -> dict[str, str]:
        lines = (self.read("/proc/self/status") or "").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def has_capability(self, name: str) -> bool | None:
        """Whether the right is in this process's effective set; None when nothing tells."""
        bits = self._status.get("CapEff")
        if bits is None or name not in CAPABILITIES:
            return None
        return bool(int(bits, 16) >> CAPABILITIES[name] & 1)

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
    def _options(self) -> dict[str, str]:
        text = self.read(f"/boot/config-{self.release}") or self.read(f"{self.modules_directory}/config")
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
