"""How a text or a regular expression is searched in a frame: in its payload, and in what is shown of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterError, FilterTooSlow, Predicate, Shown
from sockexplorer.core.payload import PayloadError, from_text

if TYPE_CHECKING:
    from regex import Pattern as RegexPattern

    Pattern = RegexPattern[str]

SEARCH_SECONDS = 0.05
"""How long one regular expression may search one frame."""


def compile_regex(pattern: str) -> Pattern:
    """Compile what stands between slashes. Raises `FilterError`."""
    import regex

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "[[a]" warns on stderr, which is somebody's screen
            return regex.compile(pattern.replace(r"\/", "/"), regex.IGNORECASE | regex.DOTALL)
    except (regex.error, ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise FilterError(f"the regular expression is wrong: {error}") from None


def unquote(text: str) -> str:
    """What stands between quotes, without the escapes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def escaped(text: str) -> str | bytes | None:
    """What a text with a row's escapes stands for: a text, bytes that are none, or None where it has no escapes."""
    if "\\" not in text:
        return None
    try:
        meant = from_text(text)
    except PayloadError:
        return None
    try:
        return meant.decode()
    except UnicodeDecodeError:
        return meant


def _texts(frame: Frame, shown: Shown) -> tuple[str, str, str]:
    return shown.peer(frame.peer), str(frame.meta.get("text", "")), shown.payload(frame)


def contains_text(text: str, shown: Shown) -> Predicate:
    """Whether a frame has a text, in any case."""
    wanted = text.lower()
    wanted_bytes = wanted.encode("utf-8", "surrogatepass")
    ascii_only = wanted.isascii()
    headed = shown.headings.may(text)

    def contains(frame: Frame) -> bool:
        if wanted_bytes in frame.payload.lower():
            return True
        if not ascii_only and wanted in frame.payload.decode("utf-8", "replace").lower():
            return True
        if any(wanted in each.lower() for each in _texts(frame, shown)):
            return True
        return headed and wanted in shown.headings.of(frame).lower()

    return contains


def searcher(pattern: Pattern) -> Callable[[str], bool]:
    """Whether a text has a match; it raises `FilterTooSlow`."""

    def found(text: str) -> bool:
        try:
            return pattern.search(text, timeout=SEARCH_SECONDS) is not None
        except TimeoutError:
            raise FilterTooSlow(
                "this regular expression takes too long on what was received; use fewer * and +"
            ) from None

    return found


def matches_regex(pattern: Pattern, shown: Shown) -> Predicate:
    """Whether a frame has a match, of its bytes as Latin-1; it raises `FilterTooSlow`."""
    found = searcher(pattern)

    def matches(frame: Frame) -> bool:
        return found(frame.payload.decode("latin-1")) or any(
            found(each) for each in (*_texts(frame, shown), shown.headings.of(frame)) if each
        )

    return matches
