"""AF_UNIX: a path or an abstract name. Source: unix(7); ``case AF_UNIX``, read and run (Linux' rules)."""

from __future__ import annotations

import pathlib

from family_tables import (
    OK,
    accepts_silently,
    decides,
    explains,
    fields_read,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    suggests,
    warns,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from sockexplorer.families import family

UNIX = family("unix")

test_plain_forms = reads(
    UNIX,
    ("stream", "/tmp/x.sock", "/tmp/x.sock"),
    ("stream", r"@a\x00b", b"\0a\0b"),
    ("stream", r"\0name", b"\0name"),
    ("stream", r"\x00name", b"\0name"),
    ("stream", "", ""),
    ("stream", "b'\\0x'", b"\0x"),
    ("stream", "'/tmp/x'", "/tmp/x"),
    ("dgram", "(unnamed)", ""),
    # A backslash tells what else would be an abstract name or a literal.
    ("stream", r"\@name", "@name"),
    ("stream", r"\'name", "'name"),
)
test_wrong_plain_forms = misreads(
    UNIX,
    ("stream", r"@\q", "path", "\\q"),
    ("stream", "'/tmp/x", "", "write '/tmp/sockexplorer.sock'"),
)
test_rows = shows(
    UNIX,
    ("/tmp/x.sock", "/tmp/x.sock"),
    (b"\0a\0b", r"@a\x00b"),
    ("@name", r"\@name"),
    ("", "(unnamed)"),
    (None, "(unnamed)"),
    (7, "7"),
)
test_fields = fields_read(
    UNIX,
    ("stream", "path", "", ""),
    ("stream", "path", "@", b"\0"),
    ("stream", "path", "@" + "x" * 107, b"\0" + b"x" * 107),
    ("stream", "path", "@" + "x" * 108, None),
    ("stream", "path", "x" * 108, None),
)
test_the_parser = decides(
    UNIX,
    # Bytes count, not characters; a path needs room for its NUL, an abstract name none.
    ("stream", "x" * 107, OK),
    ("stream", "x" * 108, "OSError: AF_UNIX path too long"),
    ("stream", "é" * 53 + "x", OK),
    ("stream", "é" * 54, "OSError"),
    ("stream", b"\0" * 108, OK),
    ("stream", b"\0" * 109, "OSError"),
    ("stream", "", OK),
    # Any buffer, but no Path and no tuple.
    ("stream", bytearray(b"/tmp/x"), OK),
    ("stream", memoryview(b"/tmp/x y")[::2], "BufferError"),
    ("stream", pathlib.PurePosixPath("/tmp/x"), "TypeError: a bytes-like object is required, not 'PurePosixPath'"),
    ("stream", ("/tmp/x",), "TypeError"),
    ("stream", 7, "TypeError"),
    ("stream", "a\0b", OK),
    ("stream", "\udcff", OK),
    ("stream", "\ud800", "UnicodeEncodeError"),
)
test_refusals = refuses(
    UNIX,
    ("stream", "x" * 108, "path", "at most 107"),
    ("stream", b"\0" * 109, "path", "at most 108"),
    ("stream", "\ud800", "path", "take the lone surrogate out"),
)
test_warnings = warns(
    UNIX,
    ("stream", "@name", "local", "path", "starts with @"),
    ("stream", "/tmp/a\0b", "local", "path", "stops at the NUL: '/tmp/a'"),
    ("stream", "name", "local", "path", "relative"),
    ("stream", "", "local", "path", "chooses an abstract name"),
    ("stream", b"", "local", "path", "chooses an abstract name"),
    ("stream", "", "remote", "path", "not reached"),
)
test_nothing_odd = accepts_silently(
    UNIX,
    ("stream", "/tmp/x", "local"),
    ("stream", b"/tmp/x", "remote"),
    ("stream", b"\0a\0b", "remote"),
    ("stream", b"\0", "local"),
)
test_bytes = packs(
    UNIX,
    # A path ends at its NUL; the bytes of an abstract name all count, and so does how many there are.
    ("stream", "/é", "0100 2fc3a9 00", "/é"),
    ("stream", b"/\xff", "0100 2fff 00", "/\udcff"),
    ("stream", "/a\0b", "0100 2f61 00 62 00", "/a"),
    ("stream", b"\0a", "0100 00 61", b"\0a"),
    ("stream", b"\0a\0", "0100 00 61 00", b"\0a\0"),
    ("stream", b"\0", "0100 00", b"\0"),
    ("stream", "", "0100", ""),
)
test_advice = explains(
    UNIX,
    ("stream", "bind", "EADDRINUSE", "already", "rm"),
    ("stream", "connect", "ECONNREFUSED", "leftover", "start the server"),
    ("stream", "connect", "EPROTOTYPE", "another type", "ss -xlp"),
    ("stream", "connect", "EACCES", "permissions", "ls -ld"),
    ("stream", "connect", "EINVAL", "for bind only", "@name"),
    ("dgram", "send", "EINVAL", "no address", "@name"),
)
test_commands = suggests(
    UNIX,
    ("stream", "/tmp/x", "socat - UNIX-CONNECT:/tmp/x"),
    ("stream", b"\0name", "socat - ABSTRACT-CONNECT:name"),
    ("dgram", b"\0name", "echo hello | socat - ABSTRACT-SENDTO:name"),
)


def test_nobody_and_the_unnamed_differ() -> None:
    """No bytes at all is no address, as ``recvfrom()`` on a stream has it; a family alone is an unbound peer."""
    assert UNIX.unpack(UNIX.protocols[0], b"") is None
    assert UNIX.unpack(UNIX.protocols[0], b"\1\0") == ""


@given(st.binary(max_size=107))
def test_the_plain_form_of_an_abstract_name_comes_back(name: bytes) -> None:
    assert UNIX.plain(UNIX.protocols[0], UNIX.text(b"\0" + name)) == b"\0" + name


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=25))
def test_the_plain_form_of_a_path_comes_back(path: str) -> None:
    assume(path[0] not in "@\0")
    assert UNIX.plain(UNIX.protocols[0], UNIX.text(path)) == path
