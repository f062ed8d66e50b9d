"""AF_ALG through the engine: bind, key, accept, operate; compared with hashlib and with published test vectors."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from support import Desk, rows

from sockexplorer.capture.log import Frame
from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.frames import Flag

KEY = bytes(range(16))


def key(value: bytes) -> SetOption:
    return SetOption("SOL_ALG", "ALG_SET_KEY", value)


def tag(length: int) -> SetOption:
    return SetOption("SOL_ALG", "ALG_SET_AEAD_AUTHSIZE", length)


def opened(desk: Desk, kind: str, name: str, *options: SetOption) -> Session:
    return desk.open(f"alg/{kind}", local=(kind, name), options=options)


def compute(desk: Desk, session: Session, data: bytes, **fields: Any) -> bytes:
    """Send a message; the result, which is the session's last received row."""
    before = session.log.received
    desk.send(session, data, fields=fields)
    desk.until(lambda: session.log.received > before, "a result")
    return received(session)[-1].payload


def received(session: Session) -> list[Frame]:
    return [each for each in rows(session) if not each.outgoing and not each.event]


@pytest.mark.parametrize("data", [b"", b"hello", bytes(300_000)], ids=["nothing", "hello", "300 kB"])
@pytest.mark.parametrize("name", ["sha256", "sha512", "sha3-256", "md5"])
def test_a_hash(desk: Desk, name: str, data: bytes) -> None:
    session = opened(desk, "hash", name)
    assert session.state == "bound"
    digest = hashlib.new(name.replace("sha3-", "sha3_"), data).digest()
    assert compute(desk, session, data) == digest
    assert compute(desk, session, data) == digest, "the same socket computes again"
    sent = [each for each in rows(session) if each.outgoing]
    assert [each.payload for each in sent] == [data, data]
    assert {session.peers[each.peer].address for each in sent} == {("hash", name)}


def test_an_hmac_wants_its_key_first(desk: Desk) -> None:
    session = opened(desk, "hash", "hmac(sha256)")
    with pytest.raises(Refused) as caught:
        compute(desk, session, b"message")
    assert (caught.value.problem.stage, caught.value.problem.name) == ("send", "ENOKEY")
    assert "ALG_SET_KEY" in " ".join(caught.value.problem.fixes)
    session = opened(desk, "hash", "hmac(sha256)", key(b"secret"))
    assert compute(desk, session, b"message") == hmac.digest(b"secret", b"message", "sha256")


def test_a_cipher_both_ways(desk: Desk) -> None:
    """FIPS 197, C.1, by way of ECB; and CBC, whose first block is masked by the IV."""
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    secret = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    session = opened(desk, "skcipher", "ecb(aes)", key(KEY))
    assert compute(desk, session, plain, op=1) == secret
    assert compute(desk, session, secret, op=0) == plain
    session = opened(desk, "skcipher", "cbc(aes)", key(KEY))
    masked = bytes(a ^ b for a, b in zip(plain, KEY, strict=True))
    assert compute(desk, session, masked, op=1, iv=KEY) == secret
    out = next(each for each in rows(session) if each.outgoing)
    assert out.meta["fields"] == {"op": 1, "iv": KEY.hex()}


def test_a_long_text_goes_through_in_pieces(desk: Desk) -> None:
    text = bytes(range(256)) * 1024
    session = opened(desk, "skcipher", "cbc(aes)", key(KEY))
    secret = compute(desk, session, text, op=1, iv=KEY)
    assert len(secret) == len(text)
    assert compute(desk, session, secret, op=0, iv=KEY) == text
    assert compute(desk, session, text[:16], op=1, iv=KEY) == secret[:16]


def test_an_aead_proves_and_tells_a_forgery(desk: Desk) -> None:
    """Test case 4 of McGrew and Viega's GCM specification."""
    secret_key = bytes.fromhex("feffe9928665731c6d6a8f9467308308")
    iv = bytes.fromhex("cafebabefacedbaddecaf888")
    head = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    session = opened(desk, "aead", "gcm(aes)", key(secret_key), tag(16))
    result = compute(desk, session, head + plain, op=1, iv=iv, assoclen=len(head))
    assert result[: len(head)] == head
    assert result[-16:].hex() == "5bc94fbc3221a5db94fae95ae7121a47"
    assert compute(desk, session, result, op=0, iv=iv, assoclen=len(head)) == head + plain
    forged = bytes([*result[:-1], result[-1] ^ 1])
    with pytest.raises(Refused) as caught:
        desk.send(session, forged, fields={"op": 0, "iv": iv, "assoclen": len(head)})
    assert (caught.value.problem.stage, caught.value.problem.name) == ("read", "EBADMSG")
    assert compute(desk, session, result, op=0, iv=iv, assoclen=len(head)) == head + plain, (
        "the next one has a new socket"
    )


def test_an_aead_that_is_asked_for_more_than_the_result_waits_for_nobody(desk: Desk) -> None:
    """A blocking recv() would never return; the session says so, and goes on."""
    session = opened(desk, "aead", "gcm(aes)", key(KEY), tag(16))
    result = compute(desk, session, b"headtext", op=1, iv=bytes(12), assoclen=4, read=4096)
    assert len(result) == 8 + 16
    assert "wait" in desk.event(session, "waits").meta["text"]
    cut = compute(desk, session, b"headtext", op=1, iv=bytes(12), assoclen=4, read=10)
    assert cut == result[:10]
    last = received(session)[-1]
    assert (last.length, bool(last.flags & Flag.TRUNCATED)) == (24, True)


@pytest.mark.parametrize(("name", "seed"), [("stdrng", bytes(48)), ("jitterentropy_rng", None)])
def test_random_bytes(desk: Desk, name: str, seed: bytes | None) -> None:
    session = opened(desk, "rng", name, *([] if seed is None else [key(seed)]))
    first, second = (compute(desk, session, b"", read=32) for _ in range(2))
    assert (len(first), len(second)) == (32, 32)
    assert first != second


def test_what_is_wrong_is_explained_and_the_session_goes_on(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        opened(desk, "skcipher", "cbc(aes)", key(b"short"))
    assert (caught.value.problem.stage, caught.value.problem.name) == ("setsockopt", "EINVAL")
    with pytest.raises(Refused) as caught:
        opened(desk, "hash", "no-such-hash")
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "ENOENT")
    session = opened(desk, "skcipher", "cbc(aes)", key(KEY))
    with pytest.raises(Refused) as caught:
        desk.send(session, b"no whole block", fields={"op": 1, "iv": KEY})
    assert caught.value.problem.name == "EINVAL"
    with pytest.raises(Refused) as caught:
        desk.send(session, bytes(16), fields={"op": 1, "iv": b"short"})
    assert caught.value.problem.name == "EINVAL"
    assert len(compute(desk, session, bytes(16), op=1, iv=KEY)) == 16


def test_closing_the_operation_keeps_the_algorithm(desk: Desk) -> None:
    session = opened(desk, "hash", "sha256")
    compute(desk, session, b"one")
    (operation,) = session.connections
    desk.ask(lambda done: desk.hub.client.request("close", done, session=session.number, peer=operation))
    desk.until(lambda: not session.connections, "no operation")
    assert compute(desk, session, b"two") == hashlib.sha256(b"two").digest()
    assert session.connections not in ((), (operation,))
    desk.close(session)
    assert session.state == "closed"
