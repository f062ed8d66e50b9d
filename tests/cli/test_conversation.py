"""A verb's session: every frame comes out once, whatever ends the verb."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

import pytest
from support import udp, wait

from sockexplorer.capture.block import Block
from sockexplorer.capture.log import Frame
from sockexplorer.cli import conversation as conversations
from sockexplorer.cli.conversation import conversation
from sockexplorer.cli.stopping import Stop, Stopped
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import Endpoint


@pytest.mark.parametrize("by_block", [True, False])
def test_what_was_taken_when_it_was_time_to_stop_is_not_taken_again(by_block: bool) -> None:
    taken: list[bytes] = []
    stops = 0

    def stop_now_and_then() -> None:
        nonlocal stops
        if len(taken) % 3 == 0 and stops < 5:
            stops += 1
            raise Stopped

    def on_frame(session: Session, frame: Frame) -> None:
        taken.append(frame.payload)
        stop_now_and_then()

    def on_block(session: Session, block: Block) -> bool:
        if not by_block:
            return False
        taken.extend(block.part(index) for index in range(block.last - block.first))
        stop_now_and_then()
        return True

    with Stop() as stop, conversation(stop, on_frame, on_block) as talk, udp() as sock:
        talk.open(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)))
        assert isinstance(talk.session.local, tuple)

        def pump(wanted: int) -> bool:
            try:
                talk.pump()
            except Stopped:
                talk.pump()
            return len(taken) >= wanted

        for number in range(6):
            for part in range(3):
                sock.sendto(b"%d" % (3 * number + part), talk.session.local)
            wait(partial(pump, 3 * number + 3), "three more")
    assert stops == 5
    assert [int(each) for each in taken] == list(range(18))


def test_who_closes_a_listener_is_not_told_that_it_waits_for_a_peer(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        patch.object(conversations, "LONG_SECONDS", 0), Stop() as stop,
        conversation(stop, lambda session, frame: None) as talk,
    ):  # fmt: skip
        talk.open(Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", 0)))
        wait(lambda: talk.pump(patience=0) or talk.session.waits, "accept()")
        talk.close()
        assert talk.session.state == "closed"
        talk.pump()
    assert "waits" not in capsys.readouterr().err


def test_a_block_stands_until_the_pause_that_follows_it() -> None:
    """Whoever writes several at once has views of memory that the engine fills again when the log forgets them."""
    handed: list[Block] = []
    held: list[tuple[int, int]] = []

    def on_block(session: Session, block: Block) -> bool:
        handed.append(block)
        return True

    def on_pause() -> None:
        if handed:
            held.append((handed[0].first, talk.session.log.first))
            handed.clear()

    with Stop() as stop, conversation(stop, lambda session, frame: None, on_block, on_pause) as talk, udp() as sock:
        talk.open(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)))
        assert isinstance(talk.session.local, tuple)
        sock.sendto(b"x", talk.session.local)
        wait(lambda: talk.pump() and talk.session.log.received, "the frame")
    assert held
    assert all(first == kept for first, kept in held)
