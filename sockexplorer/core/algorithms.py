"""What the kernel's algorithms take: the lengths of keys and IVs, by type and name.

Source: Linux' crypto/; the sizes are those of the ciphers and of the modes' RFCs.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def first_iv(kind: str, name: str) -> bytes:
    """An IV that the algorithm takes, to begin with: CCM's starts with the size of its counter less one."""
    counted = bytes(range(sizes(kind, name).iv))
    return b"\3" + counted[:-1] if kind == "aead" and name.startswith("ccm(") else counted


def first_key(kind: str, name: str) -> bytes:
    """A key of the length that the algorithm takes, to begin with; b"" where it takes none."""
    return bytes(range(sizes(kind, name).key))
