"""AF_ALG: scripts that let the kernel compute, compared with hashlib, with FIPS 197 and with what they undo."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Callable

import pytest
from scripts import Script, write
from support import needs

from sockexplorer.core.script import Style
from sockexplorer.families import family

Run = Callable[..., Script]
OPTIONAL = pytest.mark.optional_on_this_host(reason="the kernel may lack AF_ALG")
KEY = bytes(range(16))
# FIPS 197, appendix C.1; its key is the one that scripts start with.
PLAIN, CIPHER = bytes.fromhex("00112233445566778899aabbccddeeff"), "69c4e0d86a7b0430d8cdb78070b4c55a"


@pytest.mark.parametrize("payload", [b"hello", b"", bytes(1000), None])
@OPTIONAL
def test_hashes(run: Run, payload: bytes | None) -> None:
    needs("alg/hash")
    script = run("alg/hash", "bind", ("hash", "sha256"), payload=payload)
    assert script.line() == hashlib.sha256(b"hello" if payload is None else payload).hexdigest()
    assert script.ended() == 0


@OPTIONAL
def test_a_keyed_hash(run: Run) -> None:
    needs("alg/hash")
    script = run("alg/hash", "bind", ("hash", "hmac(sha256)"), payload=b"hello")
    assert script.line() == hmac.digest(KEY, b"hello", "sha256").hex()
    assert script.ended() == 0


@OPTIONAL
@pytest.mark.parametrize(
    ("name", "payload", "result"),
    [
        ("ecb(aes)", PLAIN, CIPHER),
        ("cbc(aes)", bytes(a ^ b for a, b in zip(PLAIN, range(16), strict=True)), CIPHER),  # the IV is as the key
        ("ctr(aes)", bytes.fromhex("0a940bb5416ef045f1c39458c653ea5a")[:5], bytes(5).hex()),
    ],
)
def test_ciphers(run: Run, name: str, payload: bytes, result: str) -> None:
    needs("alg/skcipher")
    script = run("alg/skcipher", "bind", ("skcipher", name), payload=payload)
    assert script.line() == result
    assert script.ended() == 0


@OPTIONAL
@pytest.mark.parametrize("payload", [b"hello", b"x" * 100, b""])
def test_a_cipher_that_proves(run: Run, payload: bytes) -> None:
    needs("alg/aead")
    script = run("alg/aead", "bind", ("aead", "gcm(aes)"), payload=payload)
    result = bytes.fromhex(script.line())
    assert script.ended() == 0
    plain = payload or family("alg").protocol("aead").sample.encode()
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as sock:
        sock.bind(("aead", "gcm(aes)"))
        sock.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, KEY)
        sock.setsockopt(socket.SOL_ALG, socket.ALG_SET_AEAD_AUTHSIZE, None, 16)  # type: ignore[call-overload]
        with sock.accept()[0] as operation:
            head = b"16 bytes of head"
            operation.sendmsg_afalg([head + result], op=socket.ALG_OP_DECRYPT, iv=KEY[:12], assoclen=16)
            assert operation.recv(16 + len(plain)) == head + plain


@OPTIONAL
@pytest.mark.parametrize("name", ["stdrng", "jitterentropy_rng"])
def test_random_bytes(run: Run, name: str) -> None:
    needs("alg/rng")
    script = run("alg/rng", "bind", ("rng", name))
    assert len(set(bytes.fromhex(script.line()))) > 8
    assert script.ended() == 0


@pytest.mark.parametrize(
    ("kind", "name", "key", "iv", "block"),
    [
        ("hash", "sha512", 0, 0, 0),
        ("hash", "cmac(des3_ede)", 24, 0, 0),
        ("hash", "michael_mic", 8, 0, 0),
        ("skcipher", "cbc(des)", 8, 8, 8),
        ("skcipher", "xts(aes)", 32, 16, 16),
        ("skcipher", "rfc3686(ctr(aes))", 20, 8, 0),
        ("skcipher", "chacha20", 32, 16, 0),
        ("aead", "rfc7539(chacha20,poly1305)", 32, 12, 0),
        ("rng", "drbg_nopr_sha256", 48, 0, 0),
    ],
)
def test_keys_and_ivs_have_the_length_that_the_algorithm_takes(
    style: Style, kind: str, name: str, key: int, iv: int, block: int
) -> None:
    lines = write(f"alg/{kind}", "bind", (kind, name), payload=b"hello", style=style).splitlines()
    assert [each for each in lines if each.startswith(("KEY = ", "IV = ", "PAYLOAD +="))] == [
        *([f"KEY = bytes(range({key}))  # put your own here"] if key else []),
        *([f"IV = bytes(range({iv}))  # another one for each message"] if iv else []),
        *([f"PAYLOAD += bytes(-len(PAYLOAD) % {block})  # to whole blocks"] if block else []),
    ]
    assert any("ALG_SET_KEY, KEY)" in line for line in lines) == bool(key)
    assert any("iv=IV" in line for line in lines) == bool(iv)


@pytest.mark.parametrize("address", [("akcipher", "rsa"), ("hash", 5), ([], "x"), "sha256"])
def test_what_is_no_algorithm_of_a_known_type_is_only_bound(style: Style, address: object) -> None:
    text = write("alg/hash", "bind", address, style=style)
    assert f"sock.bind({address!r})" in text
    assert "getsockname" not in text


def test_a_name_can_not_leave_its_comment(style: Style) -> None:
    text = write("alg/hash", "bind", ("hash", "x\nimport this\x1b"), style=style)
    assert not [line for line in text.splitlines() if line.startswith("import this")]
    assert "\x1b" not in text
