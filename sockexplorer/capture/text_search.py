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
MOST_REPEATED = 50_000
"""Characters that one may ask for by its counts: to compile it takes a microsecond and 250 bytes for each."""
_SIZED = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(?P<count>\d+)[^}]*\}|.", re.DOTALL)


def compile_regex(pattern: str) -> Pattern:
    """Compile what stands between slashes. Raises `FilterError`."""
    import regex

    if _repeated(pattern) > MOST_REPEATED:
        raise FilterError(
            f"the regular expression is wrong: it asks for more than {MOST_REPEATED:,} characters; "
            "repeat less, or ask for the length, as in len>1000"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "[[a]" warns on stderr, which is somebody's screen
            return regex.compile(pattern.replace(r"\/", "/"), regex.IGNORECASE | regex.DOTALL)
    except (regex.error, ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise FilterError(f"the regular expression is wrong: {error}") from None


def _repeated(pattern: str) -> int:
    """How many characters a regular expression asks for at least, those of alternatives together."""
    sizes, last = [0], 0
    for token in _SIZED.finditer(pattern):
        if token[0] == "(":
            sizes.append(0)
        elif token[0] == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif token["count"]:
            # A count of zero may be written behind any size; the digits of a huge one may be more than int() takes.
            times = int(token["count"]) if len(token["count"]) < 9 else 10**9
            sizes[-1] += last * (max(1, times) - 1)
            last *= max(1, times)
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


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
