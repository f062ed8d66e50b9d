"""AF_ALG: the kernel's cryptography. Source: Linux' crypto/userspace-if.rst, <linux/if_alg.h>; ``case AF_ALG``."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sockexplorer.core import cformats
from sockexplorer.core.alg_advice import ADVICE, PROTOCOL_ADVICE
from sockexplorer.core.algorithms import first_iv, first_key, sizes
from sockexplorer.core.constants import number
from sockexplorer.core.demo import Act, Demo, End
from sockexplorer.core.family import Family
from sockexplorer.core.faults import LOOK_UP, FieldError, Invalid, Notice, Raises
from sockexplorer.core.fields import Field, Integer, Kind
from sockexplorer.core.octets import Octets
from sockexplorer.core.protocol import Option, Protocol, Role
from sockexplorer.core.sockaddr import Layout, Part, c_string, hexadecimal, named

ORDER = 92
TYPES = ("hash", "skcipher", "aead", "rng")
MASK = 0xFFFFFFFF
SHAPE = "AF_ALG address must be a tuple (type, name[, feat[, mask]])"
KERN_DRIVER_ONLY = 0x1000
"""``CRYPTO_ALG_KERN_DRIVER_ONLY``, the one flag that ``alg_bind()`` of crypto/af_alg.c takes."""
# The fields of the kernel have 32 bits, the format of the parser 16.
FLAGS = Integer(0, 0xFFFF, wraps=True, base=16)
SOCKADDR = Layout(
    "sockaddr_alg",
    Part("salg_family", "H", "address family", show=named({"AF_ALG": 38})),
    Part("salg_type", "14s", "type of algorithm, ended by a NUL", show=c_string),
    Part("salg_feat", "I", "flags", show=hexadecimal),
    Part("salg_mask", "I", "flags that count", show=hexadecimal),
    Part("salg_name", "64s", "name of the algorithm, ended by a NUL", show=c_string),
)


@dataclass(frozen=True)
class Word(Kind):
    """``s``: a str for a ``char`` array of ``longest`` bytes and a NUL; ``what`` is CPython's name of it."""

    what: str
    longest: int
    offers: str = ""

    def read(self, text: str) -> str:
        return text

    def notices(self, value: object) -> Iterator[str]:
        if isinstance(value, str) and (value != value.strip() or not value.isprintable()):
            yield "no algorithm's name has spaces around it, or control characters"

    def takes(self) -> str:
        return f"at most {self.longest} bytes"

    def check(self, value: object) -> None:
        raw = cformats.utf8(value, Raises("TypeError", SHAPE))
        if len(raw) > self.longest:
            too_long = Raises("ValueError", f"AF_ALG {self.what} too long.", LOOK_UP)
            raise Invalid(f"has {len(raw)} bytes", f"it has at most {self.longest}", too_long)


OPERATIONS = {"encrypt": 1, "decrypt": 0}
"""ALG_OP_ENCRYPT and ALG_OP_DECRYPT."""
SET_IV, SET_OP, SET_ASSOCLEN = 2, 3, 4
"""Types of ancillary data: ALG_SET_IV, ALG_SET_OP, ALG_SET_AEAD_ASSOCLEN."""
TAG = 16
"""Bytes of an authentication tag: the longest that each AEAD mode makes."""
RANDOM = 32
"""Random bytes that are read at once unless told otherwise; the kernel gives at most 128."""


def _key(help_: str, default: bytes | None) -> Option:
    return Option(
        "SOL_ALG", "ALG_SET_KEY", help_, flag=False, default=default, kind=Octets(0, 4096), after_bind=True
    )  # fmt: skip


