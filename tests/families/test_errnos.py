"""What the man pages and the kernel's sources say that a call may fail with has an explanation of its own.

The tables name calls and errnos by protocol; the explanations themselves are compared with kernels in
``tests/engine/test_errnos.py`` and ``tests/lab/test_errnos.py``.
"""

from __future__ import annotations

import errno
import os

import pytest

from sockexplorer.core.family import Family
from sockexplorer.core.general_advice import GENERAL
from sockexplorer.core.protocol import Protocol
from sockexplorer.families import all_families, find

EVERY = [(each, protocol) for each in all_families() for protocol in each.protocols]
STREAM = "bind EADDRINUSE EADDRNOTAVAIL EACCES EINVAL; connect ENETUNREACH EHOSTUNREACH ECONNREFUSED ETIMEDOUT EINVAL "
STREAM += "EADDRNOTAVAIL EALREADY; send EPIPE ECONNRESET ENOTCONN; read ECONNRESET ETIMEDOUT; listen EADDRINUSE"
DATAGRAM = "bind EADDRINUSE EADDRNOTAVAIL EACCES EINVAL; connect ENETUNREACH EHOSTUNREACH EACCES EADDRNOTAVAIL; "
DATAGRAM += "send EACCES EINVAL EMSGSIZE EDESTADDRREQ ENETUNREACH EHOSTUNREACH ECONNREFUSED EPERM ENOBUFS; "
DATAGRAM += "read ECONNREFUSED EHOSTUNREACH EMSGSIZE; socket EINVAL ESOCKTNOSUPPORT EPROTONOSUPPORT"
TABLES = {
    "unix/stream": "socket EPROTONOSUPPORT ESOCKTNOSUPPORT; bind EADDRINUSE ENOENT EACCES EINVAL EPERM ENOTDIR ENOSPC; "
    "connect ENOENT ECONNREFUSED EPROTOTYPE EACCES EINVAL EAGAIN EPERM ENOTDIR; send EPIPE EISCONN EOPNOTSUPP; "
    "read ECONNRESET; listen EINVAL",
    "unix/dgram": "send ENOTCONN EMSGSIZE EAGAIN EPERM EINVAL ENOENT ECONNREFUSED EPROTOTYPE EACCES ETOOMANYREFS",
    "unix/seqpacket": "connect EPROTOTYPE ECONNREFUSED EAGAIN; send EMSGSIZE EAGAIN EPIPE; read ECONNRESET",
    "inet/udp": DATAGRAM + "; setsockopt ENOPROTOOPT ENODEV",
    "inet/udplite": DATAGRAM,
    "inet/tcp": STREAM,
    "inet/mptcp": STREAM + "; socket ENOPROTOOPT",
    "inet/sctp": STREAM + "; connect ENOPROTOOPT; send EMSGSIZE",
    "inet/dccp": STREAM + "; socket ESOCKTNOSUPPORT; connect EBADRQC EUSERS",
    "inet/icmp": DATAGRAM + "; socket EACCES EPERM",
    "inet/raw": "socket EPERM EPROTONOSUPPORT EINVAL; bind EADDRNOTAVAIL EINVAL; send EACCES EMSGSIZE EDESTADDRREQ "
    "EINVAL; connect EACCES ENETUNREACH; read ENOPROTOOPT EPROTO EHOSTDOWN ENONET; setsockopt EOPNOTSUPP",
    "inet6/udp": DATAGRAM + "; bind ENODEV; connect EINVAL; socket EAFNOSUPPORT; send EADDRNOTAVAIL; read EACCES",
    "inet6/udplite": DATAGRAM + "; bind ENODEV; connect EINVAL",
    "inet6/tcp": STREAM + "; socket EAFNOSUPPORT; connect EACCES EAFNOSUPPORT",
    "inet6/mptcp": STREAM,
    "inet6/sctp": STREAM,
    "inet6/dccp": STREAM,
    "inet6/icmp": DATAGRAM + "; socket EACCES EPERM",
    "inet6/raw": "socket EPERM EPROTONOSUPPORT; bind EADDRNOTAVAIL EINVAL ENODEV; send EINVAL EMSGSIZE EDESTADDRREQ",
    "netlink/route": "socket EPROTONOSUPPORT ESOCKTNOSUPPORT; bind EPERM EADDRINUSE EINVAL ENOENT; connect EPERM; "
    "send EPERM ECONNREFUSED ENODATA EMSGSIZE EAGAIN ENOBUFS; read ENOBUFS; setsockopt EINVAL EPERM",
    "netlink/audit": "bind EPERM",
    "netlink/usersock": "send ECONNREFUSED",
    "packet/raw": "socket EPERM ESOCKTNOSUPPORT; bind ENODEV EINVAL ENETDOWN; connect EOPNOTSUPP; "
    "send ENXIO ENETDOWN EMSGSIZE ENOBUFS EINVAL EAGAIN; read ENETDOWN ENODEV",
    "packet/dgram": "socket EPERM; connect EOPNOTSUPP; send EINVAL ENXIO EMSGSIZE",
    "can/raw": "socket EAFNOSUPPORT EPROTONOSUPPORT EPROTOTYPE EINVAL; bind ENODEV; connect EOPNOTSUPP; "
    "send EINVAL EMSGSIZE ENXIO ENETDOWN ENOBUFS EPERM; read ENETDOWN ENODEV; setsockopt EINVAL",
    "can/bcm": "socket EPROTONOSUPPORT; bind EOPNOTSUPP; connect ENODEV EISCONN; send ENOTCONN ENODEV EINVAL E2BIG "
    "ENETDOWN; read ENETDOWN ENODEV",
    "can/isotp": "socket EPROTONOSUPPORT; bind EADDRNOTAVAIL EINVAL ENODEV EAGAIN; connect EOPNOTSUPP; send "
    "EADDRNOTAVAIL EINVAL EAGAIN ENXIO ECOMM; read ECOMM ETIMEDOUT EILSEQ EBADMSG EMSGSIZE ENETDOWN; "
    "setsockopt EISCONN EINVAL",
    "can/j1939": "socket EPROTONOSUPPORT; bind ENODEV EINVAL ENETDOWN; connect EINVAL EACCES ENODEV EDESTADDRREQ; "
    "send EBADFD EACCES EADDRNOTAVAIL EINVAL EPROTO EDESTADDRREQ EMSGSIZE EDOM EBUSY EAGAIN ENOBUFS; "
    "read EHOSTUNREACH ETIME EALREADY EBADMSG EPROTO EILSEQ ENETDOWN ESHUTDOWN ENOTRECOVERABLE; setsockopt EDOM EPERM",
    "tipc/stream": "socket EAFNOSUPPORT EPROTONOSUPPORT EPROTOTYPE; bind EAFNOSUPPORT EACCES EINVAL EADDRINUSE; "
    "connect EHOSTUNREACH ECONNREFUSED ETIMEDOUT EINVAL EOPNOTSUPP EALREADY; send ENOTCONN EPIPE EAGAIN ECONNRESET; "
    "read ECONNRESET ECONNABORTED ENOTCONN",
    "tipc/seqpacket": "connect EHOSTUNREACH ECONNREFUSED ETIMEDOUT; send EMSGSIZE",
    "tipc/rdm": "bind EAFNOSUPPORT EACCES EINVAL; send EHOSTUNREACH EDESTADDRREQ EMSGSIZE EINVAL; "
    "setsockopt EINVAL EACCES",
    "tipc/dgram": "send EHOSTUNREACH EDESTADDRREQ EMSGSIZE EINVAL",
    "alg/hash": "socket EAFNOSUPPORT ESOCKTNOSUPPORT EPROTONOSUPPORT; bind ENOENT EINVAL EBUSY ELIBBAD; connect "
    "EOPNOTSUPP; accept EINVAL; send ENOKEY EBUSY; read ENOKEY; setsockopt ENOSYS EINVAL ENOPROTOOPT EBUSY",
    "alg/skcipher": "setsockopt EINVAL EBUSY; send ENOKEY EINVAL EAGAIN; read EINVAL ENOKEY EAGAIN",
    "alg/aead": "setsockopt EINVAL ENOPROTOOPT; send ENOKEY EINVAL; read EBADMSG EINVAL EAGAIN",
    "alg/rng": "setsockopt EINVAL EACCES EMSGSIZE; read EINVAL; send EOPNOTSUPP",
    "vsock/stream": "socket EAFNOSUPPORT ENODEV ESOCKTNOSUPPORT EPROTONOSUPPORT; bind EADDRNOTAVAIL EACCES EADDRINUSE "
    "EINVAL; connect ENODEV EHOSTUNREACH ECONNRESET ETIMEDOUT ENETUNREACH ESOCKTNOSUPPORT EINVAL; send EPIPE ENOTCONN; "
    "read ECONNRESET ENOTCONN; listen EINVAL",
    "vsock/seqpacket": "connect ESOCKTNOSUPPORT ECONNRESET; read ENOMEM; send EMSGSIZE",
    "vsock/dgram": "socket ENODEV; bind EADDRNOTAVAIL EACCES EADDRINUSE EINVAL",
    "qipcrtr/dgram": "socket EAFNOSUPPORT EPROTOTYPE; bind EINVAL EACCES EADDRINUSE; send ENODEV ECONNRESET ENOTCONN "
    "ENOSPC EMSGSIZE EINVAL EPIPE EAGAIN; read ENETRESET EADDRNOTAVAIL",
    "rds/seqpacket": "socket EAFNOSUPPORT ESOCKTNOSUPPORT; bind EINVAL EADDRNOTAVAIL EADDRINUSE ENOPROTOOPT; "
    "connect EDESTADDRREQ EINVAL; send ENOTCONN EINVAL EMSGSIZE ENOBUFS EAGAIN EHOSTUNREACH ENETUNREACH; setsockopt "
    "EOPNOTSUPP ENOPROTOOPT",
    "bluetooth/l2cap": "socket EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EPERM EINVAL; bind EINVAL EACCES "
    "EADDRINUSE EBADFD; connect EHOSTDOWN ECONNREFUSED ETIMEDOUT EHOSTUNREACH EINVAL EBUSY; "
    "send EMSGSIZE ENOTCONN; listen EBADFD",
    "bluetooth/rfcomm": "bind EADDRINUSE EBADFD; listen EINVAL; connect EINVAL EHOSTDOWN ECONNREFUSED EHOSTUNREACH; "
    "read ECONNRESET",
    "bluetooth/hci": "bind ENODEV EBUSY EPERM EINVAL EALREADY EUSERS; send EBADFD ENETDOWN EPERM EINVAL EOPNOTSUPP; "
    "connect EOPNOTSUPP; read EPIPE",
    "bluetooth/sco": "connect EHOSTUNREACH EHOSTDOWN ECONNREFUSED EOPNOTSUPP EBUSY; listen EADDRINUSE; send EINVAL "
    "ENOTCONN",
    "system/control": "connect EPERM EACCES EBUSY ENOENT; send ENOTCONN ENOBUFS",
    "hyperv/raw": "bind EACCES EADDRINUSE EADDRNOTAVAIL; connect ECONNREFUSED ETIMEDOUT EHOSTUNREACH",
    "divert/raw": "socket EPERM EAFNOSUPPORT EPROTONOSUPPORT; bind EADDRINUSE; send EINVAL EMSGSIZE ENOBUFS",
}
"""By protocol: each call with its errnos. From the man page of each family, and the return values in the kernel."""
ROWS = [
    (path, call.split()[0], name)
    for path, table in TABLES.items()
    for call in table.split(";")
    for name in call.split()[1:]
]
BY_THE_DECLARATION = {("socket", "EAFNOSUPPORT"), ("socket", "EPROTONOSUPPORT"), ("socket", "EPERM")}
"""Explained from the modules and rights that the family declares: the sentence is general, its words are not."""


