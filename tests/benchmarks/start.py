"""How long the explorer takes to start and to quit: ``.venv/bin/python tests/benchmarks/start.py``.

In a terminal of its own, 120×40. Start: from exec to the first paint that shows the families. Quit: from ``q`` to the
end of the process, with an idle UDP socket open. One more run goes before, so that caches are warm.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from terminal import Terminal


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs: int = parser.parse_args().runs
    start, ready, quit_ = [], [], []
    for number in range(runs + 1):
        terminal = Terminal([sys.executable, "-m", "sockexplorer", "inet/udp", "127.0.0.1:0"])
        try:
            painted = terminal.wait_for(b"Families")
            probed = terminal.wait_for(b"available")
            terminal.press(b"\r")
            terminal.wait_for(b"Waiting for frames")
            terminal.drain(0.5)
            terminal.press(b"q")
            ended = terminal.wait_for_end()
        finally:
            terminal.close()
        if terminal.process.returncode != 0:
            sys.exit(f"the explorer ended with status {terminal.process.returncode}")
        if number:
            start.append(painted)
            ready.append(probed)
            quit_.append(ended)
    for what, times in (("first paint", start), ("host probed", ready), ("quit", quit_)):
        shown = " ".join(f"{each * 1000:.0f}" for each in times)
        print(f"{what:<12} median {statistics.median(times) * 1000:4.0f} ms   of {shown}")


if __name__ == "__main__":
    main()
