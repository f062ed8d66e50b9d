"""AF_ALG's own flow: what is bound is an algorithm, and each accepted socket computes with it.

Source: Linux' crypto/userspace-if.rst; the sizes of keys and IVs are those of the ciphers and of the modes' RFCs.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family, Protocol
from sockexplorer.core.payload import PayloadError, from_text
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.parts import Parts, assignment, indented

HEAD = b"16 bytes of head"
"""Of the length that the modes of IPsec want; all others take any."""
TAG = 16
"""Bytes of an authentication tag: the longest that each AEAD mode makes."""
_WHAT = {
    "hash": "digest of PAYLOAD by",
    "skcipher": "PAYLOAD encrypted by",
    "aead": "PAYLOAD encrypted, with its tag, by",
    "rng": "random bytes of",
}


@dataclass(frozen=True)
class Sizes:
    """What an algorithm takes, in bytes; 0 for nothing. ``block``: the payload has to fill whole blocks of these."""

    key: int
    iv: int
    block: int = 0


_BLOCK_CIPHERS = {
    "des": Sizes(8, 8), "des3_ede": Sizes(24, 8), "blowfish": Sizes(16, 8), "cast5": Sizes(16, 8),
    "fcrypt": Sizes(8, 8), "tea": Sizes(16, 8), "xtea": Sizes(16, 8), "khazad": Sizes(16, 8),
}  # fmt: skip
_STREAM_CIPHERS = {
    "chacha20": Sizes(32, 16), "xchacha20": Sizes(32, 32), "xchacha12": Sizes(32, 32), "salsa20": Sizes(32, 8),
}  # fmt: skip
_AEAD = {
    "gcm": Sizes(16, 12), "ccm": Sizes(16, 16), "rfc4106": Sizes(20, 8), "rfc4543": Sizes(20, 8),
    "rfc4309": Sizes(19, 8), "rfc7539": Sizes(32, 12), "rfc7539esp": Sizes(36, 8), "aegis128": Sizes(16, 16),
}  # fmt: skip
_KEYED_HASHES = ("hmac", "cmac", "xcbc", "cbcmac", "vmac", "vmac64", "ghash", "polyval", "michael_mic")


def applies(family: Family, endpoint: Endpoint) -> bool:
    """Whether the endpoint is an algorithm of a type that `fill` knows."""
    address = endpoint.local
    if family.constant != "AF_ALG" or not isinstance(address, tuple) or len(address) < 2:
        return False
    kind, name = address[:2]
    return isinstance(kind, str) and kind in _WHAT and isinstance(name, str)


def sizes(kind: str, name: str) -> Sizes:
    """What an algorithm takes. Of one that is not known here: what AES in CBC mode would."""
    mode = name.partition("(")[0]
    cipher = name.rpartition("(")[2].partition(",")[0].rstrip(")")
    if kind == "rng":
        # A DRBG takes any seed, ansi_cprng 48 bytes; jitterentropy collects its own.
        return Sizes(0 if name.startswith("jitterentropy") else 48, 0)
    if kind == "aead":
        return _AEAD.get(mode, _AEAD["gcm"])
    if name in _STREAM_CIPHERS:
        return _STREAM_CIPHERS[name]
    basic = _BLOCK_CIPHERS.get(cipher, Sizes(16, 16))
    if kind == "hash":
        return Sizes((8 if mode == "michael_mic" else basic.key) if mode in _KEYED_HASHES else 0, 0)
    if mode == "rfc3686":
        return Sizes(basic.key + 4, 8)
    if mode in ("adiantum", "hctr2"):
        return Sizes(32 if mode == "adiantum" else basic.key, 32, 16)
    key = {"xts": 2 * basic.key, "lrw": basic.key + basic.iv}.get(mode, basic.key)
    return Sizes(key, 0 if mode == "ecb" else basic.iv, 0 if mode in ("ctr", "cfb", "ofb") else basic.iv)


def fill(
    parts: Parts, dialect: Dialect, family: Family, protocol: Protocol, endpoint: Endpoint, payload: bytes | None
) -> None:
    """The steps: bind the algorithm, give it a key, accept, send in, read the result."""
    assert isinstance(endpoint.local, tuple)
    kind, name = endpoint.local[:2]
    wanted = sizes(kind, name)
    use = parts.names.use
    parts.endless = False
    parts.title = f"{family.name}/{protocol.name}: print, in hexadecimal, {_WHAT[kind]} {name!a}."
    for option in endpoint.options:
        parts.opening.append(f"sock.setsockopt({use(option.level)}, {use(option.name)}, {option.value})")
    parts.body.append(f"sock.bind({endpoint.local!a})")
    if wanted.key:
        parts.constants.append(f"KEY = bytes(range({wanted.key}))  # put your own here")
        parts.body.append(f"sock.setsockopt({use('SOL_ALG')}, {use('ALG_SET_KEY')}, KEY)")
    if kind == "aead":
        parts.body.append(f"sock.setsockopt({use('SOL_ALG')}, {use('ALG_SET_AEAD_AUTHSIZE')}, None, {TAG})")
    if wanted.iv:
        parts.constants.append(f"IV = {_first_iv(kind, name, wanted.iv)}  # another one for each message")
    parts.body += [f"operation, _ = {dialect.accept()}  # sock holds the algorithm, operation computes with it"]
    parts.body += ["with operation:", *indented(_compute(parts, dialect, kind, wanted))]
    if kind == "rng":
        return
    if kind == "aead":
        parts.constants += assignment("HEAD", HEAD, "sent in clear, but covered by the tag")
    data = payload if payload is not None and (payload or kind == "hash") else _sample(protocol)
    parts.constants += assignment("PAYLOAD", data)
    if wanted.block:
        parts.constants.append(f"PAYLOAD += bytes(-len(PAYLOAD) % {wanted.block})  # to whole blocks")


def _compute(parts: Parts, dialect: Dialect, kind: str, wanted: Sizes) -> list[str]:
    """The lines that send in and print what comes out, asking for exactly its length: for more, recv() might wait."""
    length, shown = {
        "rng": ("32", "result"),
        "hash": ("64", "result"),
        "skcipher": ("len(PAYLOAD)", "result"),
        "aead": (f"len(HEAD) + len(PAYLOAD) + {TAG}", "result[len(HEAD) :]"),
    }[kind]
    lines = [f"result = {dialect.receive(length, 'operation')}", f"print({shown}.hex(), flush=True)"]
    if kind == "rng":
        return lines
    if kind == "hash":
        return [dialect.send("operation"), *lines]
    arguments = f"op={parts.names.use('ALG_OP_ENCRYPT')}" + (", iv=IV" if wanted.iv else "")
    if kind == "aead":
        call = f"operation.sendmsg_afalg([HEAD, PAYLOAD], {arguments}, assoclen=len(HEAD))"
    else:
        call = f"operation.sendmsg_afalg([PAYLOAD], {arguments})"
    return ["# ALG_OP_DECRYPT turns it back.", call, *lines]


def _first_iv(kind: str, name: str, length: int) -> str:
    """An IV that the algorithm takes, as an expression: CCM's begins with the size of its counter less one."""
    if kind == "aead" and name.startswith("ccm("):
        return f"b'\\3' + bytes(range({length - 1}))"
    return f"bytes(range({length}))"


def _sample(protocol: Protocol) -> bytes:
    """What the form would send."""
    try:
        return from_text(protocol.sample) or b"hello"
    except PayloadError:
        return b"hello"
