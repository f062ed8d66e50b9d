"""Colour rules: made on a screen, kept in the settings, the first that matches colours a row and marks it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from person import Person
from test_rows_shown import row
from test_traffic_pane import with_frames

from sockexplorer.ui.rules import MOST, Painter, Rule
from sockexplorer.ui.screens.rules import RuleList, RulesScreen
from sockexplorer.ui.settings import Settings, load
from sockexplorer.ui.widgets.filter_bar import FilterLine

People = Callable[..., Person]


def signs(person: Person) -> list[str]:
    """What stands before each row."""
    return [row(person, index)[0] for index in range(person.main.traffic.view.line_count())]


async def test_a_rule_is_made_checked_and_kept(
    people: People, size: tuple[int, int], peer: socket.socket, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('theme = "nord"\n[keys]\nsend = "s"\n')
    async with people(size, settings=load(file)) as person:
        await with_frames(person, peer, 5)
        assert not row(person, 0).startswith("①")
        await person.press("C")
        await person.sees("the first rule that matches", "errors, resets", "⇠ ⇢", "a adds a rule")
        assert {"Add", "Back"} <= person.offered()
        assert not {"Change", "Remove", "Up", "Next colour"} & person.offered()
        await person.press("a", *"can.png==1")
        await person.sees("did you mean can.pgn?")
        line = person.app.screen.query_one(FilterLine)
        assert line.has_class("-wrong")
        await person.press("enter")
        assert line.display, "what is wrong is not taken"
        line.value = "n>=4"
        await person.sees("✓ enter takes it")
        assert line.has_class("-right")
        await person.press("enter")
        await person.sees("① red", "n>=4")
        await person.press("a", *"n==5")
        await person.press("ctrl+t", "enter")
        await person.sees("② yellow", "n==5")
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main)
        assert signs(person) == [" ", " ", " ", "①", "①"]
        await person.press("C", "j", "K", "escape")
        await person.until(lambda: person.app.screen is person.main)
        assert signs(person) == [" ", " ", " ", "②", "①"], "the first that matches"
    assert load(file) == Settings("nord", keys={"send": "s"}, rules=(Rule("n==5", "yellow"), Rule("n>=4", "red")))
    async with people(size, settings=load(file)) as person:
        await with_frames(person, peer, 5)
        assert signs(person) == [" ", " ", " ", "②", "①"]
        await person.press("C", "enter")
        line = person.app.screen.query_one(FilterLine)
        assert line.value == "n==5"
        line.value = "n==1"
        await person.press("enter", "j", "d", "escape")
        await person.until(lambda: person.app.screen is person.main)
        assert signs(person) == ["①", " ", " ", " ", " "]
    assert load(file).rules == (Rule("n==1", "yellow"),)


async def test_tab_goes_from_the_filter_to_the_colours_and_enter_still_takes_the_rule(
    people: People, peer: socket.socket
) -> None:
    """What the note promises holds; the line is never open without the keys that close it."""
    async with people((80, 24)) as person:
        await with_frames(person, peer, 5)
        await person.press("C", "a", *"le", "tab")
        line = person.app.screen.query_one(FilterLine)
        assert line.value == "len", "while there is something to complete, tab takes it"
        await person.press(*">1")
        await person.sees("✓ enter takes it, tab goes through the colours")
        await person.press("tab", "tab", "shift+tab")
        assert line.has_focus
        await person.press("enter")
        await person.sees("① orange", "len>1")
        await person.press("a", *"n==5")
        await person.click(person.app.screen.query_one(RuleList), offset=(20, 3))
        assert not line.display, "who goes to the rules has left the line"
        await person.press("escape")
        await person.until(lambda: person.app.screen is person.main, "one escape leads back")
        assert signs(person) == ["①"] * 5


async def test_a_rule_colours_the_row_and_no_other(people: People, peer: socket.socket) -> None:
    async with people((120, 40)) as person:
        await with_frames(person, peer, 3)
        view = person.main.traffic.view
        before = [view.line(index, 100) for index in range(3)]
        view.set_rules((Rule("n==2", "purple"),))
        after = [view.line(index, 101)[1:] for index in range(3)]
        assert [style for _, style in after[0]] == [style for _, style in before[0]]
        said = next(style for text, style in after[1] if "frame 1" in text)
        assert said.color not in [style.color for _, style in before[1]]
        view.set_rules((Rule("protocol!=udp", "red"), Rule("protocol==udp n==3", "purple")))
        assert signs(person) == [" ", " ", "②"]
        view.set_rules(())
        assert [view.line(index, 100) for index in range(3)] == before


async def test_only_rows_that_are_drawn_are_tested_and_once(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 200)
        view = person.main.traffic.view
        view.set_rules((Rule("frame", "blue"),))
        await person.settle()
        painter = view._painter
        assert painter is not None
        await person.until(lambda: painter._looked)
        assert painter._looked[0] <= 24 < 200
        looked = painter._looked[0]
        view.refresh()
        await person.settle()
        assert painter._looked[0] == looked


async def test_a_rule_that_is_too_slow_is_given_up_and_told(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        peer.sendto(b"a" * 5000 + b"!", person.session.local)
        await person.until(lambda: person.session.log.received == 3)
        slow, quick = Rule("/(a|aa)+$/", "red"), Rule("n>=0", "green")
        view = person.main.traffic.view
        view.set_rules((slow, quick))
        await person.sees("A colour rule was given up", "it takes too long")
        assert view._given_up == {slow}
        assert signs(person) == ["②"] * 3, "the other rules hold"
        await person.press("C", "escape")
        await person.until(lambda: person.app.screen is person.main)
        assert view._given_up == {slow}, "what was not changed is not tried again"


async def test_a_rule_in_the_settings_that_is_wrong_is_told_and_shown(
    people: People, peer: socket.socket, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[[rule]]\nfilter = "n>x"\ncolour = "red"\n[[rule]]\nfilter = "n==1"\ncolour = "green"\n')
    settings = load(file)
    assert settings.problems == ("rule 1: 'x' is not a number such as 1000 or 0x3e8",)
    async with people((120, 40), settings=settings) as person:
        await with_frames(person, peer, 2)
        assert signs(person) == ["②", " "]
        await person.press("C")
        await person.sees("✗ n>x: 'x' is not a number")
        await person.press("escape")
    assert "n>x" in file.read_text()


async def test_there_are_only_so_many_rules(people: People, peer: socket.socket) -> None:
    rules = tuple(Rule(f"n=={number}", "red") for number in range(1, MOST + 1))
    async with people((80, 24), settings=Settings(rules=rules)) as person:
        await with_frames(person, peer, MOST)
        assert row(person, MOST - 1).startswith("⑳")
        await person.press("C", "a")
        await person.sees(f"{MOST} rules at most")
        await person.press("escape")
        await person.until(lambda: not isinstance(person.app.screen, RulesScreen))


async def test_a_painter_forgets_before_it_grows(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        painter = Painter((Rule("n==2", "red"),), person.session, lambda rule: None)
        painter._found.update(dict.fromkeys(range(10, 10_000), 0))
        assert [painter.rule_of(1), painter.rule_of(2)] == [-1, 0]
        assert len(painter._found) == 2
