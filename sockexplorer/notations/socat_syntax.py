"""The syntax of socat's addresses and of the shell line around them, both ways.

Source: socat(1), "ADDRESS SPECIFICATIONS" and "DATA VALUES"; nestlex.c, dalan.c and xioopen.c of socat 1.7 and 1.8.
"""

from __future__ import annotations

import re
import shlex
import struct
from dataclasses import dataclass

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SPECIAL = re.compile(rb"""[\\:,!'"()\[\]{}]""")
_DATA = re.compile(
    r"""\s+ | x(?P<hex>[0-9a-fA-F]*) | "(?P<text>(?:[^"\\]|\\.)*)" | (?P<type>[iIlLsSbB])?(?P<number>-?\d+)""",
    re.VERBOSE | re.DOTALL,
)
_STRUCT = {"i": "i", "I": "I", "l": "l", "L": "L", "s": "h", "S": "H", "b": "b", "B": "B"}
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ANSI_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)


@dataclass(frozen=True)
class Address:
    """``KEYWORD:parameter:…,option=value,…``; the keyword in lower case, the rest without quotes and escapes."""

    keyword: str
    parameters: tuple[str, ...]
    options: tuple[tuple[str, str | None], ...] = ()

    def option(self, *names: str) -> str | None:
        """The value of an option under any of its names; the last one counts. "" where it has no value."""
        found = [value or "" for name, value in self.options if name in names]
        return found[-1] if found else None


def addresses(text: str) -> list[Address]:
    """The address of an argument, or the two that ``!!`` joins."""
    found = []
    at = 0
    while at <= len(text):
        tokens: list[str] = []
        at -= 1
        while at < 0 or text[at : at + 1] == ":" or not tokens:
            token, at = _token(text, at + 1, (":", ",", "!!"))
            tokens.append(token)
        options: list[tuple[str, str | None]] = []
        while text[at : at + 1] == ",":
            name, at = _token(text, at + 1, ("=", ",", "!!"))
            value: str | None = None
            if text[at : at + 1] == "=":
                value, at = _token(text, at + 1, (",", "!!"))
            options.append((name.strip().lower(), value))
        found.append(Address(tokens[0].strip().lower(), tuple(tokens[1:]), tuple(options)))
        if not text.startswith("!!", at) or len(found) == 2:
            break
        at += 2
    return found


def _token(text: str, at: int, ends: tuple[str, ...]) -> tuple[str, int]:
    """The text up to one of the ends that is neither escaped, quoted nor in brackets, and the place of that end."""
    out: list[str] = []
    closers: list[str] = []
    quote = ""
    while at < len(text):
        char = text[at]
        if not closers and not quote and text.startswith(ends, at):
            break
        at += 1
        if char == "\\":
            following = text[at : at + 1]
            out.append(_ESCAPES.get(following, following))
            at += 1
        elif quote:
            if char == quote:
                quote = ""
            else:
                out.append(char)
        elif char in "'\"":
            quote = char
        else:
            if closers and char == closers[-1]:
                closers.pop()
            elif char in _OPENERS:
                closers.append(_OPENERS[char])
            out.append(char)
    return "".join(out), min(at, len(text))


def data(text: str) -> bytes | None:
    """The bytes of socat's data notation, such as ``x1f907f000001``; None for a wrong one. A bare number is an int."""
    out = bytearray()
    at = 0
    while at < len(text):
        found = _DATA.match(text, at)
        if found is None or len(found["hex"] or "") % 2:
            return None
        at = found.end()
        if found["hex"] is not None:
            out += bytes.fromhex(found["hex"])
        elif found["text"] is not None:
            plain = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), found["text"], flags=re.DOTALL)
            out += plain.encode("utf-8", "surrogatepass")
        elif found["number"] is not None:
            try:
                out += struct.pack(f"={_STRUCT[found['type'] or 'i']}", int(found["number"]))
            except (struct.error, ValueError):
                return None
    return bytes(out)


def escaped(raw: bytes) -> bytes:
    """Bytes as a parameter or an option's value, with a backslash before what means something to socat."""
    return _SPECIAL.sub(rb"\\\g<0>", raw)


# --- the shell -----------------------------------------------------------------------------------------------------


def words(line: str) -> list[str]:
    """The words of a shell line, with quotes, escapes and ``$'…'`` resolved; bytes beyond UTF-8 as lone surrogates."""
    line = _ANSI_C.sub(lambda found: shlex.quote(_from_ansi_c(found[1])), line)
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _from_ansi_c(text: str) -> str:
    out = bytearray()
    at = 0
    for found in _ANSI_ESCAPE.finditer(text):
        out += text[at : found.start()].encode("utf-8", "surrogatepass")
        octal, hexadecimal, other = found.groups()
        if octal or hexadecimal:
            out.append(int(octal, 8) & 0xFF if octal else int(hexadecimal, 16))
        else:
            out += _ESCAPES.get(other, other).encode("utf-8", "surrogatepass")
        at = found.end()
    out += text[at:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "surrogateescape")


def quoted(raw: bytes) -> str:
    """One word of a shell line. ASCII without control characters: where the bytes are not, it is ``$'…'``.

    That form is bash's, zsh's and ksh's; plain words and ``'…'`` are every shell's.
    """
    if re.fullmatch(rb"[\x20-\x7e]*", raw):
        return shlex.quote(raw.decode("ascii"))
    # "!" would call up the history of an interactive shell; three octal digits are read alike everywhere.
    return "$'" + "".join(chr(each) if each in _HARMLESS else f"\\{each:03o}" for each in raw) + "'"


def printf(payload: bytes) -> str:
    """The command that writes these bytes: ``printf`` with a format of ASCII (printf(1) of POSIX)."""
    out = []
    for at, each in enumerate(payload):
        char = chr(each)
        if char in "%\\":
            out.append(char * 2)
        elif each not in _HARMLESS or (char == "-" and at == 0):
            out.append(f"\\{each:03o}")
        else:
            out.append(char)
    return f"printf '{''.join(out)}'"


_HARMLESS = frozenset(range(0x20, 0x7F)) - frozenset(b"'\\!")
