"""What goes by the focus is shown as soon as the focus moves: the frame of its pane, the button that Enter presses."""

from __future__ import annotations

from collections.abc import Callable

from person import Person
from textual.events import DescendantFocus

from sockexplorer.ui.panes.address import AddressPane
from sockexplorer.ui.panes.pane import Pane

People = Callable[..., Person]


def framed(person: Person) -> list[Pane]:
    """The panes whose frame is that of the pane in use."""
    primary = person.app.theme_variables["primary"].lower()
    return [each for each in person.main.panes if each.styles.border_top[1].hex.lower() == primary]


def lit(form: AddressPane) -> set[str]:
    """The buttons that look as if Enter pressed them."""
    plain = form.query_one("#do-sockaddr" if not form.query_one("#do-sockaddr").has_focus else "#do-code")
    shown = [each for each in form.query("Button") if each.display and not each.disabled]
    return {each.id or "" for each in shown if each.styles.background != plain.styles.background}


async def test_one_pane_has_the_frame_of_the_one_in_use(people: People) -> None:
    async with people((120, 40)) as person:
        for key in "134213241":
            await person.press(key)
            pane = person.main.panes[int(key) - 1]
            await person.until(lambda p=pane: framed(person) == [p] and p.has_focus_within, f"the frame of pane {key}")


async def test_the_frame_goes_by_the_focus_not_by_which_message_comes_last(people: People) -> None:
    """Messages of two panes go through different queues: that of the pane that was left may be the later one."""
    async with people((120, 40)) as person:
        await person.press("1")
        left = person.main.focused
        assert left is not None
        await person.press("4")
        assert framed(person) == [person.main.capabilities]
        person.main.post_message(DescendantFocus(left))
        await person.settle()
        assert person.main.capabilities.has_focus_within
        assert framed(person) == [person.main.capabilities]


async def test_a_click_anywhere_in_a_pane_goes_there(people: People) -> None:
    """On its title, too, and on texts that take no focus."""
    async with people((120, 40)) as person:
        panes = person.main.panes
        texts = ("#form-title", panes[1]), ("#traffic-empty", panes[2])
        for target, pane in [*((each, each) for each in panes), *texts]:
            await person.click(target, offset=(4, 0))
            await person.until(lambda p=pane: framed(person) == [p] and p.has_focus_within, f"{pane} by {target}")


async def test_a_click_in_the_pane_in_use_leaves_the_focus_where_it_is(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("remote.port", "9")
        await person.click("#form-title")
        await person.click(person.main.address, offset=(4, 0))
        assert person.field("remote.port").has_focus


async def test_the_button_that_enter_presses_is_told_by_the_field(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("remote.port", "9")
        form = person.main.address
        for name, button in ("local.host", "do-bind"), ("remote.host", "do-connect"), ("local.port", "do-bind"):
            person.field(name).focus()
            await person.settle()
            await person.until(lambda b=button: lit(form) == {b}, f"{button} for {name}")


async def test_of_the_buttons_only_that_with_the_focus_is_lit(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("remote.port", "9")
        form = person.main.address
        for name in "do-connect", "do-code", "do-bind":
            form.query_one(f"#{name}").focus()
            await person.settle()
            await person.until(lambda n=name: lit(form) == {n}, f"only {name}")


async def test_the_bytes_are_those_of_the_field_that_is_typed_in(people: People) -> None:
    async with people((120, 40)) as person:
        await person.choose("inet/udp")
        await person.fill("local.port", "4660")
        await person.fill("remote.port", "22136")
        await person.press("escape", "s")
        for name, octets in ("local.port", "12 34"), ("remote.port", "56 78"), ("local.host", "12 34"):
            person.field(name).focus()
            await person.sees(octets)
