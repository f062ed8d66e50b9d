"""The kernel's algorithms, as ``/proc/crypto`` lists them: those that were used, or are used, since boot."""

from __future__ import annotations

from pathlib import Path

PROC_CRYPTO = Path("/proc/crypto")
COMMON: dict[str, tuple[str, ...]] = {
    "hash": ("sha256", "sha512", "sha1", "md5", "hmac(sha256)", "cmac(aes)", "crc32c"),
    "skcipher": ("cbc(aes)", "ctr(aes)", "ecb(aes)", "xts(aes)"),
    "aead": ("gcm(aes)", "ccm(aes)", "rfc4106(gcm(aes))", "authenc(hmac(sha256),cbc(aes))"),
    "rng": ("stdrng", "jitterentropy_rng"),
}
"""By type of AF_ALG: names that most kernels can make, used or not."""
_TYPES = {
    "shash": "hash",
    "ahash": "hash",
    "skcipher": "skcipher",
    "lskcipher": "skcipher",
    "aead": "aead",
    "rng": "rng",
}


def algorithms(kind: str, path: Path = PROC_CRYPTO) -> dict[str, str]:
    """Name → driver for each algorithm of an AF_ALG type; of every type for "". Empty where there is no such file."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for block in text.split("\n\n"):
        entry = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
        its = _TYPES.get(entry.get("type", ""))
        # An internal one is a part of others, and refused with ENOENT.
        if its is None or kind not in ("", its) or entry.get("internal") == "yes":
            continue
        found.setdefault(entry.get("name", ""), entry.get("driver", ""))
    found.pop("", None)
    return found
