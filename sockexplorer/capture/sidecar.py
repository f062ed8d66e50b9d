"""The index of a large capture file, kept in the person's cache directory, so that opening it again takes no time.

A file holds a line with the digest and the length of a header, the header as JSON, and the columns one after another,
mapped when they are read. It is believed only where the capture has the size, the times of change and the bytes at
its head and tail of when it was made, and where rows taken at random agree with it; else it is made again. The time of
its content (mtime) can be set by anybody, that of its status (ctime) by nobody: see utimensat(2).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import random
import sys
import tempfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockexplorer.capture.captured_log import CapturedLog, Counts
from sockexplorer.capture.index import Columns, Index, Walk, interface_from, interface_state
from sockexplorer.capture.mapped import MappedFile
from sockexplorer.capture.reading import CaptureError, Drops, Torn

VERSION = 6
MAGIC = "sockexplorer index"
FEWEST_ROWS = 100_000
"""Indexing fewer takes no longer than a look into the cache."""
MOST_BYTES = 4 * 2**30
"""What all indexes may take on the disk; those that were not used for longest go first."""
EDGE = 4096
SAMPLES = 64
ALIGNMENT = 4096


def directory() -> Path:
    """Where the indexes are."""
    from platformdirs import user_cache_path

    return user_cache_path("sockexplorer", appauthor=False) / "indexes"


def path_of(capture: Path, where: Path | None = None) -> Path:
    """The index of a capture; ``where`` is another directory than `directory`."""
    name = hashlib.sha256(os.fsencode(capture.resolve())).hexdigest()[:32]
    return (directory() if where is None else where) / f"{name}.index"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A kept index; a row of each of its origins; what its rows count."""

    index: Index
    examples: array[int]
    counts: Counts


def load(capture: Path, where: Path | None = None) -> Loaded | None:
    """The kept index of a capture; None where there is none that can be believed.

    Raises OSError, `CaptureError` where the capture itself can't be opened.
    """
    index = Index(capture)
    try:
        found = _load(index, path_of(capture, where))
    except BaseException:
        index.close()
        raise
    if found is None:
        index.close()
    return found


def _load(index: Index, path: Path) -> Loaded | None:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            os.utime(file.fileno())
    except (OSError, ValueError):
        return None
    try:
        line, _, _ = mapping[:256].partition(b"\n")
        magic, _, rest = line.decode().rpartition(" v")
        version, digest, length = rest.split()
        begin = len(line) + 1
        text = mapping[begin : begin + int(length)]
        if magic != MAGIC or int(version) != VERSION or hashlib.sha256(text).hexdigest() != digest:
            return None
        header = json.loads(text)
        if header["of"] != _identity(index.file) or header["order"] != sys.byteorder:
            return None
        columns = _mapped_columns(mapping, _aligned(begin + int(length)), header["rows"])
        if columns is None:
            return None
        index.walk.restore(header["walk"], columns)
        index.count, index.done = header["rows"], True
        index.drops.update(_drops_from(header["drops"], index.walk))
        index.error = _error_from(header["error"])
        if not _agree(index):
            return None
        received, sent, bytes_in, bytes_out = map(int, header["counts"])
        return Loaded(index, array("Q", header["examples"]), (received, sent, bytes_in, bytes_out))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError):
        return None


def settle(log: CapturedLog, where: Path | None = None) -> None:
    """Keep the index of a log that is ready, and have the log look at what was kept instead of at memory."""
    if keep(log, where) and (loaded := load(log.index.file.path, where)) is not None:
        if loaded.index.count == log.index.count:
            log.index.walk.columns = loaded.index.columns
        loaded.index.close()


def keep(log: CapturedLog, where: Path | None = None) -> bool:
    """Keep the index of a log that is ready, whole or not at all; whether it was worth it, and possible."""
    index = log.index
    if index.count < FEWEST_ROWS or len(index.columns.origin) != index.count:
        return False
    path = path_of(index.file.path, where)
    identity = _identity(index.file)
    header = {
        "of": identity,
        "order": sys.byteorder,
        "rows": index.count,
        "walk": index.walk.state(),
        "drops": [[*key, interface_state(interface), count] for key, (interface, count) in index.drops.items()],
        "error": None
        if index.error is None
        else [index.error.offset, index.error.reason, isinstance(index.error, Torn)],
        "examples": list(log.origins.examples),
        "counts": log.counts,
    }
    text = json.dumps(header).encode()
    line = f"{MAGIC} v{VERSION} {hashlib.sha256(text).hexdigest()} {len(text)}\n".encode()
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_room(path.parent, 28 * index.count)
        # mkstemp makes a file that only its owner can read.
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
        with os.fdopen(descriptor, "wb") as file:
            file.write(line + text)
            file.write(bytes(_aligned(file.tell()) - file.tell()))
            for each in Columns.NAMES:
                file.write(memoryview(getattr(index.columns, each)).cast("B"))
        os.replace(name, path)  # noqa: PTH105
    except OSError:
        if name is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
        return False
    return True


def _aligned(at: int) -> int:
    return at + -at % ALIGNMENT


def _mapped_columns(mapping: mmap.mmap, at: int, rows: int) -> Columns | None:
    columns = Columns()
    if len(mapping) != at + 28 * rows or rows < 0:
        return None
    view = memoryview(mapping)
    for name, kind in zip(Columns.NAMES, Columns.TYPES, strict=True):
        size = rows * (8 if kind == "Q" else 4)
        setattr(columns, name, view[at : at + size].cast(kind))  # type: ignore[call-overload]
        at += size
    return columns


def _identity(file: MappedFile) -> list[Any]:
    """What tells a capture from another, and from itself at another time."""
    edges = file.read(0, EDGE) + file.read(max(0, file.size - EDGE), EDGE)
    times = file.mtime_ns, file.ctime_ns
    return [str(file.path.resolve()), file.size, *times, hashlib.sha256(edges).hexdigest()]


def _agree(index: Index) -> bool:
    """Whether rows from everywhere are in the capture as the columns have them."""
    columns, count = index.columns, index.count
    rows = {0, count - 1, *(random.randrange(count) for _ in range(SAMPLES))} if count else set()
    try:
        for row in rows:
            record = index.record(row)
            if (record.time, record.length) != (columns.time[row], columns.length[row]):
                return False
    except CaptureError:
        return False
    return True


def _make_room(where: Path, size: int) -> None:
    """Remove indexes that were not used for long, and what a killed program left, until so much more may be kept."""
    found = sorted((each.stat().st_mtime, each.stat().st_size, each) for each in where.iterdir() if each.is_file())
    total = size + sum(each for _, each, _ in found)
    for _, each, path in found:
        if total <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= each


def _drops_from(told: Iterable[Any], walk: Walk) -> Drops:
    return {
        (int(section), int(number)): (walk.dropped_at(section, number) or interface_from(state), int(count))
        for section, number, state, count in told
    }


def _error_from(told: Any) -> CaptureError | None:
    if told is None:
        return None
    offset, reason, torn = told
    return (Torn if torn else CaptureError)(int(offset), str(reason))
