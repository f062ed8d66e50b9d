"""Item 1: what a datagram costs to keep, against C and the peers; and item 2, what a frame of a link does."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from sockexplorer.core.endpoint import Endpoint, SetOption
from speed import ours, place, processes
from speed.place import Place
from speed.processes import Failed
from speed.receiver import Program, Receiver, drain, ready
from speed.sender import Sender
from speed.table import Goal, Table

BUFFER = 512 * 2**20
RING_MIB = 128
UNFORCED = 150
"""Frames that the kernel's own default buffer holds."""
ROW_BYTES = 24
"""What the control writes before each datagram."""

Contestants = dict[str, Callable[[], Receiver]]


def udp(there: Place, table: Table, length: int, count: int, only_ours: bool = False) -> None:
    """One round of item 1."""
    port = there.port()
    file = there.file("received")

    def of_payload(size: int) -> int:
        return size // length

    endpoint = Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", port))
    contestants: Contestants = {
        "C": lambda: control(there, port, file, length),
        "sockexplorer": lambda: ours.Client(endpoint),
        "its log full": lambda: ours.Bounded(endpoint),
        "watch --write": lambda: ours.Watch("inet/udp", f"127.0.0.1:{port}", file),
    }
    peers: dict[str, tuple[str, Callable[[], Receiver]]] = {
        "nc.openbsd": ("netcat-openbsd", lambda: Program(
            ["nc.openbsd", "-u", "-l", "127.0.0.1", str(port)], file, of_payload, stdout=True)),
        "ncat": ("ncat", lambda: Program(
            ["ncat", "-u", "-l", "127.0.0.1", str(port)], file, of_payload, stdout=True)),
        "socat": ("socat", lambda: Program(
            ["socat", "-u", f"UDP-RECV:{port},bind=127.0.0.1", f"OPEN:{file},creat,trunc"], file, of_payload)),
    }  # fmt: skip
    _take_in(contestants, peers, table, only_ours)
    _drain_each(
        there, table, contestants, file, count if there.may_force else UNFORCED,
        lambda receiver: ready(port), lambda: Sender(there.control, "udp", port, length),
    )  # fmt: skip


def link(there: Place, table: Table, length: int, count: int, only_ours: bool = False) -> None:
    """One round of item 2, inside `place.veth`."""
    file = there.file("captured")

    def of_pcap(size: int) -> int:
        return (size - 24) // (16 + length)

    ring = SetOption("SOL_SOCKET", "SO_RCVBUF", RING_MIB * 2**20)
    endpoint = Endpoint("AF_PACKET", "raw", "bind", (place.NEAR, 3), options=(ring,))
    contestants: Contestants = {
        "C": lambda: _Blocks([str(there.control), "link", place.NEAR, str(file), str(RING_MIB)]),
        "sockexplorer": lambda: ours.Client(endpoint),
        "its log full": lambda: ours.Bounded(endpoint),
    }
    peers: dict[str, tuple[str, Callable[[], Receiver]]] = {
        "netsniff-ng": ("netsniff-ng", lambda: Program(
            ["netsniff-ng", "-i", place.NEAR, "-o", str(file), "-s", "-Q", "-S", f"{RING_MIB}MiB", "-T", "0xa1b2c3d4"],
            file, of_pcap, number=signal.SIGINT, drops=r"(\d+)\s+packets? dropped")),
        "tcpdump": ("tcpdump", lambda: Program(
            ["tcpdump", "-i", place.NEAR, "-w", str(file), "-B", str(RING_MIB * 1024), "-Z", "root"],
            file, of_pcap, number=signal.SIGINT, drops=r"(\d+) packets? dropped by kernel", quiet=1.5)),
    }  # fmt: skip
    _take_in(contestants, peers, table, only_ours)
    drained = _drain_each(
        there, table, contestants, file, count, _listens, lambda: Sender(there.control, "link", place.FAR, length)
    )
    for name, receiver in drained.items():
        drops = receiver.dropped()
        if drops is None:
            table.note(f"{name}: does not say what its ring dropped")
        else:
            table.add(f"{name}, frames its ring dropped", drops)


class _Blocks(Program):
    """The control writes whole blocks, and says itself how many frames they held."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(command, Path(command[3]), lambda size: 0, drops=r"\d+ (\d+)")
        self._said = 0

    def end(self) -> None:
        out, _ = processes.end(self._process)
        kept, drops = out.split()
        self._said, self._drops = int(kept), int(drops)

    def kept(self) -> int:
        return self._said


def control(there: Place, port: int, file: Path, length: int) -> Program:
    """The control, which writes the datagrams of a port to a file."""
    command = [str(there.control), "receive", str(port), str(file)]
    return Program(command, file, lambda size: size // (length + ROW_BYTES))


def _drain_each(
    there: Place, table: Table, contestants: Contestants, file: Path, count: int,
    listens: Callable[[Receiver], object], sender: Callable[[], Sender],
) -> dict[str, Receiver]:  # fmt: skip
    """Drain one after the other; those that kept all, by name. ``listens`` waits until one is ready."""
    drained = {}
    for name, start in contestants.items():
        file.unlink(missing_ok=True)
        try:
            receiver = start()
            listens(receiver)
            with sender() as sending:
                laps = ours.Bounded.LAPS if isinstance(receiver, ours.Bounded) else 1
                _add(table, name, drain(receiver, sending, count, BUFFER, there.may_force, laps), receiver)
            drained[name] = receiver
        except Failed as error:
            table.note(f"{name}: {error}")
    return drained


def _take_in(
    contestants: Contestants, peers: dict[str, tuple[str, Callable[[], Receiver]]], table: Table, only_ours: bool
) -> None:
    for name, (package, start) in peers.items():
        why = place.missing(name, package)
        if why:
            table.note(f"{name}: {why}")
        elif not only_ours:
            contestants[name] = start


def _listens(receiver: Receiver) -> None:
    """Wait until it captures: every packet socket of this namespace is in one list."""
    processes.wait(lambda: len(Path("/proc/net/packet").read_text().splitlines()) > 1, "a packet socket")
    processes.until_quiet(receiver.readers)


def _add(table: Table, name: str, used: dict[str, float], receiver: Receiver) -> None:
    table.add(name, used[""])
    if "client" in used:
        table.add(f"{name}, engine", used["engine"])
        table.add(f"{name}, client", used["client"])
        if isinstance(receiver, ours.Client):
            table.add(f"{name}, afterwards", used["afterwards"])
    drops = receiver.dropped()
    if drops:
        table.note(f"{name}: {drops} frames dropped, as it says itself")


def udp_goals(length: int) -> list[Goal]:
    """Of item 1."""
    whose = "sockexplorer"
    return [
        Goal("1", whose, other, limit)
        for other, limit in (("C", 1.5), ("nc.openbsd", 0.7), ("ncat", 0.45), ("socat", 0.25))
    ]


def link_goals(length: int) -> list[Goal]:
    """Of item 2."""
    return [Goal("2", "sockexplorer", other, limit) for other, limit in (("netsniff-ng", 0.8), ("tcpdump", 0.5))]
