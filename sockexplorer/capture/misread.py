"""Why a filter can't be read, in the words of who types it: mostly it is not finished yet."""

from __future__ import annotations

import re
from collections.abc import Container

PIECE = re.compile(
    r"""
    (?P<string>"(?:[^"\\]|\\.)*(?P<quote>"?))
    | (?P<apostrophes>'(?:[^'\\]|\\.)*'(?!(?!&&|\|\|)[^\s()]))
    | (?P<regex>/(?:[^/\\]|\\.)+/(?!(?!&&|\|\|)[^\s()]))
    | (?P<connective>&&|\|\||!(?!=))
    | (?P<open>\() | (?P<close>\))
    | (?P<field>[A-Za-z_][\w.-]*)\s*(?P<operator>==|!=|>=|<=|>|<|~)
    | (?P<word>(?:(?!&&|\|\|)[^\s()"])+)
    """,
    re.VERBOSE,
)
"""What a filter that is mostly right is made of; blanks are between."""
_CONNECTIVES = ("and", "or", "not")
_EXAMPLES = {
    "dir": "in or out", "direction": "in or out", "len": "a number", "length": "a number", "n": "a number",
    "time": "a time such as 14:05", "protocol": "a name such as udp", "proto": "a name such as udp",
}  # fmt: skip


def reason(text: str) -> str:
    """What a filter lacks that is not finished, "" where that is not what is wrong with it."""
    opened: list[int] = []
    last: re.Match[str] | None = None
    slash = 0
    for piece in PIECE.finditer(text):
        last, at = piece, piece.start() + 1
        if piece["string"] and not piece["quote"]:
            return f"the quote at character {at} is not closed"
        if piece["open"]:
            opened.append(at)
        elif piece["close"]:
            if not opened:
                return f"nothing opened the ) at character {at}"
            opened.pop()
        elif piece["word"] and piece["word"].startswith("/"):
            slash = at
    if slash and (opened or "(" in text[slash:]):
        return f"the regular expression at character {slash} has no / at its end"
    if last is not None and last["operator"]:
        field = last["field"]
        return f"{_EXAMPLES.get(field.lower(), 'a value')} belongs after {field}{last['operator']}"
    if last is not None and (last["connective"] or (last["word"] or "").lower() in _CONNECTIVES):
        return f"something belongs after {last[0]!r}"
    if opened:
        return f"nothing closes the ( at character {opened[-1]}"
    return ""


def assignment(text: str, names: Container[str]) -> str:
    """What to write for ``len=8``, "" where no known field is compared so: as a text it is mostly found nowhere."""
    before: re.Match[str] | None = None
    compared = False
    for piece in PIECE.finditer(text):
        word = piece["word"] or ""
        name, sign, value = word.partition("=")
        begin = piece
        if before is not None and sign and not name:
            name, begin = before["word"] or "", before
        if sign and name.lower() in names and not compared:
            more = value[:1] if value[:1] in ("<", ">") else ""
            right, found = f"{more}=" if more else "==", text[begin.start() : piece.end()]
            return (
                f"not understood at character {begin.start() + 1}: ={more} is written {right}, "
                f'as in {name}{right}{value[len(more) :] or "…"}; the text is found by "{found}"'
            )
        # The value of a comparison is no field.
        compared, before = bool(piece["operator"]), piece
    return ""
