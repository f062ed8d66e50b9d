"""Payloads in the protocol's own notation: the composer writes CAN frames as can-utils do, and rows show them so."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from person import Person
from support import PATIENCE, needs
from textual.widgets import Button, Input

from sockexplorer.core.canframes import read_frame
from sockexplorer.ui.widgets.composer import Composer

People = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.mark.optional_on_this_host(reason="few kernels have CAN")
async def test_a_frame_is_written_and_shown_as_can_utils_do(people: People) -> None:
    needs("can/raw")
    with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as peer:
        peer.settimeout(PATIENCE)
        try:
            peer.bind(("vcan0",))
        except OSError as error:
            pytest.skip(f"no vcan0: {error}")
        async with people((100, 30)) as person:
            session = await person.open("can/raw", "bind")
            peer.send(read_frame("12345678#1122"))
            await person.sees("12345678#1122")
            person.main.traffic.view.move_to(0)
            await person.show_details()
            await person.sees("it was sent on this host", "can_id")
            await person.press("escape", "s")
            composer = person.app.screen.query_one(Composer)
            payload = composer.query_one("#composer-payload", Input)
            assert payload.value.startswith(r"\x23\x01")
            await person.press("ctrl+t", "ctrl+t")
            assert (composer.mode, str(composer.query_one("#composer-mode", Button).label)) == ("frame", "frame")
            assert payload.value == "123#68656C6C6F"
            payload.value = "123#NO"
            await person.sees("are no bytes")
            payload.value = "321#DEADBEEF"
            await person.settle()
            await person.press("enter")
            await person.until(lambda: session.log.sent == 1, "the frame")
            assert peer.recv(16) == read_frame("321#DEADBEEF")
            await person.sees("321#DEADBEEF")
            await person.press("ctrl+t")
            assert composer.mode == "text"
