r"""The filter line: which frames a person wants to see.

    hello                 the payload, what the row shows of it, the peer or the event contains this, in any case
    "two words"           the same, with blanks; or 'two words'
    GET\r\n\x00           the bytes that a row shows so
    /GET .* HTTP/         a regular expression over the payload (bytes as Latin-1) and the shown text
    hex:de ad be          these bytes
    dir==in  len>100  peer~"192."  n>=500  event==accepted  comment~"retry"
    protocol==udp         as the row's column says, so of a link the ethertype: protocol==arp; proto is the same
    time>=14:05  time<2026-07-28T14:05:30.5    the time of day, or a moment; of here, unless it ends with Z or +02:00
    nl.type==RTM_NEWLINK  can.pgn==61444     a field that a decoder reads; of several values one is enough
    anc.IP_TTL<64  anc.credentials.pid==12  anc.descriptors    what came beside it, or that it came
    peer~/^10[.]|^192[.]/    a regular expression over a name or a decoded field
    and  or  not  ( )     `and` may be left out; && || ! are the same

The grammar is lark's; a filter compiles to a predicate over `Frame`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from sockexplorer.capture import ancillary_fields
from sockexplorer.capture.comparisons import ALSO, FIELDS, comparison, presence
from sockexplorer.capture.foreign import foreign
from sockexplorer.capture.log import Frame
from sockexplorer.capture.misread import assignment, reason
from sockexplorer.capture.needed_text import needed
from sockexplorer.capture.predicate import (
    NO_HEADINGS,
    OTHER,
    Compiled,
    Decoded,
    FilterError,
    Headings,
    PeerName,
    Shown,
    Test,
    Vocabulary,
)  # fmt: skip
from sockexplorer.capture.text_search import (
    compile_regex,
    contains_text,
    escaped,
    matches_regex,
    searcher,
    unquote,
)  # fmt: skip

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: negated ([_AND] negated)*
?negated: _NOT negated -> negation
        | "(" either ")"
        | comparison
        | REGEX -> regex
        | HEX -> hex_bytes
        | PRESENT -> present
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
PRESENT.2: /anc(\.[\w-]+)+(?!(?!&&|\|\|)[^\s()])/i
HEX.2: /hex:[ ]?[0-9a-f]{1,2}(?:[ :-]?[0-9a-f]{2})*(?![0-9a-z])/i
STRING.2: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'(?!(?!&&|\|\|)[^\s()])/
WORD.-1: /(?:(?!&&|\|\|)[^\s()"])+/
%ignore /\s+/
"""
DEEPEST = 50
"""A predicate calls itself once a level, beneath an interface that is deep in calls already."""
_NO_VOCABULARY = Vocabulary()


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
    protocol: Callable[[Frame], str] = lambda frame: "",
) -> Compiled | None:
    """The predicate of a filter; None for an empty one, which shows everything. Raises `FilterError`.

    ``peer_name`` gives the shown name of a peer's number, ``summary`` what stands in a row for its payload, if not the
    bytes, ``fields`` what is decoded of it, ``protocol`` the shown name of its protocol. A field that is not in the
    ``vocabulary`` is an error.
    """
    if not text.strip():
        return None
    names = {*FIELDS, *ALSO, *ancillary_fields.LOWER, *vocabulary.names}
    if why := assignment(text, names) or foreign(text, names):
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
    return _compile(tree, Shown(peer_name, summary, fields, vocabulary, headings, protocol), 0)


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
        return _matches(str(node.children[0])[1:-1], shown)
    if kind == "hex_bytes":
        digits = re.sub(r"[ :-]", "", str(node.children[0])[4:])
        if len(digits) % 2:
            raise FilterError(f"{digits!r} has an odd number of digits; two make a byte")
        return _has_bytes(bytes.fromhex(digits))
    if kind == "present":
        return presence(node)
    if kind in ("word", "quoted"):
        text = str(node.children[0])
        if kind == "word" and text.lower().startswith("hex:"):
            raise FilterError(f'hex: takes bytes of two digits each, as in hex:de ad; the text is found by "{text}"')
        return _free_text(*((unquote(text), text[1:-1]) if kind == "quoted" else (text, text)), shown)
    return comparison(node, shown)


def _free_text(text: str, written: str, shown: Shown) -> Compiled:
    """What has a text, or the bytes for which a row shows what was ``written``: for CR LF it is ``\\r\\n``."""
    literally, meant = _has_text(text, shown), escaped(written)
    if meant is None or meant == text:
        return literally
    other = _has_text(meant, shown) if isinstance(meant, str) else _has_bytes(meant)
    return Compiled(lambda frame: literally(frame) or other(frame), Test("any", parts=(literally.test, other.test)))


def _has_text(text: str, shown: Shown) -> Compiled:
    return Compiled(contains_text(text, shown), _text_test(text, shown) if text.isascii() else OTHER)


def _text_test(text: str, shown: Shown) -> Test:
    """Asks whether a frame has a text of ASCII."""
    test, wanted = Test("text", text), text.lower()
    if not shown.headings.may(text):
        return test
    return Test("any", parts=(test, Test("heading", lambda frame: wanted in shown.headings.of(frame).lower())))


def _matches(expression: str, shown: Shown) -> Compiled:
    """What matches a regular expression. Most frames are known not to: they have not got a text that is needed."""
    pattern = compile_regex(expression)
    texts = [_text_test(each, shown) for each in needed(pattern.pattern)]
    # Of names it is asked itself: letters that are no ASCII may be the same as some that are, in another case.
    test = Test("any", parts=(Test("peer", searcher(pattern)), Test("all", parts=(*texts, OTHER))))
    return Compiled(matches_regex(pattern, shown), test if texts else OTHER)


def _has_bytes(wanted: bytes) -> Compiled:
    return Compiled(lambda frame: wanted in frame.payload, Test("bytes", wanted))
