"""What a flood of datagrams does to the explorer: ``.venv/bin/python tests/benchmarks/flood.py``.

A process of its own sends datagrams over loopback at a steady rate: first to an engine whose client only polls, 20
times a second; then to the explorer with the traffic in view, drawing for a terminal that takes everything. Both
within one run, so that they compare. Each tells what became of the datagrams, how late the event loop was for a
callback every 10 ms, and the processor time of both processes. It ends by itself, whatever gets lost.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.ui.app import ExplorerApp
from sockexplorer.ui.screens.main import MainScreen
from sockexplorer.ui.settings import Settings

CALLBACK_SECONDS = 0.01
POLL_SECONDS = 1 / 20
QUIET_SECONDS = 1.0
"""When nothing arrived for so long after the sender ended, nothing more will."""
GRACE_SECONDS = 15.0
SIZE = (120, 40)


class PaintingApp(ExplorerApp):
    """Under run_test Textual leaves out the encoding for the terminal; here it is part of the work."""

    frames = 0
    """How often it has painted."""

    @property
    def is_headless(self) -> bool:
        return False

    def post_display_hook(self) -> None:
        self.frames += 1


@dataclass
class Lags:
    """How much later than planned callbacks came, in seconds."""

    values: list[float] = field(default_factory=list)

    async def measure(self) -> None:
        """Ask for a callback every 10 ms until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + CALLBACK_SECONDS
            await asyncio.sleep(CALLBACK_SECONDS)
            self.values.append(loop.time() - due)

    def __str__(self) -> str:
        ordered = sorted(self.values) or [0.0]

        def percentile(share: float) -> str:
            return f"{1000 * ordered[max(0, math.ceil(share * len(ordered)) - 1)]:.1f}"

        return (
            f"p50 {percentile(0.5)}  p95 {percentile(0.95)}  p99 {percentile(0.99)}  max {1000 * ordered[-1]:.1f} ms"
            f"  ({len(ordered)} callbacks)"
        )


@dataclass
class Flood:
    """One measurement in the making."""

    rate: int
    seconds: float
    length: int
    lags: Lags = field(default_factory=Lags)

    async def into(self, title: str, hub: Hub, session: Session, tick: Callable[[], object]) -> str:
        """Send, wait until what came is taken in; the report. ``tick`` is called 20 times a second."""
        assert isinstance(session.local, tuple)
        processes = [psutil.Process()] + (
            [psutil.Process(hub.client.link.process.pid)] if hub.client.link.process else []
        )
        before = [sum(each.cpu_times()[:2]) for each in processes]
        began = time.monotonic()
        sender = subprocess.Popen(
            [sys.executable, __file__, "--send-to", str(session.local[1]), "--rate", str(self.rate), "--seconds",
             str(self.seconds), "--length", str(self.length)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        measuring = asyncio.create_task(self.lags.measure())
        await self._until_quiet(session, sender, tick)
        passed = time.monotonic() - began
        measuring.cancel()
        after = [sum(each.cpu_times()[:2]) for each in processes]
        output, _ = sender.communicate()
        sent, took = int(output.split()[0]), float(output.split()[1])
        log = session.log
        trimmed = f"kept {log.received - log.dropped:,}, {log.dropped:,} trimmed from the log"
        names = ("this process", "engine")
        used = [
            f"{name} {100 * (end - start) / passed:.0f} %"
            for name, start, end in zip(names, before, after, strict=False)
        ]
        return "\n".join(
            (
                title,
                f"  sent      {sent:>9,}   of {self.length} bytes in {took:.2f} s: {sent / took:,.0f}/s",
                f"  received  {log.received:>9,}   {trimmed}",
                f"  dropped   {session.drops:>9,}   by the kernel, as the engine counted",
                f"  unknown   {sent - log.received - session.drops:>9,}   neither received nor counted",
                f"  loop lag  {self.lags}",
                f"  CPU       {', '.join(used)} of a core over {passed:.1f} s",
            )
        )

    async def _until_quiet(self, session: Session, sender: subprocess.Popen[str], tick: Callable[[], object]) -> None:
        deadline = time.monotonic() + self.seconds + GRACE_SECONDS
        seen, changed = -1, time.monotonic()
        while time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            tick()
            now = session.log.received + session.drops
            if now != seen:
                seen, changed = now, time.monotonic()
            if sender.poll() is not None and time.monotonic() - changed > QUIET_SECONDS:
                return
        sender.kill()


def send(port: int, rate: int, seconds: float, length: int) -> None:
    """Send datagrams at a rate, in bursts of a millisecond; print how many, and in how many seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        payload = os.urandom(length)
        began, sent, total = time.monotonic(), 0, int(rate * seconds)
        while sent < total and (passed := time.monotonic() - began) < 2 * seconds + 1:
            due = min(total, int(passed * rate))
            for _ in range(due - sent):
                sock.send(payload)
            sent = max(sent, due)
            time.sleep(0.001)
        print(sent, time.monotonic() - began)


async def headless(flood: Flood) -> str:
    """An engine, and a client that polls."""
    hub = Hub()
    try:
        session = hub.open(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)))
        while session.state == "opening":
            hub.poll(0.05)
        return await flood.into("engine, polled 20 times a second", hub, session, hub.poll)
    finally:
        hub.shut_down()


async def explorer(flood: Flood) -> str:
    """The explorer with the traffic in view."""
    hub = Hub()
    try:
        app = PaintingApp(hub, Settings(), "inet/udp", "127.0.0.1:0")
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(0.5)
            await pilot.press("b")
            while not hub.sessions or next(iter(hub.sessions.values())).state != "bound":
                await pilot.pause(0.05)
            session = next(iter(hub.sessions.values()))
            await pilot.pause(0.5)
            screen, frames = app.screen, app.frames
            assert isinstance(screen, MainScreen)
            report = await flood.into(f"explorer at {SIZE[0]}×{SIZE[1]}, drawing", hub, session, lambda: None)
            assert screen.traffic.view.line_count(), "the traffic was not in view"
            return f"{report}\n  painted   {app.frames - frames:>9,}   frames"
    finally:
        hub.shut_down()


def main() -> None:
    """Measure both, or be the sender."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100_000, help="datagrams a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--length", type=int, default=64, help="bytes of a datagram")
    parser.add_argument("--send-to", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.send_to:
        send(chosen.send_to, chosen.rate, chosen.seconds, chosen.length)
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    for measure in (headless, explorer):
        print(asyncio.run(measure(Flood(chosen.rate, chosen.seconds, chosen.length))), flush=True)


if __name__ == "__main__":
    main()