OPTIONS: dict[str, tuple[Option, ...]] = {
    "hash": (_key("the key of an HMAC; none for a plain hash", None),),
    "skcipher": (_key("the key, as long as the cipher wants it", first_key("skcipher", "cbc(aes)")),),
    "aead": (
        _key("the key, as long as the cipher wants it", first_key("aead", "gcm(aes)")),
        Option("SOL_ALG", "ALG_SET_AEAD_AUTHSIZE", "bytes of the tag", flag=False, default=TAG, after_bind=True,
               by_length=True),
    ),
    "rng": (_key("the seed; none for a generator that collects its own", first_key("rng", "stdrng")),),
}  # fmt: skip
READ = Field(
    "read", Integer(0, 2**20), "", "bytes of the result to ask for; nothing for all of it",
    pitfall="A blocking recv() for more than an AEAD's result waits for ever.",
)  # fmt: skip


class Alg(Family):
    constant = "AF_ALG"
    title = "Kernel crypto"
    summary = "algorithms of the kernel: (type, name[, feat[, mask]])"
    availability = "Linux 2.6.38; Python 3.6"
    modules = ("af_alg",)
    shape = SHAPE
    help = (
        "The address names an algorithm: a type (hash, skcipher, aead, rng) and a name as in /proc/crypto. The bound "
        "socket takes the key; accept() gives another one that does the work."
    )
    pitfalls = (
        "getsockname() fails with EOPNOTSUPP: an AF_ALG socket has no name to tell.",
        "A cipher or an HMAC wants its key (ALG_SET_KEY) on the bound socket, before accept().",
        "An AEAD read that asks for more than the result waits for ever.",
    )
    advice = ADVICE
    protocol_advice = PROTOCOL_ADVICE
    protocols = tuple(
        Protocol(
            name, "SOCK_SEQPACKET", "0", summary, ("bind",), local={"type": name, "name": example},
            modules=(f"algif_{name}",), sample=sample, has_name=False, help=help_, operates=True,
            options=OPTIONS[name],
        )
        for name, summary, example, sample, help_ in (
            ("hash", "digests, HMACs", "sha256", "hello", "Send data, read the digest. An HMAC wants its key first."),
            (
                "skcipher", "ciphers", "cbc(aes)", "sixteen letters.",
                "Encrypts and decrypts whole blocks with a key and an IV.",
            ),
            (
                "aead", "authenticated", "gcm(aes)", "head and secret",
                "Encrypts and proves: associated data, then text, then the tag.",
            ),
            ("rng", "random bytes", "stdrng", "", "Read random bytes of the kernel's generator; its key is a seed."),
        )
    )  # fmt: skip

    demos = {
        "hash": Demo("The digest of a word.", (End("bind", ("hash", "sha256")),), (Act(0, b"hello"),)),
        "skcipher": Demo(
            "A block is encrypted, with a key and an IV.", (End("bind", ("skcipher", "cbc(aes)")),),
            (Act(0, b"sixteen letters."),),
        ),
        "aead": Demo(
            "Four bytes stay readable, the rest is encrypted, 16 more bytes prove it all.",
            (End("bind", ("aead", "gcm(aes)")),), (Act(0, b"headthe secret"),),
        ),
        "rng": Demo("Random bytes, twice.", (End("bind", ("rng", "stdrng")),), (Act(0, b""), Act(0, b""))),
    }  # fmt: skip

    def fields(self, protocol: Protocol) -> tuple[Field, ...]:
        return (
            Field(
                "type", Word("type", 13, "algorithm-types"), "hash", "hash, skcipher, aead or rng",
                pitfall="An algorithm of another type has the same name but is not found.",
            ),
            Field(
                "name", Word("name", 63, "algorithms"), protocol.local["name"], "the name in /proc/crypto",
                pitfall="Modes are written around the cipher, cbc(aes), not aes-cbc.",
            ),
            Field("feat", FLAGS, "0", "flags; 0 for none", optional=True, pitfall="Only the low 16 bits count."),
            Field("mask", FLAGS, "0", "which flags count; 0 for none", optional=True,
                  pitfall="Only the low 16 bits count."),
        )  # fmt: skip

    def notices(self, protocol: Protocol, address: object, role: Role) -> Iterator[Notice]:
        yield from super().notices(protocol, address, role)
        if not isinstance(address, tuple) or len(address) < 2:
            return
        kind, name = str(address[0]), str(address[1])
        if kind not in TYPES:
            yield Notice("type", f"the kernel has the types {', '.join(TYPES)} only")
        if not name:
            yield Notice("name", "no algorithm has an empty name")
        for field, value in zip(("feat", "mask"), address[2:], strict=False):
            if FLAGS.kept(value) & ~KERN_DRIVER_ONLY:
                yield Notice(field, f"the kernel refuses every flag but 0x{KERN_DRIVER_ONLY:x}")
        if role == "remote":
            yield Notice("", "an algorithm is bound, never connected")

    def message_fields(self, protocol: Protocol, address: object) -> tuple[Field, ...]:
        if protocol.name == "rng":
            return (replace(READ, default=str(RANDOM)),)
        if protocol.name == "hash":
            return ()
        kind, name = address[:2] if isinstance(address, tuple) and len(address) > 1 else (protocol.name, "")
        length = sizes(str(kind), str(name)).iv
        operation = Field(
            "op", Integer(0, 1, names=OPERATIONS), "encrypt", "what to do",
            pitfall="To decrypt, an AEAD wants the tag behind the text.",
        )  # fmt: skip
        iv = Field(
            "iv", Octets(0, 256), first_iv(str(kind), str(name)).hex(" "), f"{length} bytes, another for each message",
            pitfall="An IV that is used twice with a key gives the text away.",
        )  # fmt: skip
        head = Field(
            "assoclen", Integer(0, MASK), "4", "bytes at the front that are proven, not encrypted",
            pitfall="The result begins with them, as they were.",
        )  # fmt: skip
        parts = (operation, iv) if length else (operation,)
        return (*parts, head, READ) if protocol.name == "aead" else (*parts, READ)

    def ancillary(self, protocol: Protocol, values: Mapping[str, object]) -> list[tuple[int, int, bytes]]:
        level, found = number("SOL_ALG"), []
        if isinstance(operation := values.get("op"), int):
            found.append((level, SET_OP, struct.pack("=I", operation)))
        if isinstance(iv := values.get("iv"), bytes):
            found.append((level, SET_IV, struct.pack("=I", len(iv)) + iv))
        if isinstance(head := values.get("assoclen"), int):
            found.append((level, SET_ASSOCLEN, struct.pack("=I", head)))
        return found

    def text(self, address: object) -> str:
        if not isinstance(address, tuple) or len(address) < 2 or not all(isinstance(each, str) for each in address[:2]):
            return repr(address)
        return f"{address[0]}:{address[1]}"

    def plain(self, protocol: Protocol, text: str) -> object:
        """``TYPE:NAME``, or the name alone of the protocol's type: ``hmac(sha256)``."""
        kind, colon, name = text.strip().partition(":")
        if not kind:
            raise FieldError("", text, "is empty", f"write {self.example(protocol)}")
        kind_field, name_field = self.fields(protocol)[:2]
        if not colon:
            return (protocol.name, name_field.read(kind))
        return (kind_field.read(kind), name_field.read(name))

    def pack(self, protocol: Protocol, address: object) -> bytes:
        assert isinstance(address, tuple)
        given: tuple[Any, ...] = address
        kind, name, feat, mask = given + (0, 0)[len(given) - 2 :]
        return SOCKADDR.pack(
            salg_family=self.number,
            salg_type=kind.encode(),
            salg_feat=FLAGS.kept(feat),
            salg_mask=FLAGS.kept(mask),
            salg_name=name.encode(),
        )

    def unpack(self, protocol: Protocol, sockaddr: bytes) -> object:
        found = SOCKADDR.unpack(sockaddr)
        if found is None:
            return None
        kind, name = (
            found[part].partition(b"\0")[0].decode("utf-8", "backslashreplace") for part in ("salg_type", "salg_name")
        )
        return (kind, name, found["salg_feat"], found["salg_mask"])

    def layout(self, protocol: Protocol, sockaddr: bytes) -> Layout:
        return SOCKADDR


FAMILY = Alg()
