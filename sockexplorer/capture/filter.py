"""The filter line: which frames a person wants to see.

    hello                 the payload, what the row shows of it, the peer or the event contains this, in any case
    "two words"           the same, with blanks; or 'two words'
    /GET .* HTTP/         a regular expression over the payload (bytes as Latin-1) and the shown text
    hex:de ad be          these bytes
    dir==in  len>100  peer~"192."  n>=500  event==accepted  comment~"retry"
    time>=14:05  time<2026-07-28T14:05:30.5    the time of day, or a moment; of here, unless it ends with Z or +02:00
    nl.type==RTM_NEWLINK  can.pgn==61444     a field that a decoder reads; of several values one is enough
    peer~/^10[.]|^192[.]/    a regular expression over a name or a decoded field
    and  or  not  ( )     `and` may be left out; && || ! are the same

The grammar is lark's; a filter compiles to a predicate over `Frame`.
"""

from __future__ import annotations

import difflib
import operator
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sockexplorer.capture.log import Frame
from sockexplorer.capture.misread import assignment, reason
from sockexplorer.capture.moments import clock_of, read_time
from sockexplorer.core.payload import PayloadError, from_hex

if TYPE_CHECKING:
    from lark import Lark
    from regex import Pattern as RegexPattern

    Pattern = RegexPattern[str]

Predicate = Callable[[Frame], bool]
Compare = Callable[[Any, Any], Any]
PeerName = Callable[[int], str]
Decoded = Mapping[str, Sequence[tuple[str, int | None]]]
"""The fields of a payload by name: the text of each value, and its number where it is one."""


class Vocabulary(NamedTuple):
    """The names of the fields that decoders give; under an open prefix any name may come."""

    names: frozenset[str] = frozenset()
    open_prefixes: tuple[str, ...] = ()


class Test(NamedTuple):
    """What a part of a filter asks, for those who can answer it for many frames at once.

    ``all``, ``any``, ``not``: of ``parts``. ``outgoing``: of a bool. ``length``, ``number``, ``time``, ``clock``:
    ``compare(it, value)``; time in ns since the epoch, clock in ns since midnight, of here. ``peer``, ``event``: of a
    function of the name. ``bytes``: the payload has them. ``text``: the payload, or what is shown of a frame, has this
    text of ASCII in any case. ``other``: ask the predicate.
    """

    kind: str
    value: Any = None
    compare: Compare = operator.eq
    parts: tuple[Test, ...] = ()


OTHER = Test("other")


class Compiled:
    """A predicate that tells what it asks."""

    __slots__ = ("_holds", "test")

    def __init__(self, holds: Predicate, test: Test = OTHER) -> None:
        self._holds = holds
        self.test = test

    def __call__(self, frame: Frame) -> bool:
        return self._holds(frame)


class Headings(NamedTuple):
    """What rows say of frames ahead of their bytes, as a link's do: ``of`` a frame, and whether a text ``may`` be in
    one. Of most texts the answer is no, and no heading is made."""

    of: Callable[[Frame], str]
    may: Callable[[str], bool]


class Shown(NamedTuple):
    """What a view knows of a frame beside the bytes: its peer's name, its payload summed up, and decoded."""

    peer: PeerName
    payload: Callable[[Frame], str]
    fields: Callable[[Frame], Decoded]
    vocabulary: Vocabulary
    headings: Headings


GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: negated ([_AND] negated)*
?negated: _NOT negated -> negation
        | "(" either ")"
        | comparison
        | REGEX -> regex
        | HEX -> hex_bytes
        | STRING -> quoted
        | WORD -> word
comparison: FIELD OPERATOR value
?value: STRING -> quoted_value
      | REGEX -> regex_value
      | WORD -> plain_value
