"""Our receivers: an engine with its client, and the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sockexplorer.capture.index import Index
from sockexplorer.capture.provenance import see
from sockexplorer.core.endpoint import Endpoint
from speed import processes
from speed.receiver import Receiver

HERE = Path(__file__).resolve().parents[1]


class Client(Receiver):
    """``speed.client``: a session whose log keeps ``limit`` bytes, None for all, in memory or in ``directory``.

    Raises `processes.Failed` if it can't be opened.
    """

    def __init__(self, endpoint: Endpoint, limit: int | None = 8 * 2**30, directory: Path | None = None) -> None:
        keep = "all" if limit is None else str(limit)
        where = [] if directory is None else [str(directory)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "speed.client", json.dumps(endpoint.to_json()), keep, *where],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(HERE)},
        )  # fmt: skip
        self.told = self._line()
        if self.told["state"] in ("failed", "closed"):
            self.end()
            raise processes.Failed(self.told["problem"])
        self.engine, self.client = int(self.told["engine"]), int(self.told["client"])
        self.readers = [self.engine]
        self.parts = {"engine": [self.engine], "client": [self.client]}

    def ask(self, word: str) -> dict[str, Any]:
        """The counters, after it did as told; the words are those of `speed.client`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self.told = self._line()
        return self.told

    def kept(self) -> int:
        return int(self.ask("kept")["received"]) - int(self.told["trimmed"])

    def taken(self, count: int) -> None:
        # To ask all the time would be most of what the client does.
        processes.wait(lambda: self.kept() >= count, f"{count} frames; {self.told}", every=0.025)

    def rest(self) -> None:
        processes.until_quiet(self.readers)

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def dropped(self) -> int | None:
        return int(self.told["drops"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise processes.Failed(f"the client ended with status {self._process.wait(10)}")
        found: dict[str, Any] = json.loads(line)
        return found


class Bounded(Client):
    """A session whose log is full: what it drops was kept before."""

    LIMIT = 64 * 2**20
    LAPS = 8
    """After so many drains the log, and what the engine has ready, were filled and filled again."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, self.LIMIT)

    def kept(self) -> int:
        return int(self.ask("kept")["received"])


class Watch(Receiver):
    """``sockexplorer watch TARGET --bind ADDRESS --write FILE --quiet``, a stream's with ``--listen``."""

    def __init__(self, target: str, address: str, file: Path, *, listen: bool = False) -> None:
        self._file = file
        how = ["--bind", address, "--write", str(file), "--quiet", *["--listen"] * listen]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sockexplorer", "watch", target, *how],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        if not said.startswith((b"listening on", b"bound to", b"open at")):
            raise processes.Failed(f"watch did not start: {(said + processes.end(self._process)[1]).decode()}")
        self.client = self._process.pid
        self.readers = processes.children(self.client)
        self.parts = {"engine": self.readers, "client": [self.client]}
        self.frames: int | None = None
        """How many frames it says it has recorded, after `end`."""
        self._drops: int | None = None

    def taken(self, count: int) -> None:
        processes.until_quiet([*self.readers, self.client])

    def end(self) -> None:
        # Who was started in the background ignores SIGINT.
        _, said = processes.end(self._process, signal.SIGTERM)
        found = re.search(rb"^(\d+) frames?; the kernel dropped (\d+)", said, re.M)
        self.frames, self._drops = (int(found[1]), int(found[2])) if found else (None, None)

    def dropped(self) -> int | None:
        return self._drops

    def kept(self) -> int:
        """Enhanced packet blocks in the file."""
        data, at, found = self._file.read_bytes(), 0, 0
        while at + 8 <= len(data):
            found += data[at : at + 4] == b"\6\0\0\0"
            at += int.from_bytes(data[at + 4 : at + 8], "little")
        return found

    def payload(self) -> tuple[int, int]:
        """Frames in the file, and the bytes of their payloads. Raises `processes.Failed` for one that is not whole."""
        index = Index(self._file)
        for _ in index.steps():
            pass
        if index.error is not None:
            raise processes.Failed(str(index.error))
        return index.count, sum(len(see(index.walk.record(row)).payload) for row in range(index.count))
