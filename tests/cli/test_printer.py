"""What a watch counts when its time is over amid a flood."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support import Desk, rows, udp

from sockexplorer.cli import printer
from sockexplorer.cli.output import Output
from sockexplorer.cli.printer import ONLY_RECORDED, RECORDING, Printer
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.cli.watch import summary
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_thread
from sockexplorer.client.recorder import Recorder
from sockexplorer.client.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that has received 40 datagrams."""
    hub = Hub(start_thread)
    try:
        desk = Desk(hub)
        made = desk.open("inet/udp", local=("127.0.0.1", 0))
        with udp() as sock:
            for _ in range(40):
                sock.sendto(b"x", made.local)  # type: ignore[arg-type]
        desk.until(lambda: made.log.received == 40, "40 frames")
        yield made
    finally:
        hub.shut_down()


def test_frames_that_were_recorded_are_counted_though_the_time_is_over(session: Session) -> None:
    stop = Stop()
    written: list[object] = []
    recorder = Recorder(written.extend)
    quiet = Printer(Output(stop), stop, None, "text", recorder, quiet=True)
    quiet.end_by = time.monotonic() - 1 - RECORDING
    block = next(session.log.blocks(0, 40))
    with pytest.raises(Stopped):
        quiet.take_block(session, block)
    assert quiet.number == recorder.recording.written == block.last - block.first > 0
    assert len(written) > 1


def test_the_last_line_tells_what_was_recorded_only_and_what_was_neither(session: Session) -> None:
    dropped = "; the kernel dropped 0"
    assert summary(session, 40, 40) == summary(session, 40) == f"40 frames{dropped}"
    assert summary(session, 8) == f"8 frames, 32 more not printed{dropped}"
    assert summary(session, 0, 0) == f"0 frames, 40 more not recorded{dropped}"
    assert summary(session, 8, 40) == f"8 frames, 32 more recorded, not printed{dropped}"
    assert summary(session, 8, 30) == f"8 frames, 22 more recorded, not printed, 10 more not recorded{dropped}"


def test_what_there_is_no_time_to_print_is_recorded(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printing takes far longer: a watch that is stopped amid a flood has much that waits."""
    monkeypatch.setattr(printer, "TOGETHER", 8)
    stop = Stop()
    recorder = Recorder(lambda blocks: None)
    slow = Printer(Output(stop), stop, None, "text", recorder)
    slow.end_by = time.monotonic() - 1
    for frame in (frame for frame in rows(session)[:20] if not frame.event):
        slow.take(session, frame)
    block = next(session.log.blocks(20, 40))
    assert slow.take_block(session, block)
    slow.flush(last=True)
    assert capsys.readouterr().err == f"{ONLY_RECORDED}\n", "who pressed Ctrl-C is told what it waits for"
    assert (slow.number, recorder.recording.written) == (8, slow.taken)
    assert slow.taken > block.last - block.first
    slow.end_by -= RECORDING
    with pytest.raises(Stopped):
        slow.take_block(session, block)
