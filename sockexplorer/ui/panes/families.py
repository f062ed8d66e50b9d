"""Pane 1: the choice of family and protocol."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from sockexplorer.core.about import Section, about_protocol
from sockexplorer.core.capability import GLYPHS, Capability, State
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.text import escape
from sockexplorer.families import all_families
from sockexplorer.ui.panes.pane import Pane, ShowMe

Choice = tuple[Family, Protocol | None]
_BEST: tuple[State, ...] = (
    "available", "needs-privilege", "switched-off", "not-loaded", "no-device", "unknown", "not-in-kernel",
    "not-in-python", "other-os",
)  # fmt: skip


FAMILY_WIDE = ("Where it is available", "What usually goes wrong", "What an error means here")
"""Sections that hold for every protocol of a family."""
FEWEST_CELLS = 4
"""With fewer for the words behind a protocol's name there are none."""


class FamilyTree(Tree[Choice]):
    """Families with their protocols; the glyph tells whether this host has them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Choose", id="choose"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("h,left", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("g,home", "scroll_home", "Top", show=False),
        Binding("G,end", "scroll_end", "Bottom", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"families--yes", "families--maybe", "families--no", "families--muted"}

    def __init__(self) -> None:
        super().__init__("families", id="family-tree")
        self.show_root = False
        self.guide_depth = 2
        self.show_guides = False
        self.auto_expand = True
        self.states: dict[str, State] = {}

    def fill(self) -> None:
        """Add every family that there is."""
        for family in all_families():
            self._add(family)
        if self.root.children:
            self.root.children[0].expand()
        self.root.expand()

    def _add(self, family: Family) -> None:
        node = self.root.add(family.constant, (family, None))
        for protocol in family.protocols:
            node.add_leaf(protocol.name, (family, protocol))

    def _state(self, family: Family, protocol: Protocol | None) -> State | None:
        if protocol is not None:
            return self.states.get(f"{family.constant}/{protocol.name}")
        found = [
            self.states[key] for each in family.protocols if (key := f"{family.constant}/{each.name}") in self.states
        ]
        return min(found, key=_BEST.index) if found else None

    def render_label(self, node: TreeNode[Choice], base_style: Style, style: Style) -> Text:
        if node.data is None:
            return Text(str(node.label), style)
        family, protocol = node.data
        state = self._state(family, protocol)
        kind = "yes" if state == "available" else "no" if state and GLYPHS[state] == "○" else "maybe"
        glyph = Text(GLYPHS[state] if state else "·", style + self._tone(f"families--{kind}"))
        muted = style + self._tone("families--muted")
        if protocol is None:
            arrow = "▾ " if node.is_expanded else "▸ "
            return Text.assemble((arrow, style), (f"{family.constant:<12} ", style), glyph, (f" {family.title}", muted))
        names = max(len(each.name) for each in family.protocols)
        # Guides and glyph take nine cells.
        room = self.scrollable_content_region.width - names - 9
        said = escape(protocol.summary, room) if room >= FEWEST_CELLS else ""
        return Text.assemble(("  ", style), glyph, (f" {protocol.name:<{names}}  ", style), (said, muted))

    def _tone(self, name: str) -> Style:
        return Style(color=self.get_component_rich_style(name).color)

    def action_fold(self) -> None:
        node = self.cursor_node
        if node is None:
            return
        if node.is_expanded and node.children:
            node.collapse()
        elif node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)

    def action_unfold(self) -> None:
        node = self.cursor_node
        if node is not None and node.children:
            if node.is_expanded:
                self.move_cursor(node.children[0])
            else:
                node.expand()

    def point_at(self, family: Family, protocol: Protocol) -> None:
        """Put the cursor on a protocol. A family by number comes into the tree with that."""
        if not any(node.data and node.data[0] is family for node in self.root.children):
            self._add(family)
        for node in self.root.children:
            if node.data and node.data[0] is family:
                node.expand()
                for leaf in node.children:
                    if leaf.data and leaf.data[1] is protocol:
                        self.call_after_refresh(self.move_cursor, leaf)


class FamiliesPane(Pane):
    """The tree, and what it says to the rest."""

    NUMBER, TITLE = 1, "Families"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "show_me", "Show me", id="show-me", tooltip="Both ends on this machine, and what they say"),
    ]

    class Pointed(Message):
        """The cursor is on a protocol: its form may be shown."""

        def __init__(self, family: Family, protocol: Protocol) -> None:
            super().__init__()
            self.family = family
            self.protocol = protocol

    class Picked(Pointed):
        """A protocol was chosen: go on to its form."""

    def compose(self) -> ComposeResult:
        yield FamilyTree()
        yield Static(id="family-note")

    def on_mount(self) -> None:
        super().on_mount()
        self.family_tree.fill()

    @property
    def family_tree(self) -> FamilyTree:
        return self.query_one(FamilyTree)

    def home(self) -> FamilyTree:
        return self.family_tree

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show_me":
            return self._demonstrated() is not None
        return super().check_action(action, parameters)

    def _demonstrated(self) -> tuple[Family, Protocol] | None:
        """What is under the cursor, if it has a demonstration."""
        node = self.family_tree.cursor_node
        family, protocol = node.data if node is not None and node.data is not None else (None, None)
        if family is None or protocol is None or protocol.name not in family.demos:
            return None
        return family, protocol

    def action_show_me(self) -> None:
        if (shown := self._demonstrated()) is not None:
            self.post_message(ShowMe(*shown))

    def know(self, capabilities: list[Capability]) -> None:
        """Show what the probe found."""
        self.family_tree.states = {each.name: each.state for each in capabilities}
        self.family_tree.refresh()
        self.family_tree._tree_lines_cached = None
        self.family_tree._line_cache.clear()

    def subject(self) -> tuple[str, list[Section]]:
        node = self.family_tree.cursor_node
        if node is None or node.data is None:
            return "Families", [("", ["Choose a family, then a protocol."])]
        family, protocol = node.data
        sections = about_protocol(family, protocol or family.protocols[0])
        if protocol is None:
            sections = [("", [family.summary, family.help]), *(each for each in sections if each[0] in FAMILY_WIDE)]
        return f"{family.constant}{'/' + protocol.name if protocol else ''} · {family.title}", sections

    @on(Tree.NodeHighlighted)
    def _point(self, event: Tree.NodeHighlighted[Choice]) -> None:
        if event.node.data:
            family, protocol = event.node.data
            title = f"{family.constant}{'/' + protocol.name if protocol else ''} · {family.title}"
            text = (
                f"\n{protocol.help}\n{family.example(protocol)}" if protocol else f"\n{family.summary}\n{family.help}"
            )
            self.refresh_bindings()
            self.query_one("#family-note", Static).update(Content.assemble((title, "bold $primary"), text))
        if event.node.data and event.node.data[1] is not None:
            self.post_message(self.Pointed(event.node.data[0], event.node.data[1]))

    @on(Tree.NodeSelected)
    def _pick(self, event: Tree.NodeSelected[Choice]) -> None:
        if event.node.data and event.node.data[1] is not None:
            self.post_message(self.Picked(event.node.data[0], event.node.data[1]))