@pytest.mark.parametrize(("path", "call", "name"), ROWS, ids=["-".join(row).replace("/", "-") for row in ROWS])
def test_an_errno_has_an_explanation_of_its_family(path: str, call: str, name: str) -> None:
    family, protocol = find(path)
    advice = family.explain(protocol, call, name)
    assert advice.what != f"{os.strerror(getattr(errno, name))}."
    assert advice.fixes
    if (call, name) in BY_THE_DECLARATION:
        assert family.constant in advice.what or (call, name) in family.explanations(protocol)
    else:
        assert advice not in GENERAL.values(), "what is said holds for any family"


def test_every_protocol_is_in_the_tables() -> None:
    told = {tuple(path.split("/")) for path in TABLES}
    every = {(each.name, protocol.name) for each, protocol in EVERY if each.name != "netlink"}
    assert every <= told, every - told


@pytest.mark.parametrize(("each", "protocol"), EVERY, ids=lambda value: getattr(value, "name", ""))
def test_what_is_declared_can_be_read_and_tried(each: Family, protocol: Protocol) -> None:
    calls = {"*", "socket", "setsockopt", "bind", "listen", "connect", "accept", "send", "read"}
    assert set(each.protocol_advice) <= {protocol.name for protocol in each.protocols}, "a table of no protocol"
    for (call, name), advice in each.explanations(protocol).items():
        assert call in calls, (call, name)
        assert hasattr(errno, name), name
        assert not advice.what[0].islower(), advice
        assert advice.what.endswith("."), advice
        assert len(advice.what) < 320, "nobody reads it"
        assert advice.fixes, (call, name)
        assert len(set(advice.fixes)) == len(advice.fixes)
        for fix in advice.fixes:
            assert fix == fix.strip()
            assert not fix.endswith(".")
            assert len(fix) < 200, fix


def test_a_protocols_own_explanation_goes_before_the_familys() -> None:
    family, isotp = find("can/isotp")
    raw = family.protocol("raw")
    assert "flow control" in family.explain(isotp, "read", "ECOMM").what
    assert family.explain(raw, "bind", "ENODEV") != family.explain(isotp, "bind", "ENODEV")
    assert family.explain(raw, "read", "ENETDOWN") == family.explain(isotp, "read", "ENETDOWN")


def test_an_unknown_errno_is_told_in_the_systems_words() -> None:
    family, udp = find("inet/udp")
    assert family.explain(udp, "send", "ENOANO").what == f"{os.strerror(errno.ENOANO)}."
    assert family.explain(udp, "send", "E_UNKNOWN").what == "The call failed."
