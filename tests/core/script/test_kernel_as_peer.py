"""Scripts whose peer is the kernel, in a network namespace of their own where they would hear the host's traffic."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts import Script, state
from support import inside, namespace_python, wait

from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.payload import from_text
from sockexplorer.families import find

Run = Callable[..., Script]
FRAME = bytes(12) + b"\x88\xb5ours"


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter in a network namespace of its own."""
    return namespace_python(tmp_path)


def sample(path: str) -> bytes:
    """What the form would send."""
    return from_text(find(path)[1].sample)


@pytest.mark.parametrize("operation", ["bind", "connect"])
def test_netlink_answers_the_sample(run: Run, operation: str) -> None:
    remote = (0, 0) if operation == "connect" else None
    script = run("netlink/route", operation, (0, 0), remote, payload=sample("netlink/route"))
    script.address()
    peer, data = script.message()
    assert peer == "(0, 0)"
    assert b"lo\0" in data
    script.stop()


def test_netlink_tells_of_devices(run: Run, python: str) -> None:
    script = run("netlink/kobject-uevent", "bind", (0, 1), python=python)
    script.address()
    inside(script.process.pid, "ip", "link", "add", "sx0", "type", "veth", "peer", "name", "sx1")
    peer, data = script.message()
    assert peer == "(0, 1)"
    assert data.startswith(b"add@/devices/virtual/net/sx")
    script.stop()


@pytest.mark.parametrize(("path", "host", "reply"), [("inet/icmp", "127.0.0.1", 0), ("inet6/icmp", "::1", 129)])
@pytest.mark.parametrize("operation", ["open", "bind", "connect"])
def test_ping(run: Run, python: str, path: str, host: str, reply: int, operation: str) -> None:
    script = run(path, operation, (host, 0), (host, 0), payload=sample(path), python=python)
    script.address()
    peer, data = script.message()
    assert host in peer
    assert data[0] == reply
    assert data[6:] == sample(path)[6:]
    script.stop()


@pytest.mark.parametrize("operation", ["bind", "connect"])
def test_raw_packets_with_their_header(run: Run, python: str, operation: str) -> None:
    remote = ("127.0.0.1", 0)
    script = run("inet/raw", operation, ("127.0.0.1", 0), remote, payload=sample("inet/raw"), python=python)
    script.address()
    request, reply = script.message(), script.message()
    assert request[0] == reply[0] == "('127.0.0.1', 0)"
    assert request[1][0] == reply[1][0] == 0x45
    assert request[1][20:] == sample("inet/raw")
    assert reply[1][20:22] + reply[1][24:] == bytes(6)  # the checksum of zeros may be either zero
    script.stop()


def test_raw_packets_of_another_protocol(run: Run, python: str) -> None:
    script = run("inet6/raw", "bind", ("::1", 0), ("::1", 0), payload=b"datagram", proto=17, python=python)
    script.address()
    assert script.message() == ("('::1', 0, 0, 0)", b"datagram")
    script.stop()


@pytest.mark.optional_on_this_host(reason="AF_PACKET needs CAP_NET_RAW or a user namespace")
@pytest.mark.parametrize("path", ["packet/raw", "packet/dgram"])
def test_packets_of_an_interface(run: Run, python: str, path: str) -> None:
    sent, received = (FRAME, FRAME) if path == "packet/raw" else (b"ours", b"ours")
    script = run(path, "bind", ("lo", 0x88B5), payload=sent, python=python)
    script.address()
    peer, data = script.message()
    assert peer.startswith("('lo', 34997, ")
    assert data == received
    script.stop()


def test_a_script_goes_on_after_the_kernel_lost_messages(run: Run, python: str) -> None:
    little = SetOption("SOL_SOCKET", "SO_RCVBUF", 1)
    script = run("netlink/route", "bind", (0, 1), options=(little,), python=python)
    script.address()
    wait(lambda: state(script.process.pid) == "S", "a script that waits")
    script.process.send_signal(signal.SIGSTOP)
    inside(script.process.pid, "sh", "-c", "for i in 1 2 3 4 5 6; do ip link set lo down; ip link set lo up; done")
    script.process.send_signal(signal.SIGCONT)
    # The call that it was stopped in may have its message already.
    line = script.line()
    if line.startswith("("):
        line = script.line()
    assert line == "messages were lost: they came faster than they were read"
    assert b"lo\0" in script.message()[1]
    script.stop()
