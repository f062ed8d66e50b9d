"""CAN frames at the screen: found by what a decoder reads, counted by parameter group, marked in the bytes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest
from person import Person
from support import needs

from sockexplorer.ui.widgets.field_tree import FieldTree
from sockexplorer.ui.widgets.hexdump import HexDump

People = Callable[..., Person]
pytestmark = pytest.mark.optional_on_this_host("kernels are built without AF_CAN, and have a vcan0 in the lab only")
EEC1 = 0x98F00401
"""The engine's speed, parameter group 61444 of SAE J1939-71, from address 1."""


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_parameter_group_is_found_among_frames(people: People, size: tuple[int, int]) -> None:
    needs("can/raw")
    async with people(size) as person:
        session = await person.open("can/raw", "bind", local_interface="vcan0")
        with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as bus:
            bus.bind(("vcan0",))
            for identifier in (0x123, EEC1, 0x7FF, EEC1):
                bus.send(struct.pack("=IB3x8s", identifier, 8, bytes(range(8))))
        await person.until(lambda: session.log.received == 4)
        view = person.main.traffic.view
        await person.press("/", *"can.pgn==61444", "enter")
        await person.until(lambda: view.line_count() == 2)
        await person.sees("18F00401#")
        await person.press("S", "tab", "tab")
        await person.sees("raw PGN 61444", "raw SFF", "50.0%")
        await person.press("escape")
        await person.show_details()
        tree, dump = person.main.query_one(FieldTree), person.main.query_one(HexDump)
        tree.focus()
        await person.settle()
        while tree.current is None or tree.current.name != "can_id":
            await person.press("j")
        assert struct.unpack("=I", dump.data[dump.marked.start : dump.marked.stop]) == (EEC1,)
