"""Hosts of AF_INET and AF_INET6: what CPython's ``setipaddr()`` makes of a string, without asking a resolver.

Only ``getaddrinfo(…, AI_NUMERICHOST)`` is called, which never sends a query (getaddrinfo(3)).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sockexplorer.core.faults import LOOK_UP, Invalid, Raises, typed
from sockexplorer.core.fields import Kind
from sockexplorer.core.text import escape

Class = Literal["any", "broadcast", "numeric", "loose", "name", "other-family", "impossible", "type"]
_NAME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,254}\Z")
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
EXAMPLE = {4: "127.0.0.1", 6: "::1"}
UNKNOWN = Raises("gaierror", f"[Errno {int(socket.EAI_NONAME)}] Name or service not known", LOOK_UP)
OTHER_FAMILY = Raises("gaierror", "[Errno -9] Address family for hostname not supported", LOOK_UP)
MISMATCH = Raises("OSError", "address family mismatched", LOOK_UP)


def as_text(host: object) -> str:
    """The host as CPython hands it to the resolver: bytes decoded, other scripts through the ``idna`` codec.

    Raises `Invalid` for a type, a NUL or a name that CPython refuses.
    """
    if isinstance(host, bytes | bytearray):
        text = bytes(host).decode("latin-1")
    elif isinstance(host, str):
        text = str(host)
        # CPython spares an exact ASCII str the codec, which refuses what a resolver would only not find ("a..b").
        if type(host) is not str or not text.isascii():
            try:
                text = text.encode("idna").decode("ascii")
            except UnicodeError:
                raise Invalid(
                    "can't be encoded as a host name (IDNA)",
                    "use an ASCII name or a number",
                    Raises("TypeError", "encoding of hostname failed"),
                ) from None
    else:
        name = type(host).__name__
        raise Invalid(
            f"{typed(host)} is not a host",
            "write a str such as '127.0.0.1'",
            Raises("TypeError", f"str, bytes or bytearray expected, not {name}"),
        )
    if "\0" in text:
        raise Invalid(
            "has an embedded null character",
            "take the NUL out of the host",
            Raises("TypeError", "host name must not contain null character"),
        )
    return text


def numeric(host: str, version: int) -> str | None:
    """What glibc reads the host as, when it can without a query: a normal numeric host, or None."""
    try:
        # As bytes, for a str would pass the idna codec, which CPython spares a host given as bytes.
        raw = host.encode("latin-1")
        found = socket.getaddrinfo(raw, None, _FAMILY[version], flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])


def classify(host: object, version: int) -> Class:
    """Sort a host by what CPython would do with it.

    ``numeric`` is the strict form; ``loose`` is what glibc takes besides (``127.1``, octal, a scope with ``%``);
    ``name`` would be looked up; ``impossible`` fails without a query; ``other-family`` is a literal of the other
    version; ``type`` is no host at all.
    """
    try:
        text = as_text(host)
    except Invalid:
        return "type"
    if not text:
        return "any"
    if text in ("<broadcast>", "255.255.255.255"):
        return "broadcast" if version == 4 else "other-family"
    try:
        socket.inet_pton(_FAMILY[version], text)
    except OSError:
        pass
    else:
        return "numeric"
    if numeric(text, version) is not None:
        return "loose"
    # Of another family glibc does not look whether a zone exists; a mapped IPv4 address is of both.
    bare = text.partition("%")[0] if version == 4 else text
    if numeric(bare, 10 - version) is not None and (bare == text or numeric(bare, version) is None):
        return "other-family"
    if text == ".":
        return "name"  # the root: glibc asks for it
    labels = text.removesuffix(".").split(".")
    if not _NAME.match(text) or any(not 1 <= len(label) <= 63 for label in labels):
        return "impossible"
    if version == 4 and re.fullmatch(r"[\d.]*\d", text):
        return "impossible"
    return "name"


@dataclass(frozen=True)
class Host(Kind):
    """The host element: a numeric address, ``''`` for all, or a name that needs a lookup."""

    version: int

    @property
    def offers(self) -> str:  # type: ignore[override]
        return "local-hosts" if self.version == 4 else "local-hosts6"

    def read(self, text: str) -> str:
        text = text.strip()
        return text[1:-1] if text.startswith("[") and text.endswith("]") else text

    def show(self, value: object) -> str:
        return bytes(value).decode("latin-1") if isinstance(value, bytes | bytearray) else str(value)

    def check(self, value: object) -> None:
        as_text(value)
        kind = classify(value, self.version)
        if kind == "other-family":
            if as_text(value) in ("<broadcast>", "255.255.255.255"):
                raise Invalid("is an IPv4 broadcast address", "write ff02::1, all nodes of a link", MISMATCH)
            other = "AF_INET6" if self.version == 4 else "AF_INET"
            mapped = "" if self.version == 4 else ", or write ::ffff:1.2.3.4"
            raise Invalid(f"is an address of {other}", f"choose that family{mapped}", OTHER_FAMILY)
        if kind == "impossible":
            raise self._impossible(as_text(value))

    def _impossible(self, text: str) -> Invalid:
        host, colon, port = text.rpartition(":")
        if self.version == 4 and colon and port.isdecimal() and classify(host, 4) in ("numeric", "name"):
            return Invalid("has a port in it", f"write {host} here, and {port} as the port", UNKNOWN)
        if re.fullmatch(r"[\d.]+", text):
            return Invalid("is not an IPv4 address", "write four numbers from 0 to 255, such as 192.0.2.1", UNKNOWN)
        if "%" in text:
            zone = escape(text.partition("%")[2])
            return Invalid(f"has the zone {zone!r}, which this host does not know here", "put it in scope_id", UNKNOWN)
        return Invalid("is neither an address nor a host name", f"write {EXAMPLE[self.version]} or a name", UNKNOWN)

    def takes(self) -> str:
        return f"an IPv{self.version} address such as {EXAMPLE[self.version]}, '' for all of this host's, or a name"

    def notices(self, value: object) -> Iterator[str]:
        kind = classify(value, self.version)
        if kind == "name":
            yield "a host name needs a lookup when the socket opens, and the answer may differ each time"
        elif kind == "loose":
            text = as_text(value)
            if "%" in text and self.version == 4:
                yield "the zone after '%' means nothing here and is dropped"
            elif ":" in text and self.version == 4:
                yield f"an IPv4 address as IPv6 writes it: read as {numeric(text, 4)}"
            elif "%" not in text:
                yield f"glibc reads this as {numeric(text, self.version)}: short and octal forms are rarely meant"
        elif isinstance(value, str) and not value.isascii():
            yield f"CPython reads this as {as_text(value)!r}"
