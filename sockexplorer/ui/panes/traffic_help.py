"""The help on the traffic: what a session is, how its rows are filtered, what their signs mean."""

from __future__ import annotations

from sockexplorer.capture.log import Frame
from sockexplorer.client.session import Session
from sockexplorer.core.about import Section, about_protocol
from sockexplorer.ui.clock import frames
from sockexplorer.ui.columns import KINDS
from sockexplorer.ui.explain import buffer_text

FILTER_HELP = [
    'hello   "two words"     the payload, what the row shows of it, the peer or the event has this',
    r"GET\r\n\x00             what a row shows so: bytes, too, are found by what stands for them",
    "/GET .* HTTP/           a regular expression over the same",
    "hex:de ad               these bytes",
    'dir==in  len>100  peer~"192."  n>=7  event==reset     == != < <= > >=, and ~ for: contains',
    "protocol==udp           what its column shows; of links the ethertype: protocol==arp",
    "peer~/^10[.]/           a regular expression over one of them",
    'comment~"retry"         what a capture file has as a comment on it',
    "time>=14:05  time<2026-07-28T14:05:30.5    the time of day, or a moment",
    "nl.type==RTM_NEWLINK  can.id==0x123  can.pgn==61444   what a decoder reads; tab completes the name",
    "anc.IP_TTL<64  anc.credentials.pid==12  anc.descriptors   what came beside it; a name alone: that it came",
    "and  or  not  ( )       and may be left out; && || ! are the same",
]
"""Each line a way to say which rows to see."""
GO = "Going to a row: :"
GO_HELP = [
    "1234   50%                     that row, or the one half way",
    "14:05  14:05:30.25             the first that is as late, on the day of the row under the cursor",
    "2026-07-28T14:05  1785240300.5 the same for a moment; the latter in seconds since 1970",
    "+12.5                          seconds since the first row",
]
"""Each line a way to say which row to go to."""
SIGNS_HELP = [f"{signs:<12}{words}" for signs, words in KINDS.values()]


def about_traffic(session: Session | None, current: Frame | None, *, filtering: bool) -> tuple[str, list[Section]]:
    """Title and sections; ``current`` is the row under the cursor, ``filtering`` whether the filter is typed."""
    if session is None:
        return "Traffic", [("", ["Open a socket in pane 2: what it receives and sends appears here."])]
    if session.state == "file":
        held = frames(len(session.log))
        told = [f"{session.growing}: {held} so far" if session.growing else f"a capture file of {held}"]
        told += [session.notice] if session.notice else []
        spoken = session.spoken(current) if current is not None else None
        about = about_protocol(*spoken) if spoken is not None else []
        return session.title, [("", told), ("The filter", FILTER_HELP), (GO, GO_HELP), ("Rows", SIGNS_HELP), *about]
    remote = "none, it is not connected" if session.remote is None else repr(session.remote)
    where = [f"local   {session.local!r}", f"remote  {remote}"]
    where.append(buffer_text(session))
    if session.packets is not None:
        where.append(f"kernel  {session.packets} packets, {session.drops} of them dropped")
    about = about_protocol(session.family, session.protocol)
    if filtering:
        return "The filter", [("", FILTER_HELP), *about]
    here = [("", where), ("The filter", FILTER_HELP), (GO, GO_HELP), ("Rows", SIGNS_HELP), *about]
    return f"{session.title} · {session.state}", here
