"""AF_ALG: (type, name[, feat[, mask]]). Source: Linux' userspace-if.rst, <linux/if_alg.h>; ``case AF_ALG``."""

from __future__ import annotations

from family_tables import OK, accepts_silently, decides, explains, misreads, packs, reads, refuses, shows, warns

from sockexplorer.families import family

ALG = family("alg")

test_plain_forms = reads(
    ALG,
    ("hash", "hmac(sha256)", ("hash", "hmac(sha256)")),
    ("skcipher", "cbc(aes)", ("skcipher", "cbc(aes)")),
    # A type before the colon wins over the protocol's.
    ("hash", "skcipher:cbc(aes)", ("skcipher", "cbc(aes)")),
    ("rng", "rng:", ("rng", "")),
)
test_wrong_plain_forms = misreads(
    ALG, ("hash", "", "", "write ('hash', 'sha256')"), ("aead", ":gcm(aes)", "", "write ('aead', 'gcm(aes)')")
)
test_rows = shows(
    ALG, (("hash", "sha256"), "hash:sha256"), (("aead", "gcm(aes)", 0, 0), "aead:gcm(aes)"), ((1, "x"), "(1, 'x')")
)
test_the_parser = decides(
    ALG,
    ("hash", ("hash", "sha256"), OK),
    ("hash", ("hash", "sha256", -1, 2**40), OK),
    ("hash", ("x" * 13, "y" * 63), OK),
    # Bytes count, and the type is looked at before the name.
    ("hash", ("é" * 7, "y" * 64), "ValueError: AF_ALG type too long."),
    ("hash", ("hash", "y" * 64), "ValueError: AF_ALG name too long."),
    ("hash", (b"hash", "sha256"), "TypeError: AF_ALG address must be a tuple (type, name[, feat[, mask]])"),
    ("hash", ("hash",), "TypeError: AF_ALG address must be a tuple (type, name[, feat[, mask]])"),
    ("hash", ("hash", "sha256\0"), "ValueError: embedded null character"),
    ("hash", ("hash", "sha256", 1.0), "TypeError"),
    ("hash", "sha256", "TypeError: bind(): AF_ALG address must be tuple, not str"),
)
test_refusals = refuses(
    ALG,
    ("hash", ("x" * 14, "sha256"), "type", "at most 13"),
    ("hash", ("hash", "y" * 64), "name", "at most 63"),
    ("hash", ("hash", "sha256", "0"), "feat", "without quotes"),
    ("hash", ("hash",), "", "(type, name, feat, mask)"),
)
test_warnings = warns(
    ALG,
    ("hash", ("hash", "sha256", 0x10000), "local", "feat", "passes 0"),
    ("hash", ("hash", "sha256", 0, 0x10001), "local", "mask", "passes 1"),
    ("hash", ("hash", "sha256", 0x1001), "local", "feat", "every flag but 0x1000"),
    ("hash", ("hash", "sha256", 0x1000, 0x2000), "local", "mask", "every flag but 0x1000"),
    ("hash", ("cipher", "aes"), "local", "type", "types hash"),
    ("hash", ("hash", ""), "local", "name", "empty name"),
    ("hash", ("hash", " sha256"), "local", "name", "spaces"),
    ("hash", ("hash\n", "sha256"), "local", "type", "control characters"),
    ("hash", ("hash", "sha256"), "remote", "", "never connected"),
)
test_nothing_odd = accepts_silently(
    ALG,
    ("hash", ("hash", "sha256"), "local"),
    ("rng", ("rng", "stdrng", 0x1000, 0x1000), "local"),
    # A type that is not the protocol's: the socket is the same for all four.
    ("hash", ("aead", "gcm(aes)"), "local"),
)
test_bytes = packs(
    ALG,
    (
        "hash", ("hash", "sha256", 0x1234, 2**32 + 5),
        f"2600 {b'hash'.hex()}{'00' * 10} 34120000 05000000 {b'sha256'.hex()}{'00' * 58}",
        ("hash", "sha256", 0x1234, 5),
    ),
)  # fmt: skip
test_advice = explains(
    ALG,
    ("hash", "bind", "ENOENT", "no algorithm", "/proc/crypto"),
    ("hash", "socket", "EAFNOSUPPORT", "no algorithms", "af_alg"),
    ("hash", "accept", "ENOKEY", "key", "ALG_SET_KEY"),
    ("hash", "connect", "EOPNOTSUPP", "no peer", "bind"),
)
