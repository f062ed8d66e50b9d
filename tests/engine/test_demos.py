"""Every declared demonstration, played on the real kernel: both ends open, and what one says the other hears."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from support import Desk, needs, rows, unshare

from sockexplorer.client.demonstration import Demonstration
from sockexplorer.core.demo import OTHER, Demo
from sockexplorer.core.family import Family
from sockexplorer.core.protocol import Protocol
from sockexplorer.engine.verdict import judge
from sockexplorer.families import all_families, family

DEMOS = [
    (each, each.protocol(name), demo) for each in all_families() for name, demo in each.demos.items()
]  # fmt: skip
COMMON = ("inet/udp", "inet/tcp", "inet/icmp", "inet6/udp", "inet6/tcp", "inet6/icmp", "unix/stream", "unix/dgram",
          "unix/seqpacket", "netlink/route", "netlink/usersock", "packet/raw", "packet/dgram")  # fmt: skip
"""What every host of ours plays, given a namespace."""
every_demo = pytest.mark.parametrize(
    ("each", "protocol", "demo"),
    [
        pytest.param(
            *given, id=(path := f"{given[0].name}/{given[1].name}"),
            marks=() if path in COMMON else pytest.mark.optional_on_this_host(reason="not in every kernel"),
        )
        for given in DEMOS
    ],
)  # fmt: skip


def play(desk: Desk, each: Family, protocol: Protocol, demo: Demo) -> Demonstration:
    """Run a demonstration to its end."""
    run = Demonstration(desk.hub, each, protocol, demo)

    def over() -> bool:
        run.step()
        return run.over

    desk.until(over, f"the end of {each.name}/{protocol.name}")
    return run


def heard(run: Demonstration, at: int) -> list[bytes]:
    return [each.payload for each in rows(run.sessions[at]) if not each.event and not each.outgoing]


@every_demo
def test_what_one_end_says_the_other_hears(desk: Desk, each: Family, protocol: Protocol, demo: Demo) -> None:
    if demo.private:
        unshare()
    if not demo.private or each.name == "can":
        needs(f"{each.name}/{protocol.name}")
    run = play(desk, each, protocol, demo)
    if each.name == "vsock" and run.problem is not None and run.problem.name == "EADDRNOTAVAIL":
        pytest.skip("no vsock loopback in this kernel")
    assert run.problem is None, run.problem
    assert len(run.sessions) == len(demo.ends)
    said = [act.data for act in demo.acts]
    if len(demo.ends) == 1:
        desk.until(lambda: len(heard(run, 0)) >= len(said), "an answer to each message")
    elif each.name == "netlink" and protocol.name == "route":
        desk.until(lambda: len(heard(run, 0)) >= 2, "the loopback to go and to come")
    elif protocol.name == "bcm":
        desk.until(lambda: len(heard(run, 0)) >= 3, "three frames")
        assert {data[8:11] for data in heard(run, 0)} == {b"bcm"}
    elif not protocol.messages:
        for act in demo.acts:
            desk.until(lambda act=act: act.data in b"".join(heard(run, 1 - act.end)), f"{act.data!r}")
    else:
        for act in demo.acts:
            desk.until(lambda act=act: any(act.data in data for data in heard(run, 1 - act.end)), f"{act.data!r}")
    assert all(session.state in ("bound", "listening", "connected") for session in run.sessions)


@pytest.mark.parametrize("given", DEMOS, ids=lambda given: f"{given[0].name}/{given[1].name}")
def test_it_is_declared_soundly(given: tuple[Family, Protocol, Demo]) -> None:
    each, protocol, demo = given
    assert demo.says.endswith(".")
    assert 1 <= len(demo.ends) <= 2
    assert demo.acts
    for end in demo.ends:
        used = each.protocol(end.protocol) if end.protocol else protocol
        assert end.operation in (*used.operations, "bind")
        for address in (end.local, end.remote):
            if address is not None and address is not OTHER and not demo.private:
                assert judge(each, used, address, "local").accepted
    assert all(act.end < len(demo.ends) for act in demo.acts)


def test_private_ones_leave_the_hosts_network_alone(desk: Desk) -> None:
    unshare()
    names = "import socket; print(socket.if_nameindex())"
    before = subprocess.run([sys.executable, "-c", names], capture_output=True, check=True).stdout
    session = desk.open("packet/raw", local=("left", 3), private=True)
    assert session.local[0] == "left"  # type: ignore[index]
    after = subprocess.run([sys.executable, "-c", names], capture_output=True, check=True).stdout
    assert before == after
    assert b"left" not in after


def test_one_that_can_not_be_played_says_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk_taken(desk) as taken:
        demo = Demo("Two sockets want one address.", tuple(taken), family("inet").demos["udp"].acts)
        run = play(desk, family("inet"), family("inet").protocol("udp"), demo)
    assert run.problem is not None
    assert (run.problem.stage, run.problem.name) == ("demonstration: bind", "EADDRINUSE")
    assert run.problem.fixes


def desk_taken(desk: Desk) -> Any:
    """Two ends with one address, as a context."""
    import contextlib
    import socket

    from sockexplorer.core.demo import End

    @contextlib.contextmanager
    def made() -> Any:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            yield [End("bind", sock.getsockname()), End("bind", sock.getsockname())]

    return made()
