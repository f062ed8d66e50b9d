"""Which modules this kernel has, and which ``modprobe`` would load for a name that the kernel asks for.

Sources: proc(5), modules.dep(5), modprobe.d(5), modprobe(8), the kernel's Documentation/admin-guide/kernel-parameters
(``module_blacklist``) and sysctl/kernel (``modprobe``, ``modules_disabled``). Everything is read only when it is asked
for, and once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from sockexplorer.core.text import escape

CONFIGURATION = (
    "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d",
)  # fmt: skip
"""A file hides those of its name in the directories after its own."""
LOCKED = "kernel.modules_disabled = 1: no module can be loaded any more"
REFUSALS = re.compile(r"(?:/usr)?(?:/bin/)?(?:true|false|:)(?:\s|$)")
"""Commands of ``install`` lines that load nothing."""
_ALIAS = re.compile(r"^alias ((?:net-pf|can-proto|bt-proto)-\S+) (\S+)$", re.MULTILINE)


def plain(name: str) -> str:
    """A module's name as /proc/modules has it: ``-`` and ``_`` are the same to modprobe."""
    return name.replace("-", "_")


def _file_module(path: str) -> str:
    """``can_raw`` for ``kernel/net/can/can-raw.ko.xz``."""
    return plain(path.rpartition("/")[2].partition(".")[0])


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of modprobe.d: ``command`` is alias, blacklist or install; ``where`` names the file and the line."""

    command: str
    name: str
    value: str
    where: str

    def __str__(self) -> str:
        return escape(f"{self.command} {self.name} {self.value}".strip()) + f" ({self.where})"


@dataclass(frozen=True, slots=True)
class Asking:
    """What a ``socket()`` would load that makes the kernel ask for names. ``evidence`` says why, or why not."""

    modules: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    known: bool = True
    """False where the tables that modprobe reads are not to be seen, as in a container."""


class Modules:
    """The modules of one moment. ``read`` gives a file's text, or None; ``root`` is before paths of directories."""

    def __init__(self, read: Callable[[str], str | None], root: str, release: str) -> None:
        self._read = read
        self._root = root
        self.directory = f"/lib/modules/{release}"

    # --- the kernel ----------------------------------------------------------------------------------------

    @cached_property
    def _loaded_text(self) -> str | None:
        return self._read("/proc/modules")

    @property
    def possible(self) -> bool:
        """Whether the kernel has loadable modules at all."""
        return self._loaded_text is not None

    @cached_property
    def loaded(self) -> frozenset[str]:
        """Names in ``/proc/modules``."""
        return frozenset(line.partition(" ")[0] for line in (self._loaded_text or "").splitlines())

    @cached_property
    def locked(self) -> bool:
        """Whether ``kernel.modules_disabled`` forbids loading until the next boot."""
        return (self._read("/proc/sys/kernel/modules_disabled") or "").strip() == "1"

    @cached_property
    def autoloads(self) -> bool:
        """Whether the kernel asks modprobe at all: ``kernel.modprobe`` may be empty."""
        return bool((self._read("/proc/sys/kernel/modprobe") or "/sbin/modprobe").strip())

    @cached_property
    def _command_line(self) -> dict[str, frozenset[str]]:
        words = (word.partition("=") for word in (self._read("/proc/cmdline") or "").split())
        wanted = ("modprobe.blacklist", "module_blacklist")
        return {key: frozenset(map(plain, value.split(","))) for key, _, value in words if key in wanted}

    # --- depmod's tables -----------------------------------------------------------------------------------

    @cached_property
    def has_directory(self) -> bool:
        """False in most containers, and after the running kernel's package was replaced."""
        return Path(self._root + self.directory).is_dir()

    @cached_property
    def files(self) -> dict[str, str]:
        """Path by module name, from ``modules.dep``."""
        text = self._read(f"{self.directory}/modules.dep") or ""
        paths = (line.partition(":")[0] for line in text.splitlines())
        return {_file_module(path): escape(path) for path in paths if path}

    @cached_property
    def built_in(self) -> frozenset[str]:
        """Modules compiled into the kernel, from ``modules.builtin``."""
        text = self._read(f"{self.directory}/modules.builtin") or ""
        return frozenset(map(_file_module, text.splitlines()))

    @cached_property
    def aliases(self) -> dict[str, tuple[str, ...]]:
        """Modules by the name that the kernel asks for, such as ``net-pf-29``, from ``modules.alias``."""
        found: dict[str, tuple[str, ...]] = {}
        for alias, module in _ALIAS.findall(self._read(f"{self.directory}/modules.alias") or ""):
            found[alias] = (*found.get(alias, ()), plain(module))
        return found

    def has(self, module: str) -> bool:
        """Whether a module is loaded or built in."""
        return plain(module) in self.loaded or plain(module) in self.built_in

    # --- modprobe's configuration --------------------------------------------------------------------------

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The lines of modprobe.d that decide what is loaded."""
        files: dict[str, str] = {}
        for directory in CONFIGURATION:
            try:
                names = [each.name for each in Path(self._root + directory).iterdir() if each.name.endswith(".conf")]
            except OSError:
                continue
            for name in names:
                files.setdefault(name, f"{directory}/{name}")
        return tuple(rule for name in sorted(files) for rule in self._rules_of(files[name]))

    def _rules_of(self, path: str) -> Iterable[Rule]:
        start, line = 0, ""
        for number, text in enumerate((self._read(path) or "").splitlines(), 1):
            start = start or number
            line += text.removesuffix("\\")
            if text.endswith("\\"):
                continue
            words = line.split(None, 2)
            if len(words) >= 2 and words[0] in ("alias", "blacklist", "install"):
                value = words[2].strip() if len(words) > 2 else ""
                yield Rule(words[0], plain(words[1]), value, f"{escape(path)} line {start}")
            start, line = 0, ""

    def blacklisted(self, module: str) -> str:
        """What keeps modprobe from loading the module for an alias, or ""; by its own name it loads it all the same."""
        for rule in self.rules:
            if rule.command == "blacklist" and rule.name == plain(module):
                return str(rule)
        if plain(module) in self._command_line.get("modprobe.blacklist", ()):
            return f"modprobe.blacklist={module} (/proc/cmdline)"
        return ""

    def replaced(self, module: str) -> Rule | None:
        """The ``install`` line that modprobe obeys instead of loading the module, whatever name it was asked for."""
        return next((each for each in self.rules if each.command == "install" and each.name == plain(module)), None)

    def forbidden(self, module: str) -> str:
        """What makes the kernel itself refuse the module, or ""."""
        if plain(module) in self._command_line.get("module_blacklist", ()):
            return f"module_blacklist={module} (/proc/cmdline)"
        return ""

    def behind(self, alias: str) -> tuple[tuple[str, ...], str]:
        """The modules that modprobe takes a name for, and where it has that from."""
        for rule in self.rules:
            if rule.command == "alias" and fnmatchcase(plain(alias), rule.name):
                return (plain(rule.value),), str(rule)
        return self.aliases.get(alias, ()), f"{alias} in modules.alias"

    def asks(self, names: Iterable[str]) -> Asking:
        """What would be loaded if the kernel asked for these names."""
        if not self.possible:
            return Asking()
        if self.locked:
            return Asking((), (LOCKED,))
        if not self.autoloads:
            return Asking((), ("kernel.modprobe is empty: the kernel loads no module by itself",))
        if not self.has_directory:
            return Asking((), (f"{self.directory} is not here: what would be loaded can't be told",), known=False)
        modules, evidence = [], []
        for name in names:
            behind, source = self.behind(name)
            for module in behind:
                if self.has(module) or module in modules or (module not in self.files and not self.replaced(module)):
                    continue
                if hindrance := self.hindrance(module):
                    evidence.append(f"the kernel asks for {module} ({source}), in vain: {hindrance}")
                else:
                    modules.append(module)
                    evidence.append(f"socket() would make the kernel load {module} ({source})")
        return Asking(tuple(modules), tuple(dict.fromkeys(evidence)))

    def hindrance(self, module: str) -> str:
        """Why the kernel's asking does not load a module that is there, or ""."""
        rule = self.replaced(module)
        refusal = str(rule) if rule is not None and REFUSALS.match(rule.value) else ""
        return self.forbidden(module) or refusal or self.blacklisted(module)