_OR.1: /or(?![^\s()"])|\|\|/i
_AND.1: /and(?![^\s()"])|&&/i
_NOT.1: /not(?![^\s()"])|!(?!=)/i
FIELD.3: /[a-z_][\w-]*(\.[\w-]+)*(?=\s*(==|!=|>=|<=|>|<|~))/i
OPERATOR.3: /==|!=|>=|<=|>|<|~/
REGEX.2: /\/(?:[^\/\\]|\\.)+\/(?!(?!&&|\|\|)[^\s()])/
HEX.2: /hex:[ ]?[0-9a-f]{1,2}(?:[ :]?[0-9a-f]{2})*(?![0-9a-z])/i
STRING.2: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'(?!(?!&&|\|\|)[^\s()])/
WORD.-1: /(?:(?!&&|\|\|)[^\s()"])+/
%import common.WS
%ignore WS
"""
DEEPEST = 50
"""A predicate calls itself once a level, beneath an interface that is deep in calls already."""
FIELDS = ("dir", "len", "peer", "n", "event", "time", "comment")
_ALSO = ("direction", "length")
_NO_VOCABULARY = Vocabulary()
NO_HEADINGS = Headings(lambda frame: "", lambda text: False)
_OPERATORS: dict[str, Compare] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


SEARCH_SECONDS = 0.05
"""How long one regular expression may search one frame."""


class FilterError(ValueError):
    """A filter that can't be read; the message says where and why."""


class FilterTooSlow(FilterError):
    """A regular expression that takes too long on a frame; raised by the predicate, not by `compile_filter`."""


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def compile_filter(
    text: str,
    peer_name: PeerName,
    summary: Callable[[Frame], str] = lambda frame: "",
    fields: Callable[[Frame], Decoded] = lambda frame: {},
    vocabulary: Vocabulary = _NO_VOCABULARY,
    headings: Headings = NO_HEADINGS,
) -> Compiled | None:
    """The predicate of a filter; None for an empty one, which shows everything. Raises `FilterError`.

    ``peer_name`` gives the shown name of a peer's number, ``summary`` what stands in a row for its payload, if not the
    bytes, ``fields`` what is decoded of it. A field that is not in the ``vocabulary`` is an error.
    """
    if not text.strip():
        return None
    if why := assignment(text, {*FIELDS, *_ALSO, *vocabulary.names}):
        raise FilterError(why)
    from lark import LarkError, UnexpectedInput

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        column = 0 if ended else getattr(error, "column", 0)
        place = f"at character {column}" if isinstance(column, int) and column > 0 else "at the end"
        why = reason(text)
        told = f": {why}" if why else "; try: hello  /regex/  dir==in  len>100  peer~192."
        raise FilterError(f"not understood {place}{told}") from None
    except LarkError as error:
        raise FilterError(str(error)) from None
    return _compile(tree, Shown(peer_name, summary, fields, vocabulary, headings), 0)


def _compile(node: Any, shown: Shown, depth: int) -> Compiled:
    if depth > DEEPEST:
        raise FilterError(f"nested more than {DEEPEST} deep")
    kind = node.data
    if kind in ("either", "both"):
        parts = [_compile(each, shown, depth + 1) for each in node.children if hasattr(each, "data")]
        quantifier = any if kind == "either" else all
        tests = tuple(part.test for part in parts)
        return Compiled(
            lambda frame: quantifier(part(frame) for part in parts), Test(quantifier.__name__, parts=tests)
        )  # fmt: skip
    if kind == "negation":
        inner = _compile(node.children[0], shown, depth + 1)
        return Compiled(lambda frame: not inner(frame), Test("not", parts=(inner.test,)))
    if kind == "regex":
        return Compiled(_matches(_regex(str(node.children[0])[1:-1]), shown))
    if kind == "hex_bytes":
        try:
            wanted = from_hex(str(node.children[0])[4:])
        except PayloadError as error:
            raise FilterError(str(error)) from None
        return Compiled(lambda frame: wanted in frame.payload, Test("bytes", wanted))
    if kind in ("word", "quoted"):
        text = str(node.children[0])
        if kind == "word" and text.lower().startswith("hex:"):
            raise FilterError(f'hex: takes bytes of two digits each, as in hex:de ad; the text is found by "{text}"')
        text = _unquote(text) if kind == "quoted" else text
        known = text.isascii() and not shown.headings.may(text)
        return Compiled(_contains(text, shown), Test("text", text) if known else OTHER)
    return _comparison(node, shown)


def _regex(pattern: str) -> Pattern:
    import regex

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "[[a]" warns on stderr, which is somebody's screen
            return regex.compile(pattern.replace(r"\/", "/"), regex.IGNORECASE | regex.DOTALL)
    except (regex.error, ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise FilterError(f"the regular expression is wrong: {error}") from None


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _texts(frame: Frame, shown: Shown) -> tuple[str, str, str]:
    return shown.peer(frame.peer), str(frame.meta.get("text", "")), shown.payload(frame)


def _contains(text: str, shown: Shown) -> Predicate:
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


def _search(pattern: Pattern) -> Callable[[str], bool]:
    def found(text: str) -> bool:
        try:
            return pattern.search(text, timeout=SEARCH_SECONDS) is not None
        except TimeoutError:
            raise FilterTooSlow(
                "this regular expression takes too long on what was received; use fewer * and +"
            ) from None

    return found


def _matches(pattern: Pattern, shown: Shown) -> Predicate:
    found = _search(pattern)

    def matches(frame: Frame) -> bool:
        return found(frame.payload.decode("latin-1")) or any(
            found(each) for each in (*_texts(frame, shown), shown.headings.of(frame)) if each
        )

    return matches


def _comparison(node: Any, shown: Shown) -> Compiled:
    field, symbol = str(node.children[0]).lower(), str(node.children[1])
    token, kind = str(node.children[2].children[0]), node.children[2].data
    value = _unquote(token) if kind == "quoted_value" else token
    if field in ("len", "length", "n"):
        return _numeric("number" if field == "n" else "length", symbol, value)
    if field in ("dir", "direction"):
        direction = value.lower()
        if direction not in ("in", "out") or symbol not in ("==", "!="):
            raise FilterError("a direction is compared so: dir==in, dir==out, dir!=in")
        wanted = (direction == "out") == (symbol == "==")
        return Compiled(lambda frame: not frame.event and frame.outgoing is wanted, Test("outgoing", wanted))
    if field == "time":
        return _timed(symbol, value)
    if field not in ("peer", "event", "comment"):
        _check_name(field, f"{field}{symbol}{value}", shown.vocabulary)
    if kind == "regex_value":
        if symbol != "~":
            raise FilterError(f"a regular expression is compared with ~: {field}~{token}")
        return _by_regex(field, _search(_regex(token[1:-1])), shown)
    if field in ("peer", "event", "comment"):
        return _textual(field, symbol, value, shown)
    return Compiled(_decoded(field, symbol, value, shown))


def _by_regex(field: str, found: Callable[[str], bool], shown: Shown) -> Compiled:
    if field == "peer":
        return Compiled(lambda frame: found(shown.peer(frame.peer)), Test("peer", found))
    if field == "event":
        return Compiled(lambda frame: found(frame.event), Test("event", found))
    if field == "comment":
        return Compiled(lambda frame: any(map(found, _comments(frame))))
    return Compiled(lambda frame: any(found(text) for text, _ in shown.fields(frame).get(field, ())))


def _timed(symbol: str, value: str) -> Compiled:
    if symbol == "~":
        raise FilterError("times are compared with == != < <= > >=")
    compare = _OPERATORS[symbol]
    try:
        moment = read_time(value)
    except ValueError:
        raise FilterError(
            f"{value!r} is no time; there are 14:05, 14:05:30.25, 2026-07-28T14:05:30, seconds since the epoch"
        ) from None
    if moment.of_day:
        return Compiled(
            lambda frame: compare(clock_of(frame.time), moment.nanoseconds), Test("clock", moment.nanoseconds, compare)
        )  # fmt: skip
    return Compiled(lambda frame: compare(frame.time, moment.nanoseconds), Test("time", moment.nanoseconds, compare))


def _check_name(field: str, comparison: str, vocabulary: Vocabulary) -> None:
    if field in vocabulary.names or field.partition(".")[0] in vocabulary.open_prefixes:
        return
    near = difflib.get_close_matches(field, [*FIELDS, *_ALSO, *vocabulary.names], 1, 0.7)
    siblings = sorted(each for each in vocabulary.names if each.startswith(f"{field.partition('.')[0]}."))
    there_are = f"did you mean {near[0]}?" if near else f"there are {', '.join(siblings[:12] or FIELDS)}"
    raise FilterError(f'there is no field {field}; {there_are} (the text is found by "{comparison[:40]}")')


def _decoded(field: str, symbol: str, value: str, shown: Shown) -> Predicate:
    wanted, number = value.lower(), _number(value)
    if symbol == "~":
        return lambda frame: any(wanted in text.lower() for text, _ in shown.fields(frame).get(field, ()))
    if symbol in ("==", "!="):
        equal = symbol == "=="

        def same(each: tuple[str, int | None]) -> bool:
            text, its = each
            return its == number if its is not None and number is not None else text.lower() == wanted

        def compared(frame: Frame) -> bool:
            values = shown.fields(frame).get(field, ())
            return bool(values) and any(map(same, values)) is equal

        return compared
    if number is None:
        raise FilterError(f"{value!r} is not a number")
    compare = _OPERATORS[symbol]
    return lambda frame: any(its is not None and compare(its, number) for _, its in shown.fields(frame).get(field, ()))


def _number(text: str) -> int | None:
    try:
        return int(text, 0) if len(text) < 25 else None
    except ValueError:
        return None


def _numeric(attribute: str, symbol: str, value: str) -> Compiled:
    if symbol == "~":
        raise FilterError("numbers are compared with == != < <= > >=")
    try:
        number = int(value, 0)
    except ValueError:
        raise FilterError(f"{value!r} is not a number") from None
    compare = _OPERATORS[symbol]
    test = Test(attribute, number, compare)
    if attribute == "length":
        return Compiled(lambda frame: not frame.event and compare(frame.length, number), test)
    return Compiled(lambda frame: compare(frame.number, number), test)


def _textual(field: str, symbol: str, value: str, shown: Shown) -> Compiled:
    wanted = value.lower()
    if symbol not in ("==", "!=", "~"):
        raise FilterError(f"{field} is compared with ==, != or ~ (contains)")

    def is_wanted(name: str) -> bool:
        return wanted in name.lower() if symbol == "~" else (name.lower() == wanted) is (symbol == "==")

    if field == "peer":
        return Compiled(lambda frame: is_wanted(shown.peer(frame.peer)), Test("peer", is_wanted))
    if field == "comment":
        every = all if symbol == "!=" else any
        return Compiled(lambda frame: every(map(is_wanted, _comments(frame))))
    return Compiled(lambda frame: is_wanted(frame.event), Test("event", is_wanted))


def _comments(frame: Frame) -> list[str]:
    """The comments that a capture file has on a frame."""
    found = frame.meta.get("comments", ())
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
