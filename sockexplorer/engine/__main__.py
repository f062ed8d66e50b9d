"""The engine as a process: its stream is descriptor 0 in and 1 out, whatever they are (a socketpair, pipes, ssh)."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Serve the client at the other end of descriptors 0 and 1 until it is gone."""
    from sockexplorer.engine.server import Engine

    # Nothing else may write into the stream: a stray print goes where errors go.
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    engine = Engine(incoming, outgoing)
    # What is there from the beginning stays: the collector need not look at it in the midst of a flood.
    gc.freeze()

    def stop(signum: int, frame: FrameType | None) -> None:
        engine.stop()

    # Ctrl-C and a closed terminal are for the client; it ends the engine by closing the stream.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    engine.run()
    sys.exit(0)


if __name__ == "__main__":
    main()
