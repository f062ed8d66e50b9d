"""What a watch counts when its time is over amid a flood."""

from __future__ import annotations

import time

import pytest
from support import Desk, rows, udp

from sockexplorer.cli import printer
from sockexplorer.cli.output import Output
from sockexplorer.cli.printer import RECORDING, Printer
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
        quiet = Printer(Output(stop), stop, None, "text", recorder, quiet=True)
        quiet.end_by = time.monotonic() - 1 - RECORDING
        block = next(session.log.blocks(0, 40))
        with pytest.raises(Stopped):
            quiet.take_block(session, block)
        assert quiet.number == recorder.recording.written == block.last - block.first > 0
        assert len(written) > 1
    finally:
        hub.shut_down()


def test_what_there_is_no_time_to_print_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing takes far longer: a watch that is stopped amid a flood has much that waits."""
    monkeypatch.setattr(printer, "TOGETHER", 8)
    hub, stop = Hub(start_thread), Stop()
    try:
        desk = Desk(hub)
        session = desk.open("inet/udp", local=("127.0.0.1", 0))
        with udp() as sock:
            for _ in range(40):
                sock.sendto(b"x", session.local)  # type: ignore[arg-type]
        desk.until(lambda: session.log.received == 40, "40 frames")
        recorder = Recorder(lambda blocks: None)
        slow = Printer(Output(stop), stop, None, "text", recorder)
        slow.end_by = time.monotonic() - 1
        for frame in (frame for frame in rows(session)[:20] if not frame.event):
            slow.take(session, frame)
        block = next(session.log.blocks(20, 40))
        assert slow.take_block(session, block)
        slow.flush(last=True)
        assert (slow.number, recorder.recording.written) == (8, slow.taken)
        assert slow.taken > block.last - block.first
        slow.end_by -= RECORDING
        with pytest.raises(Stopped):
            slow.take_block(session, block)
    finally:
        hub.shut_down()
