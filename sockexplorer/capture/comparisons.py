"""What a filter's comparisons ask: ``dir==in``, ``len>100``, ``peer~"192."``, ``time>=14:05``, ``can.pgn==61444``."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterable
from typing import Any

from sockexplorer.capture import ancillary_fields
from sockexplorer.capture.foreign import of_wireshark
from sockexplorer.capture.log import Frame
from sockexplorer.capture.moments import UNTIMED, clock_of, read_time
from sockexplorer.capture.predicate import (
    BESIDE,
    Compare,
    Compiled,
    Decoded,
    FilterError,
    Predicate,
    Shown,
    Test,
    Vocabulary,
)  # fmt: skip
from sockexplorer.capture.text_search import compile_regex, searcher, unquote

FIELDS = ("dir", "len", "peer", "protocol", "n", "event", "time", "comment")
ALSO = ("direction", "length", "proto")
_OF_TEXT = ("peer", "protocol", "event", "comment")
LONGEST = 40
"""Characters of a number, at most."""
_OPERATORS: dict[str, Compare] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def comparison(node: Any, shown: Shown) -> Compiled:
    """What a node of the grammar asks: a field, an operator, a value. Raises `FilterError`."""
    field, symbol = str(node.children[0]).lower(), str(node.children[1])
    token, kind = str(node.children[2].children[0]), node.children[2].data
    value = unquote(token) if kind == "quoted_value" else token
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
    field = "protocol" if field == "proto" else field
    beside = field.startswith(ancillary_fields.PREFIX)
    if beside:
        _check_ancillary(field, f"{field}{symbol}{value}")
    elif field not in _OF_TEXT:
        _check_name(field, symbol, value, shown.vocabulary)
    fields = ancillary_fields.values_of if beside else shown.fields
    if kind == "regex_value" and symbol != "~":
        raise FilterError(f"a regular expression is compared with ~: {field}~{token}")
    found = searcher(compile_regex(token[1:-1])) if kind == "regex_value" else None
    if field in _OF_TEXT:
        passes = found or _text_test(field, symbol, value)
        return _named(field, passes, shown, all if symbol == "!=" else any)
    if kind != "regex_value" and symbol in ("==", "!="):
        _check_word(field, value, shown.vocabulary.words.get(field, ()))
        if field in shown.vocabulary.numbers and _number(value.partition(" ")[0]) is None:
            raise FilterError(
                f"{value!r} is no number such as 61444 or 0xF004; a part of its name is found by {field}~{value[:40]}"
            )
    holds = _matched(field, found, fields) if found else _decoded(field, symbol, value, fields)
    if beside:
        return Compiled(holds, BESIDE)
    return Compiled(holds, Test("head" if field in shown.vocabulary.in_heads else "fields", holds))


def presence(node: Any) -> Compiled:
    """Whether a frame has ancillary data of a name. Raises `FilterError`."""
    name = str(node.children[0])
    field = name.lower()
    _check_ancillary(field, name)
    return Compiled(lambda frame: field in ancillary_fields.values_of(frame), BESIDE)


def _named(
    field: str, passes: Callable[[str], bool], shown: Shown, quantifier: Callable[[Iterable[bool]], bool] = any
) -> Compiled:
    """Whether the name or the text passes that a frame has; of its comments any, or all."""
    if field == "peer":
        return Compiled(lambda frame: passes(shown.peer(frame.peer)), Test("peer", passes))
    if field == "protocol":
        return Compiled(lambda frame: not frame.event and passes(shown.protocol(frame)), Test("protocol", passes))
    if field == "event":
        return Compiled(lambda frame: passes(frame.event), Test("event", passes))
    return Compiled(lambda frame: quantifier(map(passes, _comments(frame))))


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
    wanted = moment.nanoseconds
    if moment.of_day:
        return Compiled(
            lambda frame: frame.time != UNTIMED and compare(clock_of(frame.time), wanted),
            Test("clock", wanted, compare),
        )
    return Compiled(
        lambda frame: frame.time != UNTIMED and compare(frame.time, wanted), Test("time", wanted, compare)
    )  # fmt: skip


def _check_name(field: str, symbol: str, value: str, vocabulary: Vocabulary) -> None:
    if field in vocabulary.names or field.partition(".")[0] in vocabulary.open_prefixes:
        return
    if asked := of_wireshark(field, value):
        raise FilterError(f"there is no field {field}; {asked}")
    near = difflib.get_close_matches(field, [*FIELDS, *ALSO, *vocabulary.names], 1, 0.7)
    siblings = sorted(each for each in vocabulary.names if each.startswith(f"{field.partition('.')[0]}."))
    there_are = f"did you mean {near[0]}?" if near else f"there are {', '.join(siblings[:12] or FIELDS)}"
    raise FilterError(
        f'there is no field {field}; {there_are} (the text is found by "{f"{field}{symbol}{value}"[:40]}")'
    )


def _check_word(field: str, value: str, words: tuple[str, ...]) -> None:
    """Refuse a word that a field never says although it begins as others that it does."""
    said, prefix = value.upper(), value.upper().partition("_")[0]
    if said in words or not any(each.partition("_")[0] == prefix for each in words):
        return
    near = difflib.get_close_matches(said, words, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(words[:8])} …"
    raise FilterError(f"{field} is never {value[:40]}; {hint}")


def _check_ancillary(field: str, written: str) -> None:
    if ancillary_fields.is_field(field):
        return
    near = difflib.get_close_matches(field, ancillary_fields.LOWER, 1, 0.7)
    names = {each.lower(): each for each in ancillary_fields.NAMES}
    there_are = f"did you mean {names[near[0]]}?" if near else f"there are {', '.join(ancillary_fields.NAMES[:12])}"
    raise FilterError(f'there is no field {field}; {there_are} (the text is found by "{written[:40]}")')


def _matched(field: str, found: Callable[[str], bool], fields: Callable[[Frame], Decoded]) -> Predicate:
    return lambda frame: any(found(text) for text, _ in fields(frame).get(field, ()))


def _decoded(field: str, symbol: str, value: str, fields: Callable[[Frame], Decoded]) -> Predicate:
    wanted, number = value.lower(), _number(value)
    if symbol == "~":
        return lambda frame: any(wanted in text.lower() for text, _ in fields(frame).get(field, ()))
    if symbol in ("==", "!="):
        equal = symbol == "=="

        def same(each: tuple[str, int | None]) -> bool:
            text, its = each
            return its == number if its is not None and number is not None else text.lower() == wanted

        def compared(frame: Frame) -> bool:
            values = fields(frame).get(field, ())
            return bool(values) and any(map(same, values)) is equal

        return compared
    if number is None:
        raise _no_number(value)
    compare = _OPERATORS[symbol]
    return lambda frame: any(its is not None and compare(its, number) for _, its in fields(frame).get(field, ()))


def _number(text: str) -> int | None:
    """A number as people write it, 0 before it or not; None for what is none, or longer than any is."""
    try:
        return int(text, 10 if text.isdecimal() else 0) if len(text) <= LONGEST else None
    except ValueError:
        return None


def _no_number(value: str) -> FilterError:
    return FilterError(f"{value[:LONGEST]!r} is not a number such as 1000 or 0x3e8")


def _numeric(attribute: str, symbol: str, value: str) -> Compiled:
    if symbol == "~":
        raise FilterError("numbers are compared with == != < <= > >=")
    number = _number(value)
    if number is None:
        raise _no_number(value)
    compare = _OPERATORS[symbol]
    test = Test(attribute, number, compare)
    if attribute == "length":
        return Compiled(lambda frame: not frame.event and compare(frame.length, number), test)
    return Compiled(lambda frame: compare(frame.number, number), test)


def _text_test(field: str, symbol: str, value: str) -> Callable[[str], bool]:
    wanted = value.lower()
    if symbol not in ("==", "!=", "~"):
        raise FilterError(f"{field} is compared with ==, != or ~ (contains)")
    if symbol == "~":
        return lambda name: wanted in name.lower()
    return lambda name: (name.lower() == wanted) is (symbol == "==")


def _comments(frame: Frame) -> list[str]:
    """The comments that a capture file has on a frame."""
    found = frame.meta.get("comments", ())
    return [str(each) for each in found] if isinstance(found, list | tuple) else []
