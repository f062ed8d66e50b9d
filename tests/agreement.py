"""Does the declaration say of any address what this interpreter's C parser says: verdict, exception, message?

    python tests/agreement.py [--count N] [--seed S] [FAMILY …]

Random addresses for every protocol of every family; standard library only, so that any interpreter can run it
(Debian's has AF_BLUETOOTH). Prints each disagreement, and exits with 1 when there was one. No host name is looked up.
"""

from __future__ import annotations

import argparse
import errno
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sockexplorer.core.family import Family
from sockexplorer.core.faults import FieldError
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.verdict import ask_cpython
from sockexplorer.families import all_families, family


class Index:
    """Something with ``__index__`` that is no int."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return f"Index({self.value})"


class Text(str):
    """A subclass, which CPython sends through the idna codec where it would take an exact str as it is."""


class Pair(tuple[Any, ...]):
    """A subclass, which is as good as a tuple."""


EDGES = [
    0,
    1,
    2,
    3,
    4,
    255,
    256,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**63,
    2**64,
    2**70,
    0xFFFFF,
    0x100000,
]
# No well-formed name: a resolver would be asked for it.
HOSTS = [
    "", "127.0.0.1", "::1", "::", "0.0.0.0", "<broadcast>", "255.255.255.255", "127.1", "0x7f.1", "010.0.0.1",
    "256.0.0.1", "1.2.3.4.5", "::ffff:1.2.3.4", "fe80::1%lo", "fe80::1%1", "fe80::1%nosuch0", "[::1]", "a b", "a..b",
    "<any>", "١", "②", "１２７.0.0.1", "é" * 70, "\ud800", "a\0b", "x" * 300, "::1%lo", "4294967295", "4294967296",
    "-x",
]  # fmt: skip
NAMES = ["lo", "lo:1", "", "nosuch0", "x" * 15, "x" * 16, "x" * 1024, "é" * 8, "lo\0", "\udcff", "\ud800", "vcan0"]
BDADDRS = [
    "00:00:00:00:00:00", "AA:bb:CC:dd:EE:ff", "1:2:3:4:5:6", "0x1:0X2:3:4:5:6", " 1: 2:\t3: 4: 5: 6", "+1:0:0:0:0:0",
    "-1:0:0:0:0:0", "-0:0:0:0:0:0", "0x:1:2:3:4:5", "100:0:0:0:0:0", "100000001:0:0:0:0:0", "1:2:3:4:5:6 ", "1:2:3:4:5",
    "1:2:3:4:5:6:7", "GG:0:0:0:0:0", "", "00-00-00-00-00-00", "00:00:00:00:00:00\0", "1 :2:3:4:5:6",
    "-ffffffffffffff01:0:0:0:0:0",
    "10000000000000001:0:0:0:0:0", "0x0x1:2:3:4:5:6", "00:00:00:FF:FF:FF",
]  # fmt: skip
ALGORITHMS = ["hash", "sha256", "t" * 13, "t" * 14, "n" * 63, "n" * 64, "é" * 7, "", "ha\0sh", "\ud800"]


def number(rng: random.Random) -> object:
    """An integer, an edge of some C type, or what is none."""
    way = rng.random()
    if way < 0.45:
        return rng.choice(EDGES) * rng.choice([1, 1, 1, -1]) + rng.choice([0, 0, 0, 1, -1])
    if way < 0.75:
        return rng.randrange(-(2 ** rng.choice([4, 8, 16, 32, 40])), 2 ** rng.choice([4, 8, 16, 20, 32, 64, 70]))
    if way < 0.85:
        return rng.choice([True, False, Index(rng.choice(EDGES)), Index(-1)])
    return other(rng)


def other(rng: random.Random) -> object:
    """Anything."""
    return rng.choice([
        None, 1.5, 0.0, "80", b"80", "", b"", (), [], (1,), {}, bytearray(b"lo"), memoryview(b"lo"), 1j,
        PurePosixPath("lo"), Index(7), Text("lo"), "\udcff", "a\0b", b"a\0b", object, Ellipsis,
        b"x" * 8, b"x" * 9, memoryview(b"axbx")[::2],
    ])  # fmt: skip


def mixture(rng: random.Random) -> str:
    """Something between an IPv4 and an IPv6 address; a colon or a % in it keeps it from being a host name."""
    parts = [
        "",
        "0",
        "1",
        "::",
        ":",
        ".",
        "ffff",
        "1.2.3.4",
        "0x7f",
        "%",
        "%lo",
        "%1",
        "%nosuch0",
        "fe80",
        "ff02",
        "256",
        "[",
        " ",
    ]
    made = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 7)))
    return made if ":" in made or "%" in made else made + ":"


def text(rng: random.Random) -> object:
    """A host, an interface, a Bluetooth address, the name of an algorithm; as str, bytes and their kin."""
    value = rng.choice(rng.choice([HOSTS, NAMES, BDADDRS, ALGORITHMS]))
    if rng.random() < 0.15:
        value = mixture(rng)
    if rng.random() < 0.15:
        value = ":".join(rng.choice(["", " ", "+", "-", "0x", "0X"]) + f"{rng.randrange(300):x}" for _ in range(6))
    way = rng.random()
    if way < 0.7:
        return value
    if way < 0.8:
        return value.encode("utf-8", "surrogatepass")
    raw = bytearray(value, "utf-8", "surrogatepass")
    return rng.choice([raw, Text(value), PurePosixPath(value or "."), other(rng)])


def buffer(rng: random.Random) -> object:
    """What ``y*`` takes, and what it does not."""
    view = memoryview(b"abcd")
    return rng.choice([b"", b"x" * rng.randrange(12), bytearray(4), view, view[::2], other(rng)])


def element(rng: random.Random, default: object) -> object:
    """Something for the place where the declaration has ``default``."""
    if rng.random() < 0.25:
        return default
    if rng.random() < 0.1:
        return other(rng)
    kinds: dict[type, Callable[[random.Random], object]] = {int: number, str: text, bytes: rng.choice([buffer, text])}
    return kinds.get(type(default), other)(rng)


def address(rng: random.Random, each: Family, protocol: Protocol, defaults: list[object], required: int) -> object:
    """An address that is right, nearly right, or nothing of the kind, of which so many elements are ``required``."""
    way = rng.random()
    if way < 0.06:
        return rng.choice([other, text, number])(rng)
    if each.constant == "AF_UNIX":
        length = rng.choice([0, 1, 5, 53, 54, 106, 107, 108, 109, 200])
        path = rng.choice(["x", "é", "\0", "\udcff", "/", "@"]) * length
        value = path.encode("utf-8", "surrogateescape")
        return rng.choice([path, value, bytearray(value), memoryview(value), Text(path), b"\0" + value, "a\0" + path])
    if protocol.name == "sco":
        return element(rng, defaults[0])
    values = [element(rng, default) for default in defaults]
    if way < 0.14:
        values = values[: rng.randrange(len(values) + 1)] + [other(rng)] * rng.choice([0, 0, 1])
    elif way < 0.5:
        values = values[: rng.randrange(required, len(values) + 1)]
    if way > 0.97:
        return list(values)
    return Pair(values) if way > 0.94 else tuple(values)


def said_by_model(each: Family, protocol: Protocol, value: object) -> tuple[str, str]:
    """(exception, message), or ("", "") for accepted."""
    try:
        each.check(protocol, value)
    except FieldError as error:
        raises = error.raises
        return (raises.exception, raises.text("sendto")) if raises else ("", f"nothing told of {error}")
    return "", ""


def disagreements(each: Family, protocol: Protocol, count: int, seed: int) -> Iterator[str]:
    """Ask both ``count`` times. Raises LookupError where this interpreter lacks the family."""
    rng = random.Random(f"{seed}{each.constant}{protocol.name}")
    fields = each.fields(protocol)
    defaults = [field.parse(field.default or "0") for field in fields]
    required = sum(not field.optional for field in fields)
    for _ in range(count):
        value = address(rng, each, protocol, defaults, required)
        asked = each.without_lookup(value)
        refused = ask_cpython(each.number, protocol.type_number, protocol.proto_number, asked)
        if isinstance(refused, OSError) and refused.errno == errno.ENODEV:
            continue  # which interfaces there are is the kernel's knowledge
        parser = ("", "") if refused is None else (type(refused).__name__, str(refused))
        model = said_by_model(each, protocol, value)
        if model == parser == ("", ""):
            # What is accepted has warnings, or none, but never an error.
            list(each.notices(protocol, value, rng.choice(["local", "remote"])))
        if model != parser:
            yield f"{each.name}/{protocol.name} {value!r:.100}: CPython {parser}, declaration {model}"


def main() -> int:
    """Compare; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY")
    parser.add_argument("--count", type=int, default=20000, help="addresses for each family, shared by its protocols")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    for each in map(family, options.families) if options.families else all_families():
        # Families of many protocols have one parser for all of them, but CAN and Bluetooth.
        distinct = each.protocols if each.constant in ("AF_CAN", "AF_BLUETOOTH") else each.protocols[:1]
        compared = 0
        try:
            if each.foreign:
                raise LookupError(f"another system's, {each.availability}")
            for protocol in distinct:
                for line in disagreements(each, protocol, options.count // len(distinct), options.seed):
                    wrong += 1
                    print(line)
                compared += options.count // len(distinct)
        except LookupError as error:
            print(f"{each.name}: not compared: {error}")
        else:
            print(f"{each.name}: {compared} addresses compared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
