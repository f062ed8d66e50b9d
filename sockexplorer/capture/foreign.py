"""What a filter says in the words of other tools, and how it is said here: as texts they are found nowhere."""

from __future__ import annotations

import re
from collections.abc import Container

from sockexplorer.capture.misread import PIECE

OF_WIRESHARK = {
    "frame.len": "len", "frame.number": "n", "frame.time": "time", "frame.comment": "comment",
    "udp.length": "len", "tcp.len": "len", "data.len": "len", "ip.ttl": "anc.IP_TTL",
    "netlink.hdr_type": "nl.type", "j1939.pgn": "can.pgn", "frame.protocols": "protocol",
    "_ws.col.protocol": "protocol",
}  # fmt: skip
"""What fields of Wireshark are called here, for those who know them by that name."""
_ADDRESS = re.compile(r"(?:ip|ipv6)\.(?:addr|src|dst|host|src_host|dst_host)\Z")
_PORT = re.compile(r"(?:udp|tcp|sctp|dccp|udplite)\.(?:port|srcport|dstport)\Z")
_WHOLE = ("frame", "data", "payload", "eth", "ip", "ipv6", "udp", "tcp")
"""What Wireshark searches as a whole."""
_OPERATORS = {
    "eq": "==", "ne": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "contains": "~", "matches": "~",
}  # fmt: skip
_BYTES = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})+\Z", re.IGNORECASE)
_REVERSED = re.compile(r"(?P<value>-?[\d.]\w*)(?P<operator><=?|>=?|==|!=)(?P<field>[a-z_][\w.-]*)", re.IGNORECASE)
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NETWORK = re.compile(r"(?:\.0)*/\d+\Z")
_SLICE = re.compile(rf"(?:{'|'.join(_WHOLE)})\[[\d:,-]+\]")
_DATE, _CLOCK = re.compile(r"\d{4}-\d\d-\d\d\Z"), re.compile(r"\d\d:\d\d")
_FLAGGED = re.compile(r"(/[^/]+/)(?:i[msx]*|[msx]+i)\Z")


def of_wireshark(field: str, value: str) -> str:
    """How to ask here what a field of Wireshark is compared with, "" for a field that is none of its best known."""
    if _ADDRESS.match(field):
        return f"an address is found by its text: {_quoted(_NETWORK.sub('.', value)) or '127.0.0.1'}"
    if _PORT.match(field):
        return rf"a port is found by /:{value if value.isdecimal() else 80}\b/"
    return f"did you mean {OF_WIRESHARK[field]}?" if field in OF_WIRESHARK else ""


def foreign(text: str, names: Container[str]) -> str:
    """What to write for ``len eq 8``, ``8<len``, ``frame contains x``, ``/x/i``; "" where none of it is of other tools.

    ``names`` are those of the fields that may be compared, in lower case.
    """
    pieces = list(PIECE.finditer(text))
    compares = any(each["operator"] for each in pieces)
    before = None
    for at, piece in enumerate(pieces):
        if at and pieces[at - 1]["operator"]:
            before = None  # the value of a comparison may be any word
            continue
        word, begin, right = piece["word"] or "", piece, ""
        if before is not None and before["word"] and word.lower() in (*_OPERATORS, "in"):
            right = _operator(before["word"], word.lower(), text[piece.end() :].strip(), names)
            begin = before if right else piece
        if at > 1 and pieces[at - 2]["operator"] and _CLOCK.match(word) and _DATE.match(date := pieces[at - 1][0]):
            right = f"a date and a time are one word, as in {pieces[at - 2][0].strip()}{date}T{word}"
        if not right and compares and word in ("&", "|"):
            right = f"{word} is written {word * 2}"
        if right := right or _alone(word, names):
            found = text[begin.start() : piece.end()]
            return f'not understood at character {begin.start() + 1}: {right}; the text is found by "{found[:40]}"'
        before = piece
    return ""


def _operator(field: str, word: str, rest: str, names: Container[str]) -> str:
    name = field.lower()
    value = match[0][:60] if (match := PIECE.match(rest)) else "…"
    plain = value.strip("\"'")
    if word == "in":
        values = re.findall(r"[^\s,{}]+", rest[:100]) if rest.startswith("{") else []
        if name in names and values:
            return f"each value is compared, as in {' or '.join(f'{field}=={each}' for each in values[:3])}"
        return of_wireshark(name, values[0]) if values else ""
    symbol = _OPERATORS[word]
    searched = f"/{plain}/" if word == "matches" else value
    if name in names:
        return f"{word} is written {symbol}, as in {field}{symbol}{searched}"
    if symbol == "~" and name in _WHOLE:
        return f"{f'hex:{plain}' if _BYTES.match(plain) else searched} is written alone"
    return of_wireshark(name, plain)


def _alone(word: str, names: Container[str]) -> str:
    if (turned := _REVERSED.match(word)) and turned["field"].lower() in names:
        symbol = _TURNED.get(turned["operator"], turned["operator"])
        return f"the field comes first, as in {turned['field']}{symbol}{turned['value']}"
    if _SLICE.match(word):
        return "bytes are found at any place, as by hex:de ad"
    if flagged := _FLAGGED.match(word):
        return f"case never matters and there are no flags, as in {flagged[1]}"
    return ""


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[\s()]", value) else value
