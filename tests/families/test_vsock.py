"""AF_VSOCK: (cid, port). Source: vsock(7), <linux/vm_sockets.h>; ``case AF_VSOCK``, read and run."""

from __future__ import annotations

from family_tables import (
    OK,
    accepts_silently,
    decides,
    explains,
    misreads,
    packs,
    reads,
    refuses,
    shows,
    suggests,
    warns,
)

from sockexplorer.families import family

VSOCK = family("vsock")
ANY = 0xFFFFFFFF

test_plain_forms = reads(
    VSOCK,
    ("stream", "any:1234", (ANY, 1234)),
    ("stream", "2:any", (2, ANY)),
    ("stream", "HOST:1234", (2, 1234)),
    ("stream", "local:1234", (1, 1234)),
    ("stream", "hypervisor:1234", (0, 1234)),
    ("stream", "VMADDR_CID_HOST:VMADDR_PORT_ANY", (2, ANY)),
    ("stream", "3:0x1234", (3, 0x1234)),
)
test_wrong_plain_forms = misreads(
    VSOCK,
    ("stream", "", "", "write 2:1234"),
    ("stream", "host", "", "write 2:1234"),
    ("stream", "2:x", "port", "is not a number"),
    ("stream", "guest:1", "cid", "VMADDR_CID_ANY"),
)
test_rows = shows(
    VSOCK, ((2, 1234), "host:1234"), ((ANY, ANY), "any:any"), ((1, 5), "local:5"), ((0, 5), "hypervisor:5"),
    ((3, 5), "3:5"), (("2", 5), "('2', 5)"),
)  # fmt: skip
test_the_parser = decides(
    VSOCK,
    # It masks whatever number it gets; messages name no call.
    ("stream", (-1, -1), OK),
    ("stream", (2**70, 1), OK),
    ("stream", (2,), "TypeError: getsockaddrarg() takes exactly 2 arguments (1 given)"),
    ("stream", [2, 1], "TypeError: getsockaddrarg: AF_VSOCK address must be tuple, not list"),
    ("stream", ("2", 1), "TypeError: 'str' object cannot be interpreted as an integer"),
)
test_refusals = refuses(VSOCK, ("stream", ("2", 1), "cid", "without quotes"), ("stream", (2,), "", "(cid, port)"))
test_warnings = warns(
    VSOCK,
    ("stream", (2**32 + 2, 1234), "remote", "cid", "passes 2"),
    ("stream", (ANY, 1023), "local", "port", "CAP_NET_BIND_SERVICE"),
    ("stream", (-1, 1234), "remote", "cid", "is for bind"),
    ("stream", (2, -2), "remote", "port", "passes 4294967294"),
)
test_nothing_odd = accepts_silently(
    VSOCK,
    ("stream", (ANY, 1024), "local"),
    ("stream", (2, 80), "remote"),
    # -1 is how C writes VMADDR_CID_ANY and VMADDR_PORT_ANY.
    ("stream", (-1, -1), "local"),
)
test_bytes = packs(
    VSOCK,
    # The port stands before the cid, other than in the tuple.
    ("stream", (2, 0x1234), "2800 0000 34120000 02000000 00 000000", (2, 0x1234)),
    ("stream", (-1, 2**32), "2800 0000 00000000 ffffffff 00 000000", (ANY, 0)),
)
test_advice = explains(
    VSOCK,
    ("stream", "bind", "EADDRNOTAVAIL", "not this machine's", "vsock_loopback"),
    ("stream", "listen", "EADDRNOTAVAIL", "not this machine's", "VMADDR_CID_ANY"),
    ("stream", "bind", "EACCES", "below 1024", "from 1024 up"),
    ("stream", "connect", "ENODEV", "transport", "vhost_vsock"),
    ("stream", "connect", "ECONNRESET", "Nobody listens", "start the server"),
)
test_commands = suggests(VSOCK, ("stream", (ANY, 1234), "socat - VSOCK-CONNECT:1:1234"), ("seqpacket", (ANY, 1234), ""))
