"""What is known of one frame: a tree of fields beside the bytes, each leading to the other."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal

from sockexplorer.capture.log import Frame
from sockexplorer.client.session import Session
from sockexplorer.ui.facts import fact_at, facts_of
from sockexplorer.ui.widgets.field_tree import FieldTree
from sockexplorer.ui.widgets.hexdump import HexDump
from sockexplorer.ui.widgets.lines import LineView

IN_ROWS = " tab: fields "
IN_FIELDS = " space: fold   a: filter   tab: bytes   shift+tab: rows "
IN_BYTES = " arrows: byte by byte   shift+tab: fields "
"""What its border says of the keys, by where the person is: the footer has no room for them."""


class Details(Horizontal):
    """Fields on the left, bytes on the right: a field marks its bytes, a byte finds its field."""

    def __init__(self) -> None:
        super().__init__(id="details")
        self.border_title = IN_ROWS

    def compose(self) -> ComposeResult:
        yield FieldTree()
        yield HexDump()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.border_title = IN_BYTES if isinstance(event.widget, HexDump) else IN_FIELDS

    def on_descendant_blur(self) -> None:
        self.border_title = IN_ROWS

    def show(self, frame: Frame | None, session: Session | None) -> None:
        """Show a frame of a session, or nothing."""
        tree, dump = self.query_one(FieldTree), self.query_one(HexDump)
        if frame is None or session is None:
            tree.show(())
            dump.data = b""
            return
        tree.show(facts_of(frame, session))
        dump.data = frame.payload
        dump.display = any(each.has_bytes for each in tree.facts)
        self._mark()

    def _mark(self) -> None:
        """Show the bytes of the field under the cursor; those of the payload where it has none."""
        tree, dump = self.query_one(FieldTree), self.query_one(HexDump)
        fact = tree.current
        if fact is None:
            return
        data = fact.data if fact.has_bytes else next((each.data for each in reversed(tree.facts) if each.data), b"")
        if dump.data is not data:
            dump.data = data
        dump.mark(fact.start, fact.end) if fact.has_bytes else dump.mark(0, 0)

    @on(LineView.Moved)
    def _field_moved(self, event: LineView.Moved) -> None:
        event.stop()
        if event.view is self.query_one(FieldTree):
            self._mark()

    @on(HexDump.ByteMoved)
    def _byte_moved(self, event: HexDump.ByteMoved) -> None:
        event.stop()
        tree, dump = self.query_one(FieldTree), self.query_one(HexDump)
        found = fact_at(tree.facts, dump.data, dump.byte)
        if found is None:
            dump.mark(0, 0)
            return
        tree.point_at(found)
        dump.mark(tree.facts[found].start, tree.facts[found].end, show=False)
