"""What an errno means for AF_ALG, by call and by type of algorithm. Source: crypto/af_alg.c, algif_*.c of Linux."""

from __future__ import annotations

from collections.abc import Mapping

from sockexplorer.core.advice import Advice, AdviceTable, rights

NO_MODULE = Advice(
    "This kernel offers no algorithms to programs.",
    ("sudo modprobe -a af_alg algif_hash algif_skcipher algif_aead algif_rng, if this system has those modules",),
)
ADVICE: AdviceTable = {
    ("socket", "EAFNOSUPPORT"): NO_MODULE,
    ("socket", "ESOCKTNOSUPPORT"): Advice("Algorithms have sequenced packets only.", ("choose SOCK_SEQPACKET",)),
    ("socket", "EPROTONOSUPPORT"): Advice("Algorithms have the protocol 0 only.", ("write proto 0",)),
    ("bind", "ENOENT"): Advice(
        "The kernel has no algorithm of that type and name: it was built without, its module (algif_hash, "
        "algif_skcipher, algif_aead, algif_rng) is not loaded, or the name is misspelt.",
        (
            "look at: grep -A9 '^name' /proc/crypto",
            "names look like sha256, hmac(sha256), cbc(aes), gcm(aes)",
            "sudo modprobe -a algif_hash algif_skcipher algif_aead algif_rng",
        ),
    ),
    ("bind", "EINVAL"): Advice(
        "The name is an algorithm of another type, or its parts do not fit; or feat or mask has a flag that "
        "programs may not set.",
        ("choose the type as in /proc/crypto", "leave feat and mask at 0"),
    ),
    ("bind", "EBUSY"): Advice("An accepted socket still uses the algorithm.", ("close it, then bind again",)),
    ("bind", "ELIBBAD"): Advice(
        "The algorithm failed the kernel's self-test, or is forbidden in FIPS mode.",
        ("choose another one", "look at: sudo dmesg; cat /proc/sys/crypto/fips_enabled"),
    ),
    ("bind", "ENODEV"): Advice("The driver of the algorithm found no device.", ("choose another one",)),
    ("connect", "EOPNOTSUPP"): Advice("An algorithm has no peer.", ("bind it",)),
    ("listen", "EOPNOTSUPP"): Advice("An algorithm has no peers to listen for.", ("bind it, then accept",)),
    ("accept", "EINVAL"): Advice("The socket is not bound to an algorithm.", ("bind it first",)),
    ("*", "ENOKEY"): Advice(
        "The algorithm wants its key first: a cipher or an HMAC computes nothing without.",
        ("set ALG_SET_KEY on the bound socket, before accept",),
    ),
    ("setsockopt", "EBUSY"): Advice(
        "An accepted socket uses the algorithm, so its key stays as it is.", ("close the accepted socket first",)
    ),
    ("setsockopt", "ENOPROTOOPT"): Advice(
        "The algorithm's type does not have the option, or the socket is not bound yet.",
        ("set it after bind", "leave it out"),
    ),
    ("setsockopt", "EKEYREVOKED"): Advice(
        "The key of that number was revoked in the kernel's keyring.", ("look at: keyctl show",)
    ),
    ("setsockopt", "EMSGSIZE"): Advice("A seed or its entropy has at most 128 bytes.", ("give less",)),
    ("setsockopt", "EACCES"): Advice(
        "ALG_SET_DRBG_ENTROPY needs CAP_SYS_ADMIN.", rights("CAP_SYS_ADMIN", namespace=False)
    ),
    ("send", "EBUSY"): Advice("An earlier message on this socket is still being computed.", ("read its result first",)),
    ("*", "EAGAIN"): Advice(
        "The kernel waits: for more input before it gives a result, or for its result to be read before it takes more.",
        ("read what is there", "send the rest of the message, the last part without MSG_MORE"),
    ),
    ("*", "ENOMEM"): Advice(
        "The memory that a socket may use for this is full (net.core.optmem_max).",
        ("send less at once", "sudo sysctl net.core.optmem_max=1048576"),
    ),
}
PROTOCOL_ADVICE: Mapping[str, AdviceTable] = {
    "hash": {
        ("setsockopt", "ENOSYS"): Advice(
            "This hash has no key: only an HMAC, a CMAC and the like have.",
            ("leave the key out", "name the keyed one: hmac(sha256)"),
        ),
        ("setsockopt", "EINVAL"): Advice(
            "The key is not as long as this algorithm wants it.", ("look at: grep -A12 'hmac' /proc/crypto",)
        ),
    },
    "skcipher": {
        ("setsockopt", "EINVAL"): Advice(
            "The key is not as long as the cipher wants it: 16, 24 or 32 bytes for AES, twice 16 or 32 for XTS.",
            ("see min and max keysize: grep -A12 'cbc(aes)' /proc/crypto",),
        ),
        ("send", "EINVAL"): Advice(
            "The IV is not as long as the cipher wants it, op is neither encrypt nor decrypt, or the last message "
            "was not read.",
            ("see ivsize: grep -A12 'cbc(aes)' /proc/crypto", "read the result first"),
        ),
        ("read", "EINVAL"): Advice(
            "The text is not a whole number of the cipher's blocks (16 bytes for AES in CBC or ECB), or shorter "
            "than one.",
            ("pad the text", "choose a mode that takes any length: ctr(aes)"),
        ),
    },
    "aead": {
        ("setsockopt", "EINVAL"): Advice(
            "The key is not as long as the cipher wants it (16, 24 or 32 bytes for AES), or it makes no tag of "
            "that length (GCM 4, 8, 12 to 16).",
            ("see keysize and maxauthsize: grep -A12 'gcm(aes)' /proc/crypto",),
        ),
        ("send", "EINVAL"): Advice(
            "The IV is not as long as the cipher wants it (12 bytes for GCM), op is neither encrypt nor decrypt, "
            "or the "
            "last message was not read.",
            ("see ivsize: grep -A12 'gcm(aes)' /proc/crypto", "read the result first"),
        ),
        ("read", "EINVAL"): Advice(
            "The message is shorter than its associated data (assoclen), or, to decrypt, than that and the tag; or "
            "fewer bytes were asked for than the result has; or the IV is none that the mode takes.",
            ("check assoclen", "send data, text and tag together", "ask for the whole result"),
        ),
        ("read", "EBADMSG"): Advice(
            "The tag does not fit: the text, the associated data, the tag, the key or the IV is not what was "
            "sealed. Nothing of the text is given out.",
            (
                "check key, IV and assoclen",
                "check that the tag stands last, with the length of ALG_SET_AEAD_AUTHSIZE",
            ),
        ),
    },
    "rng": {
        ("read", "EINVAL"): Advice(
            "The generator wants its seed first.",
            (
                "set ALG_SET_KEY on the bound socket: 48 random bytes for stdrng",
                "use jitterentropy_rng, which wants none",
            ),
        ),
        ("setsockopt", "EINVAL"): Advice(
            "The seed is shorter than the generator wants it.", ("give 48 bytes", "see seedsize: cat /proc/crypto")
        ),
        ("send", "EOPNOTSUPP"): Advice("A generator takes no data.", ("only read from it",)),
    },
}
