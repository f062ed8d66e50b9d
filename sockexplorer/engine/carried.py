"""The package out of memory: an engine elsewhere imports what came over the stream, without a file at its end.

This text runs there by itself, before there is anything to import (`sockexplorer.client.parcel` sends it ahead of the
files). It gives the import system what a directory gives it (importlib's finders and loaders, pkgutil's
``iter_modules`` and ``get_data``), for a path that no file system has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

ROOT = "/dev/null/sockexplorer"
"""What stands for the directory above the package: absolute, and never there."""


class Loader:
    """Runs a module of the files."""

    def __init__(self, files: Mapping[str, bytes], path: str) -> None:
        self._files = files
        self._path = path

    def create_module(self, spec: ModuleSpec) -> None:
        """The import system's own way is good enough."""

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._files[self._path], self._path, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, fullname: str) -> str:
        """For the lines of a traceback."""
        return self._files[self._path].decode()

    def get_data(self, path: str) -> bytes:
        """For `pkgutil.get_data`, which joins the names with the system's separator. Raises OSError."""
        try:
            return self._files[path.replace("\\", "/")]
        except KeyError:
            raise FileNotFoundError(path) from None


class Directory:
    """Finds the modules of one directory. Raises ImportError for a path that is not of the files."""

    def __init__(self, files: Mapping[str, bytes], path: str) -> None:
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            raise ImportError(path)
        self._files = files
        self._path = path

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        base = f"{self._path}/{fullname.rpartition('.')[2]}"
        for path, places in ((f"{base}/__init__.py", [base]), (f"{base}.py", None)):
            if path in self._files:
                loader = Loader(self._files, path)
                return spec_from_file_location(fullname, path, loader=loader, submodule_search_locations=places)  # type: ignore[arg-type]
        return None

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """Names and whether they are packages, as `pkgutil.iter_modules` wants them."""
        for path in sorted(self._files):
            head, _, tail = path.removeprefix(f"{self._path}/").partition("/")
            if path.startswith(f"{self._path}/") and tail in ("", "__init__.py"):
                name = head.removesuffix(".py")
                if tail or (head.endswith(".py") and name != "__init__"):
                    yield prefix + name, bool(tail)


def install(files: Mapping[str, bytes]) -> None:
    """Make files importable: their texts by path below the package's parent, ``sockexplorer/__init__.py``."""
    placed = {f"{ROOT}/{path}": text for path, text in files.items()}
    sys.path_hooks.insert(0, lambda path: Directory(placed, path))
    sys.path.insert(0, ROOT)
