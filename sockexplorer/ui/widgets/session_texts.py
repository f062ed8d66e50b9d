"""What the traffic pane says of the session that it shows: its status, what is amiss, why there are no rows."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from sockexplorer.client.session import Session
from sockexplorer.ui.explain import empty_text
from sockexplorer.ui.status import status_text
from sockexplorer.ui.widgets.session_rows import SessionRows


class StatusLine(Static):
    """The state of the session and of the view, as much as there is room for."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._shown = Content("")

    def show(self, view: SessionRows, rate: float, *, typing: bool) -> None:
        """Tell of a view's session. ``rate`` is in frames a second; of a filter that is ``typing`` its bar tells."""
        session = view.session
        status = Content("") if session is None else status_text(
            session, rate, view.rows.paused_at, following=view.following, behind=view.rows.behind,
            passed=view.rows.matches()[0] if view.filtered and not typing else None, width=self.content_size.width,
        )  # fmt: skip
        if status != self._shown:
            self._shown = status
            self.update(status, layout=False)


class NoticeLine(Static):
    """What is amiss with the session, and the key that mends it; hidden where nothing is."""

    def __init__(self) -> None:
        super().__init__(id="session-notice")
        self.display = False
        self._shown = ""

    def show(self, session: Session | None) -> bool:
        """Tell of a session; whether that is something else than before."""
        notice = session.notice if session is not None else ""
        if notice == self._shown:
            return False
        self._shown = notice
        repair = "; r cuts it there" if session is not None and session.torn else ""
        self.update(Content.styled(f"⚠ {notice}{repair}", "$text-warning"))
        self.display = bool(notice)
        return True


class EmptyText(Static):
    """Why there are no rows; hidden where there are."""

    def __init__(self) -> None:
        super().__init__(id="traffic-empty")
        self._shown: object = None

    def show(self, view: SessionRows, *, filtered: bool) -> None:
        """Tell of a view's session; ``filtered`` says that a filter may leave none of the rows that are there."""
        session, paused_at = view.session, view.rows.paused_at
        empty = session is None or not view.line_count()
        if self.display != empty:
            self.display = empty
        dropped = session is not None and paused_at is not None and session.log.first >= paused_at
        behind = view.rows.behind > 0
        text = empty_text(session, filtered=filtered, behind=behind, paused=dropped) if empty else None
        if text != self._shown:
            self._shown = text
            self.update(text or "")
