"""What a watch counts when its time is over amid a flood."""

from __future__ import annotations

import time

import pytest
from support import Desk, udp

from sockexplorer.cli.output import Output
from sockexplorer.cli.printer import Printer
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_thread
from sockexplorer.client.recorder import Recorder


def test_frames_that_were_recorded_are_counted_though_the_time_is_over() -> None:
    hub, stop = Hub(start_thread), Stop()
    try:
        desk = Desk(hub)
        session = desk.open("inet/udp", local=("127.0.0.1", 0))
        with udp() as sock:
            for _ in range(40):
                sock.sendto(b"x", session.local)  # type: ignore[arg-type]
        desk.until(lambda: session.log.received == 40, "40 frames")
        written: list[object] = []
        recorder = Recorder(written.extend)
        printer = Printer(Output(stop), stop, None, "text", recorder, quiet=True)
        printer.end_by = time.monotonic() - 1
        block = next(session.log.blocks(0, 40))
        with pytest.raises(Stopped):
            printer.take_block(session, block)
        assert printer.number == recorder.recording.written == block.last - block.first > 0
        assert len(written) > 1
    finally:
        hub.shut_down()
