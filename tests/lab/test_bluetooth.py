"""Bluetooth between two virtual controllers, by number and by Python's own name: what is shown is what was sent."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from both_ways import by_number
from support import INTERPRETERS, PATIENCE, Desk, interpreter, rows

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

import vhci

from sockexplorer.client.client import Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.engine import opening
from sockexplorer.families import find

HERE, THERE, NOWHERE = "00:AA:01:00:00:00", "00:AA:01:00:00:01", "00:AA:01:00:00:99"
READ_VERSION, READ_ADDRESS, INQUIRY = 0x1001, 0x1009, 0x0401
ENDS = {"l2cap": "0x1001", "rfcomm": "5", "sco": ""}


@pytest.fixture(scope="module", autouse=True)
def controllers() -> Iterator[list[vhci.Controller]]:
    with vhci.controllers(2) as made:
        assert [vhci.address_text(each.address) for each in made] == [HERE, THERE]
        yield made


@cache
def has_bluetooth(python: str) -> bool:
    """Whether an interpreter was built with AF_BLUETOOTH."""
    command = [python, "-c", "import socket, sys; sys.exit(not hasattr(socket, 'AF_BLUETOOTH'))"]
    return subprocess.run(command, check=False).returncode == 0


@cache
def python_without_bluetooth() -> str:
    """An interpreter that lacks AF_BLUETOOTH, as most builds do. Skips where there is none."""
    if not has_bluetooth(sys.executable):
        return sys.executable
    found = (each for version in INTERPRETERS for each in INTERPRETERS[version] if shutil.which(each))
    python = next((each for each in found if not has_bluetooth(each)), None)
    return python or pytest.skip("every Python here has AF_BLUETOOTH")


@pytest.fixture(
    params=["by number, thread", pytest.param("by number, process", marks=pytest.mark.other_pythons), "Python's own"]
)
def desk(
    request: pytest.FixtureRequest,
    desks: Callable[..., Desk],
    engines: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """A hub whose engine speaks Bluetooth: through libc, or with an interpreter that has AF_BLUETOOTH."""
    if request.param == "by number, thread":
        monkeypatch.setattr(opening, "make_socket", by_number)
        yield desks()
        return
    own = request.param == "Python's own"
    python = interpreter("the system's") if own else python_without_bluetooth()
    assert has_bluetooth(python) is own, "Debian's Python has AF_BLUETOOTH"
    desk = engines(python)
    yield desk
    desk.leave()


def address(protocol: str, text: str) -> object:
    """The address as a person types it."""
    family, declared = find(f"bluetooth/{protocol}")
    return family.read(declared, text)


def end(protocol: str, device: str) -> object:
    """The address of the tests' service of a device."""
    return address(protocol, f"{device} {ENDS[protocol]}".strip())


def command(opcode: int, data: bytes = b"") -> bytes:
    """A command packet of HCI (Vol 4 Part A)."""
    return struct.pack("<BHB", 1, opcode, len(data)) + data


def events(session: Session, code: int) -> list[bytes]:
    """The event packets of that code that a session has received."""
    return [each.payload for each in rows(session) if not each.event and each.payload[:2] == bytes([4, code])]


# --- HCI -----------------------------------------------------------------------------------------------------


def test_how_it_was_opened_is_told(desk: Desk, request: pytest.FixtureRequest) -> None:
    session = desk.open("bluetooth/hci", local=address("hci", "hci0"))
    own = request.node.callspec.params["desk"] == "Python's own"
    assert session.by_number is not own
    told = [each.meta["text"] for each in rows(session) if each.event == "by-number"]
    assert told == ([] if own else ["opened by number: this Python has no AF_BLUETOOTH"])


def test_hci_answers_a_command(desk: Desk) -> None:
    session = desk.open("bluetooth/hci", local=address("hci", "hci1"))
    assert session.local == 1
    sent = command(READ_ADDRESS)
    assert desk.send(session, sent) == len(sent)
    desk.until(lambda: events(session, 0x0E), "Command Complete")
    (complete,) = events(session, 0x0E)
    assert complete == bytes([4, 0x0E, 10, 1, 0x09, 0x10, 0]) + bytes.fromhex("010000 01AA00")
    assert [each.payload for each in rows(session) if each.outgoing and not each.event] == [sent]
    assert session.log.bytes_out == len(sent)


