"""Every style of a row can be read, on every background that a row may have, in every theme; else a sign tells."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from person import Person
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style
from test_traffic_pane import with_frames

from sockexplorer.capture.log import Frame
from sockexplorer.core.frames import Flag
from sockexplorer.ui.columns import EVENT_GLYPH, KINDS, row_kind, row_sign
from sockexplorer.ui.contrast import BLACK, LEAST, WHITE, contrast, readable
from sockexplorer.ui.rules import COLOURS, Rule
from sockexplorer.ui.widgets.field_tree import FieldTree
from sockexplorer.ui.widgets.hexdump import HexDump
from sockexplorer.ui.widgets.lines import LineView

People = Callable[..., Person]
TONES = (*KINDS, "text", "muted", *COLOURS)
EVENTS = {
    "error": "problem", "reset": "problem", "dropped": "warning", "unkept": "warning", "unsent": "warning",
    "timeout": "warning", "accepted": "event", "closed": "event", "option-changed": "event",
    "by-number": "event", "connected": "event", "waits": "event",
}  # fmt: skip


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == 1
    # Values that the standard's own examples are checked with.
    assert contrast(ColorTriplet(0x77, 0x77, 0x77), WHITE) == pytest.approx(4.48, abs=0.01)
    assert contrast(ColorTriplet(0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)


def test_a_colour_is_changed_no_more_than_it_must() -> None:
    dark, light = Color.parse("#202020"), Color.parse("#f0f0f0")
    fine = Color.parse("#d0d0d0")
    assert readable(fine, (dark,)) == fine
    for ground in (dark, light):
        changed = readable(Color.parse("#808080"), (ground,))
        assert changed is not None
        assert changed.triplet is not None
        assert ground.triplet is not None
        assert LEAST <= contrast(changed.triplet, ground.triplet) < LEAST + 0.7
    own = Color.parse("red")
    assert readable(own, (dark,)) == own, "nobody knows what a terminal's own red is"
    assert readable(fine, (Color.default(),)) == fine


def too_faint(theme: str, styles: list[Style]) -> list[str]:
    """Those that can't be read, with their ratios."""
    found = []
    for style in styles:
        assert style.color is not None
        assert style.bgcolor is not None
        ratio = contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())
        if ratio < LEAST:
            found.append(f"{theme}: {style} {ratio:.2f}")
    return found


def drawn(view: LineView) -> list[Style]:
    """The styles of the lines in sight, as they go out."""
    return [
        segment.style
        for y in range(view.line_count())
        for segment in view.render_line(y)
        if segment.style and segment.text.strip()
    ]


async def test_every_style_can_be_read_in_every_theme(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 9)
        await person.press("/", *"n>=4", "enter", "h")
        view = person.main.traffic.view
        await person.until(lambda: view.rows.matches()[0] == 6)
        view.set_rules((Rule("n==5", "pink"), Rule("n==2", "grey"), Rule("n==9", "yellow")))
        person.app.console._color_system = ColorSystem.TRUECOLOR
        poor = list[str]()
        themes = [each for each in person.app.available_themes if not each.startswith("ansi")]
        assert len(themes) > 15
        for theme in themes:
            person.app.theme = theme
            for focused in (True, False):
                view.focus() if focused else person.main.set_focus(None)
                await person.settle()
                view.go_to_match(-1)
                assert len(set(view.backgrounds())) == 3, "a row, the cursor and a match differ"
                styles = [Style(color=view._tone(each).color, bgcolor=b) for each in TONES for b in view.backgrounds()]
                poor += too_faint(theme, [*styles, *drawn(view)])
        assert not poor, "\n".join(poor)


async def test_in_sixteen_colours_nothing_vanishes(people: People, peer: socket.socket) -> None:
    sixteen = ColorSystem.STANDARD
    async with people((80, 24)) as person:
        await with_frames(person, peer, 9)
        view = person.main.traffic.view
        await person.press("/", *"n>=4", "enter", "h", "g")
        view.set_rules((Rule("n==5", "pink"), Rule("n==2", "grey")))
        person.app.console._color_system = sixteen
        for theme in person.app.available_themes:
            person.app.theme = theme
            for focused in (True, False):
                view.focus() if focused else person.main.set_focus(None)
                await person.settle()
                for style in [*drawn(view), *(Style(color=view._tone(each).color) for each in TONES)]:
                    ground = style.bgcolor or view.rich_style.bgcolor
                    assert style.color is not None
                    assert ground is not None
                    alike = style.color.downgrade(sixteen) == ground.downgrade(sixteen)
                    assert not alike or style.color.is_default, f"{theme}: {style}"
                reverse = [any(s.style and s.style.reverse for s in view.render_line(y)) for y in range(9)]
                assert reverse == [y == view.cursor for y in range(9)], f"{theme}: the cursor shows"


async def test_marked_bytes_can_be_read_in_every_theme(people: People, peer: socket.socket) -> None:
    async with people((80, 24)) as person:
        await with_frames(person, peer, 2)
        await person.show_details()
        tree, dump = person.main.query_one(FieldTree), person.main.query_one(HexDump)
        tree.focus()
        await person.settle()
        await person.press("G")
        assert len(dump.marked) == len(dump.data) > 0
        person.app.console._color_system = ColorSystem.TRUECOLOR
        poor: list[str] = []
        for theme in (each for each in person.app.available_themes if not each.startswith("ansi")):
            person.app.theme = theme
            await person.settle()
            poor += too_faint(theme, drawn(dump))
        assert not poor, "\n".join(poor)
        person.app.console._color_system = ColorSystem.STANDARD
        dump.focus()
        await person.settle()
        digits = [each for each in dump.render_line(0) if each.text in ("66", "72")]
        reverse = [bool(each.style and each.style.reverse) for each in digits]
        assert reverse == [False, True], "of what is marked the byte under the cursor stands out"


def test_each_kind_has_signs_of_its_own() -> None:
    def frame(flags: int, event: str = "") -> Frame:
        return Frame(0, 0, 4, 0, flags, b"data", {"event": event} if event else {})

    seen: dict[str, set[str]] = {}
    frames = [frame(Flag.EVENT | Flag.META, each) for each in EVENTS]
    for direction in (0, Flag.OUT):
        frames += [frame(direction | cut) for cut in (0, Flag.TRUNCATED, Flag.CONTROL_TRUNCATED)]
    for each in frames:
        seen.setdefault(row_kind(each), set()).add(row_sign(each))
    assert set(seen) == set(KINDS)
    assert {event: row_kind(frame(Flag.EVENT | Flag.META, event)) for event in EVENTS} == EVENTS
    assert EVENT_GLYPH not in {row_sign(each) for each in frames}, "each kind of event has a sign of its own"
    signs = [sign for each in seen.values() for sign in each]
    assert len(signs) == len(set(signs)), "no sign stands for two kinds"
    for kind, those in seen.items():
        assert those <= set(KINDS[kind][0].split()), "the list of rules names them"  # type: ignore[index]
