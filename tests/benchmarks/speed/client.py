"""Our receiver: a client as the product uses it, in a process of its own, told what to do on stdin.

``python -m speed.client ENDPOINT LIMIT [DIRECTORY]``: opens the endpoint (JSON) in an engine process, with a log that
keeps LIMIT bytes, or ``all``, in memory or in a file in DIRECTORY, and polls 30 times a second as the explorer does.
Then it says in JSON lines where it is bound, and answers each line with its counters: ``kept``; ``last`` with the
newest row as well; ``count`` with the frames and bytes that the log still has, counted row by row; ``busy`` and
``idle`` after it began or ended to compute between the polls; ``close`` when it is closed. It ends at the end of stdin.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path

from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import Flag

POLL_SECONDS = 1 / 30


def told(hub: Hub, session: Session) -> dict[str, object]:
    """The session's counters, as everybody sees them."""
    process = hub.client.link.process
    assert process is not None
    return {
        "state": session.state, "problem": session.problem.headline() if session.problem else "",
        "local": repr(session.local), "engine": process.pid, "client": os.getpid(),
        "kept": len(session.log), "received": session.log.received, "bytes": session.log.bytes_in,
        "trimmed": session.log.dropped, "drops": session.drops, "packets": session.packets,
        "buffer": session.receive_buffer, "size": session.log.size,
    }  # fmt: skip


def last(session: Session) -> tuple[int, str]:
    """The time of the newest row, ns since the epoch, and its event."""
    log = session.log
    return (log.time(log.end - 1), log.frame(log.end - 1).event) if log else (0, "")


def count(session: Session) -> tuple[int, int]:
    """The frames that the log still has, without its events, and their bytes."""
    log, frames, size = session.log, 0, 0
    for block in log.blocks(log.first, log.end):
        lengths = [length for length, flags in zip(block.lengths, block.flags, strict=True) if not flags & Flag.EVENT]
        frames, size = frames + len(lengths), size + sum(lengths)
    return frames, size


def compute(seconds: float) -> None:
    """Do what an interface does: nothing but Python."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sum(range(1000))


MORE = {b"last": last, b"count": count}
"""Words whose answer has more than the counters."""


def main() -> None:
    """Serve until stdin ends."""
    endpoint, limit = Endpoint.from_json(json.loads(sys.argv[1])), None if sys.argv[2] == "all" else int(sys.argv[2])
    hub = Hub(log_limit=limit, log_directory=Path(sys.argv[3]) if len(sys.argv) > 3 else None)
    try:
        session = hub.open(endpoint)
        while session.state in ("opening", "connecting"):
            hub.poll(0.05)
        print(json.dumps(told(hub, session)), flush=True)
        busy, waiting = False, b""
        while True:
            if busy:
                compute(POLL_SECONDS)
            hub.poll(0.0)
            if not select.select([0], [], [], 0 if busy else POLL_SECONDS)[0]:
                continue
            data = os.read(0, 4096)
            if not data:
                return
            *words, waiting = (waiting + data).split(b"\n")
            for word in words:
                busy = word == b"busy" or (busy and word == b"kept")
                if word == b"close":
                    hub.close(session)
                    while session.state != "closed" and not hub.client.dead:
                        hub.poll(0.05)
                    hub.poll(0.2)
                more = {name.decode(): ask(session) for name, ask in MORE.items() if name == word}
                print(json.dumps(told(hub, session) | more), flush=True)
    finally:
        hub.shut_down()


if __name__ == "__main__":
    main()