def test_hci_sees_what_happens_on_the_air(desk: Desk) -> None:
    session = desk.open("bluetooth/hci", local=address("hci", "hci0"))
    # General inquiry for 1.28 s, any number of answers.
    desk.send(session, command(INQUIRY, bytes.fromhex("338b9e 01 00")))
    desk.until(lambda: events(session, 0x01), "Inquiry Complete")
    (found,) = events(session, 0x02)
    assert found[4:10] == bytes.fromhex("010000 01AA00")


def test_a_filter_of_ones_own_keeps_events_out(desk: Desk) -> None:
    only_inquiry_complete = SetOption("SOL_HCI", "HCI_FILTER", struct.pack("<IIIHxx", 1 << 4, 1 << 1, 0, 0))
    deaf = desk.open("bluetooth/hci", local=address("hci", "hci0"), options=(only_inquiry_complete,))
    session = desk.open("bluetooth/hci", local=address("hci", "hci0"))
    desk.send(session, command(READ_VERSION))
    desk.until(lambda: events(session, 0x0E), "Command Complete, as everything is let through")
    desk.close(deaf)  # what had arrived is read before the end
    assert not events(deaf, 0x0E)


def test_an_adapter_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        desk.open("bluetooth/hci", local=address("hci", "hci9"))
    assert (caught.value.problem.stage, caught.value.problem.name) == ("bind", "ENODEV")
    assert "no such adapter" in caught.value.problem.what


# --- L2CAP, RFCOMM, SCO --------------------------------------------------------------------------------------


@contextlib.contextmanager
def connected(desk: Desk, protocol: str) -> Iterator[tuple[Session, Session]]:
    """A listener on one controller, and who connects to it from the other."""
    server = desk.open(f"bluetooth/{protocol}", "listen", local=end(protocol, THERE))
    client = desk.open(f"bluetooth/{protocol}", "connect", remote=end(protocol, THERE))
    desk.until(lambda: client.state == "connected" and server.connections, f"both ends; {client.state}")
    yield server, client
    desk.close(client)
    desk.close(server)


@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm", "sco"])
def test_both_ways(desk: Desk, protocol: str) -> None:
    there, back = (b"t" * 48, b"b" * 48) if protocol == "sco" else (b"there\0\xff", b"and back")
    with connected(desk, protocol) as (server, client):
        shown = server.peers[server.connections[0]]
        assert shown.name.startswith(HERE)
        assert client.peers[client.connections[0]].name.startswith(THERE)
        assert desk.send(client, there) == len(there)
        frame = desk.incoming(server, 1)[0]
        assert (frame.payload, frame.length, frame.peer) == (there, len(there), shown.number)
        assert desk.send(server, back, peer=shown.number) == len(back)
        frame = desk.incoming(client, 1)[0]
        assert (frame.payload, frame.length) == (back, len(back))
        desk.close(client)
        assert desk.event(server, "closed").meta["text"] == "closed by the peer"
        assert not server.connections


def test_names_are_the_kernels(desk: Desk) -> None:
    for protocol, local, remote in (
        ("l2cap", (THERE, 0x1001), (THERE, 0x1001)),
        ("rfcomm", (THERE, 5), (THERE, 5)),
        ("sco", THERE, THERE),
    ):
        with connected(desk, protocol) as (server, client):
            assert (server.local, client.remote) == (local, remote)


def test_messages_keep_their_bounds(desk: Desk) -> None:
    with connected(desk, "l2cap") as (server, client):
        sent = [bytes([number]) * (number * 37 + 1) for number in range(12)]
        for each in sent:
            desk.send(client, each)
        assert [each.payload for each in desk.incoming(server, len(sent))] == sent


@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm"])
def test_what_came_before_the_end_is_kept(desk: Desk, protocol: str) -> None:
    with connected(desk, protocol) as (server, client):
        for number in range(12):
            desk.send(client, b"%04d" % number)
        desk.close(client)
        desk.event(server, "closed")
        got = b"".join(each.payload for each in rows(server) if not each.event and not each.outgoing)
    assert got == b"".join(b"%04d" % number for number in range(12))


def test_a_stream_arrives_whole(desk: Desk) -> None:
    with connected(desk, "rfcomm") as (server, client):
        sent = bytes(range(256)) * 64
        desk.send(client, sent)
        assert desk.stream(server, len(sent)) == sent


