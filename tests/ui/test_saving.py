"""Saving the traffic of every session from the explorer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from person import Person
from textual.widgets import Input

from sockexplorer.capture.reading import records
from sockexplorer.client.opened import Opened

People = Callable[..., Person]


async def test_everything_is_in_one_file_and_no_file_is_replaced(people: People, tmp_path: Path) -> None:
    path, there = tmp_path / "all.pcapng", tmp_path / "there"
    there.write_text("precious")
    async with people((120, 40)) as person:
        await person.choose("unix/stream")
        person.main.address.focus_action()
        await person.settle()
        await person.press("m")
        await person.sees("2 ● unix/stream", "hello yourself", "accepted")
        said = [each.log.received + each.log.sent for each in person.hub.sessions.values()]
        await person.press("ctrl+s")
        await person.sees("Save the traffic", "sockexplorer open FILE")
        for name in (there, tmp_path / "no" / "such"):
            person.app.screen.query_one(Input).value = str(name)
            await person.press("enter")
            await person.sees("there is such a file" if name is there else "No such file")
        person.app.screen.query_one(Input).value = str(path)
        await person.press("enter")
        await person.sees(f"{sum(said)} frames in")
    assert there.read_text() == "precious"
    opened = Opened()
    with path.open("rb") as file:
        frames = [opened.frame(each) for each in records(file.read)]
    assert len(frames) == sum(said) > 2
    assert {each.meta["socket"] for each in frames} == {"unix/stream"}
    assert any(b"hello yourself" in each.payload for each in frames)
    assert {each.outgoing for each in frames} == {True, False}


async def test_a_person_may_change_their_mind(people: People) -> None:
    async with people((80, 24)) as person:
        await person.press("ctrl+s")
        await person.settle()
        assert "Save the traffic" not in person.screen
        await person.choose("inet/udp")
        person.main.address.focus_action()
        await person.settle()
        await person.press("m")
        await person.sees("2 ● inet/udp")
        await person.press("ctrl+s")
        await person.sees("Save the traffic")
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "the main screen")
