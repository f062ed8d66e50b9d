"""AF_ALG's own flow: what is bound is an algorithm, and each accepted socket computes with it.

Source: Linux' crypto/userspace-if.rst.
"""

from __future__ import annotations

from dataclasses import replace

from sockexplorer.core.algorithms import Sizes, first_iv, first_key, sizes
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.family import Family
from sockexplorer.core.payload import PayloadError, from_text
from sockexplorer.core.protocol import Protocol
from sockexplorer.core.script.dialect import Dialect
from sockexplorer.core.script.parts import Parts, assignment, indented
from sockexplorer.core.script.steps import set_options

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


def applies(family: Family, endpoint: Endpoint) -> bool:
    """Whether the endpoint is an algorithm of a type that `fill` knows."""
    address = endpoint.local
    if family.constant != "AF_ALG" or not isinstance(address, tuple) or len(address) < 2:
        return False
    kind, name = address[:2]
    return isinstance(kind, str) and kind in _WHAT and isinstance(name, str)


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
    given = {each.name: each.value for each in endpoint.options}
    key, tag = given.pop("ALG_SET_KEY", None), given.pop("ALG_SET_AEAD_AUTHSIZE", TAG)
    others = replace(endpoint, options=tuple(each for each in endpoint.options if each.name in given))
    parts.opening += [line for line, _ in set_options(parts, protocol, others)]
    parts.body.append(f"sock.bind({endpoint.local!a})")
    if isinstance(key, bytes) or wanted.key:
        shown = _expression(key if isinstance(key, bytes) else first_key(kind, name))
        parts.constants.append(f"KEY = {shown}  # put your own here")
        parts.body.append(f"sock.setsockopt({use('SOL_ALG')}, {use('ALG_SET_KEY')}, KEY)")
    if kind == "aead":
        parts.body.append(f"sock.setsockopt({use('SOL_ALG')}, {use('ALG_SET_AEAD_AUTHSIZE')}, None, {tag!r})")
    if wanted.iv:
        parts.constants.append(f"IV = {_expression(first_iv(kind, name))}  # another one for each message")
    parts.body += [f"operation, _ = {dialect.accept()}  # sock holds the algorithm, operation computes with it"]
    parts.body += ["with operation:", *indented(_compute(parts, dialect, kind, wanted, tag))]
    if kind == "rng":
        return
    if kind == "aead":
        parts.constants += assignment("HEAD", HEAD, "sent in clear, but covered by the tag")
    data = payload if payload is not None and (payload or kind == "hash") else _sample(protocol)
    parts.constants += assignment("PAYLOAD", data)
    if wanted.block:
        parts.constants.append(f"PAYLOAD += bytes(-len(PAYLOAD) % {wanted.block})  # to whole blocks")


def _compute(parts: Parts, dialect: Dialect, kind: str, wanted: Sizes, tag: object) -> list[str]:
    """The lines that send in and print what comes out, asking for exactly its length: for more, recv() might wait."""
    length, shown = {
        "rng": ("32", "result"),
        "hash": ("64", "result"),
        "skcipher": ("len(PAYLOAD)", "result"),
        "aead": (f"len(HEAD) + len(PAYLOAD) + {tag!r}", "result[len(HEAD) :]"),
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


def _expression(value: bytes) -> str:
    """The bytes as an expression, short where they count up from 0."""
    return f"bytes(range({len(value)}))" if value == bytes(range(len(value))) else repr(value)


def _sample(protocol: Protocol) -> bytes:
    """What the form would send."""
    try:
        return from_text(protocol.sample) or b"hello"
    except PayloadError:
        return b"hello"