def test_several_peers_are_told_apart(desk: Desk) -> None:
    with connected(desk, "l2cap") as (server, first):
        second = desk.open("bluetooth/l2cap", "connect", remote=end("l2cap", THERE))
        desk.until(lambda: len(server.connections) == 2 and second.state == "connected", "two peers")
        desk.send(first, b"first")
        desk.send(second, b"second")
        by_peer = {each.peer: each.payload for each in desk.incoming(server, 2)}
        assert sorted(by_peer.values()) == [b"first", b"second"]
        for peer, payload in by_peer.items():
            desk.send(server, payload + b" too", peer=peer)
        assert desk.incoming(first, 1)[0].payload == b"first too"
        assert desk.incoming(second, 1)[0].payload == b"second too"
        desk.close(second)


@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm"])
def test_nobody_is_there(desk: Desk, protocol: str) -> None:
    session = desk.open(f"bluetooth/{protocol}", "connect", remote=end(protocol, NOWHERE))
    desk.until(lambda: session.state == "failed", "the refusal")
    failure = desk.event(session, "error").meta["failure"]
    assert (failure["stage"], failure["name"]) == ("connect", "EHOSTDOWN")
    assert failure["what"].startswith("The device does not answer: it is off, away,")


@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm"])
def test_no_service_is_there(desk: Desk, protocol: str) -> None:
    text = f"{THERE} {'0x1003' if protocol == 'l2cap' else '9'}"
    session = desk.open(f"bluetooth/{protocol}", "connect", remote=address(protocol, text))
    desk.until(lambda: session.state == "failed", "the refusal")
    assert desk.event(session, "error").meta["failure"]["name"] == "ECONNREFUSED"


def test_a_service_that_is_taken(desk: Desk) -> None:
    with connected(desk, "l2cap"), pytest.raises(Refused) as caught:
        desk.open("bluetooth/l2cap", "listen", local=end("l2cap", THERE))
    assert caught.value.problem.name == "EADDRINUSE"


def test_an_option_is_set(desk: Desk) -> None:
    # BT_SECURITY is a structure; BT_FLUSHABLE (8) of SOL_BLUETOOTH (274) an int.
    options = (SetOption("274", "8", 1),)
    session = desk.open("bluetooth/l2cap", "listen", local=end("l2cap", HERE), options=options)
    assert session.state == "listening"


# --- without the screen --------------------------------------------------------------------------------------


def sockexplorer(*arguments: str) -> list[str]:
    """The command line of this interpreter."""
    return [sys.executable, "-m", "sockexplorer", *arguments]


@contextlib.contextmanager
def watched(*arguments: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The frames that ``sockexplorer watch`` prints, once it is open."""
    command = sockexplorer("watch", *arguments, "--json", "--for", "600")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stderr is not None
        assert watching.stdout is not None
        said = ""
        wanted = [" on '", " on ("] if "hci" not in arguments[0] else ["bound to 0"]
        told = "" if hasattr(socket, "AF_BLUETOOTH") else "opened by number: this Python has no AF_BLUETOOTH"
        while told not in said or not any(each in said for each in wanted):
            line = watching.stderr.readline()
            assert line, said
            said += line
        try:
            yield map(json.loads, watching.stdout)
        finally:
            watching.terminate()
            watching.communicate(timeout=PATIENCE)


def send(*arguments: str) -> str:
    """``sockexplorer send``; what it says on stderr."""
    done = subprocess.run(
        sockexplorer("send", *arguments), capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("protocol", ["l2cap", "rfcomm", "sco"])
def test_watch_and_send(run: Callable[..., Any], protocol: str) -> None:
    there = f"{THERE} {ENDS[protocol]}".strip()
    with watched(f"bluetooth/{protocol}", "--bind", there) as frames:
        sending = run("send", f"bluetooth/{protocol}", "--connect", there, "--text", "v" * 48, "--wait", "600")
        sending.said("sent 48 bytes to")
        seen = next(frames)
        assert sending.end(signal.SIGINT) == 0
    assert (seen["payload"], seen["length"], seen["dir"]) == ((b"v" * 48).hex(), 48, "in")
    assert HERE in seen["peer"]


def test_watch_and_send_to_an_adapter() -> None:
    with watched("bluetooth/hci", "--bind", "hci0") as frames:
        said = send("bluetooth/hci", "--bind", "hci0", "--hex", command(READ_ADDRESS).hex())
        assert "sent 4 bytes to" in said
        # The kernel's own commands and other events are seen as well.
        answer = "040e0a0109100000000001aa00"
        seen = next(each for each in frames if each["payload"].startswith(answer[:14]))
    assert (seen["payload"], seen["dir"], seen["peer"]) == (answer, "in", None)
