"""The same through a real terminal: the raw bytes that the application writes hold nothing that came from outside."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from pty_app import PtyApp

from sockexplorer.ui.ending import RESTORE

CANARIES = [
    b"\x1b]0;PWNED\x07", b"\x1b]52;c;UFdORUQ=\x07", b"\x1bP+q544e\x1b\\", b"\x1b[5n\x1b[c\x1bZ", b"\x1b[?1049l",
    b"\x9b5n\x9d0;PWNED\x9c", "\u009b5n\u009d0;PWNED\u009c".encode(), b"\a\a\a", b"\x05\x7f", b"\x0e\x0f",
    "\u202eevil\u2066".encode(), b"a\xe2\x80\x8bb", b"\r\n\v\f\b", b"[@click=app.quit]x[/]", b"[/nope]",
]  # fmt: skip
# What Textual itself writes: CSI sequences, and the few others of its start and end.
OWN = re.compile(rb"\x1b(\[[0-9;?<>=$ ]*[a-zA-Z~@u]|[78=>]|\(B|P[^\x1b]*\x1b\\|\][^\x1b\x07]*(\x1b\\|\x07))")

ESCAPE = b"\x1b"
ROW = "‹pid".encode()
"""What a row has at its end, and nothing else."""


def whole(output: bytes) -> bytes:
    """What was written without a piece that has no end: who is too slow with quitting is cut off by the watchdog."""
    before, cut, after = output.rpartition(RESTORE.encode())
    return re.sub(rb"(\x1b[^a-zA-Z~]*|[\xc2-\xf4][\x80-\xbf]*)\Z", b"", before) + cut + after


def test_no_byte_from_outside_acts_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with PtyApp("unix/dgram", str(path), size=(200, 60)) as app:
        app.shows(b" Code")
        app.write(b"\r")
        app.until(path.exists, "the socket")
        for number, canary in enumerate(CANARIES):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                peer.bind(b"\0" + canary[:60] + b"%d" % number)
                peer.sendto(canary + b" PAYLOAD%02d" % number, str(path))
            app.shows(b"PAYLOAD%02d" % number)
        app.shows(b"0000  ")  # The details, which have room beside the rows.
        # Up, copy, the composer, help, the filter; escape leaves each, and the details at the end.
        for key, told in (
            (b"k", b"0000  "), (b"k", b"0000  "), (b"k", b"0000  "), (b"y", b"\x1b]52;"), (b"s", b"Text/hex"),
            (ESCAPE, b"Details"), (b"?", b"Back"), (ESCAPE, ROW), (b"/", b"To the rows"), (ESCAPE, b"Details"),
            (ESCAPE, b"PAYLOAD00"),
        ):  # fmt: skip
            app.press(key, told)
        copied = app.output
        app.write(b"q")
        assert app.ended() == 0, "nothing ran an action, and q still quits"
    # y copies by OSC 52: base64 of a safe text.
    text = re.sub(rb"\x1b\]52;c;[A-Za-z0-9+/=]*(\x07|\x1b\\)", b"", whole(app.output))
    assert b"PWNED\x07" not in text
    assert b"\x1b]" not in OWN.sub(b"", text)
    rest = OWN.sub(b"", text)
    assert not re.findall(rb"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]", rest)
    assert not re.search(rb"\x1b\][02];", text), "no title is set"
    shown = rest.decode()  # UTF-8, all of it: no bare C1 byte
    assert not any("\x80" <= char <= "\x9f" or char in "\u202e\u2066\u200b" for char in shown)
    assert b"\x1b[?1049l" not in copied, "the alternate screen was never left"
