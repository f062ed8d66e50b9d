"""Rings of AF_PACKET sockets in a namespace of the test's own: whole blocks, all that was sent, and what was lost."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from support import PATIENCE, descriptors, wait

from sockexplorer.core import links
from sockexplorer.core.tpacket import Columns, Names, vlan, walk
from sockexplorer.engine import opening, ring, stage_child
from sockexplorer.engine.ring import Ring
from sockexplorer.engine.stage import Stage
from sockexplorer.families import family

pytestmark = pytest.mark.optional_on_this_host(reason="needs a network namespace, and AF_PACKET in it")
ETH_P_ALL, ETH_P_8021Q, EXPERIMENT = 3, 0x8100, 0x88B5
BROADCAST, MULTICAST, OUTGOING = 1, 2, 4
SOL_PACKET, PACKET_STATISTICS, PACKET_FANOUT, PACKET_FANOUT_LB, SIOCGIFINDEX = 263, 6, 18, 1, 0x8933
SO_LOCK_FILTER = 44
EVERYBODY, SOURCE = b"\xff" * 6, b"\x02\0\0\0\0\x01"
Make = Callable[..., socket.socket]


class Got(NamedTuple):
    """A frame out of a ring."""

    payload: bytes
    length: int
    time: int
    address: object
    vlan: tuple[int, int] | None


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes sockets of a namespace that has ``lo`` and a pair ``left`` and ``right``, all up and silent."""
    stage = Stage()
    made: list[socket.socket] = []

    def socket_of(kind: int = socket.SOCK_RAW, domain: int = socket.AF_PACKET) -> socket.socket:
        try:
            descriptor = stage.descriptor(domain, kind, 0)
        except OSError as error:
            pytest.skip(f"no AF_PACKET in a private network namespace here: {error}")
        made.append(socket.socket(domain, kind, 0, descriptor))
        made[-1].setblocking(False)
        return made[-1]

    yield socket_of
    for each in made:
        each.close()
    stage.close()


@pytest.fixture
def sender(make: Make) -> socket.socket:
    """Sends on ``right``, and receives nothing."""
    sock = make()
    sock.settimeout(PATIENCE)
    sock.bind(("right", 0))
    return sock


def frame(payload: bytes, ethertype: int = EXPERIMENT, source: bytes = SOURCE) -> bytes:
    """A broadcast."""
    return EVERYBODY + source + struct.pack("!H", ethertype) + payload


@contextmanager
def ring_on(sock: socket.socket, interface: str = "left", proto: int = ETH_P_ALL, **more: int) -> Iterator[Ring]:
    """A ring on a socket that is bound afterwards."""
    with closing(Ring(sock, **more)) as made:
        sock.bind((interface, proto))
        yield made


def read(data: memoryview, sock: socket.socket, kind: str = "raw") -> list[Got]:
    """The frames of a block."""
    names = Names()
    found: Columns = walk(data, names)
    packet = family("packet")
    with links.seen_from(sock):
        addresses = [packet.unpack(packet.protocol(kind), name) for name in names.known]
    return [
        Got(bytes(data[begin:end]), length, moment, addresses[name - 1], vlan(data, head))
        for moment, head, begin, end, length, name, _ in zip(*found, strict=True)
    ]


def take(made: Ring, count: int, kind: str = "raw") -> list[Got]:
    """The next ``count`` frames, waiting for them."""
    got: list[Got] = []

    def enough() -> bool:
        for block in made.ready():
            got.extend(read(block.data, made.sock, kind))
            assert len(got) >= block.frames
        return len(got) >= count

    wait(enough, f"{count} frames")
    assert len(got) == count
    return got


def readable(sock: socket.socket, seconds: float = 0) -> bool:
    """Whether a selector would wake its reader."""
    return bool(select.select([sock], [], [], seconds)[0])


# --- what comes --------------------------------------------------------------------------------------------


def test_frames_come_as_they_were_sent(make: Make, sender: socket.socket) -> None:
    sent = [frame(bytes([each % 251]) * (46 + 7 * each)) for each in range(200)]
    before = time.time_ns()
    with ring_on(make()) as made:
        for each in sent:
            sender.send(each)
        got = take(made, len(sent))
        assert [each.payload for each in got] == sent
        assert [each.length for each in got] == [len(each) for each in sent]
        moments = [before, *(each.time for each in got), time.time_ns()]
        assert moments == sorted(moments)
        made.count()
        assert (made.packets, made.drops) == (len(sent), 0)


@pytest.mark.parametrize("kind", ["raw", "dgram"])
@pytest.mark.parametrize("interface", ["left", "lo"])
def test_names_are_those_of_a_socket_without_a_ring(make: Make, kind: str, interface: str) -> None:
    """Both directions on a wire; on the loopback each frame twice, as it leaves and as it comes."""
    number = socket.SOCK_RAW if kind == "raw" else socket.SOCK_DGRAM
    plain, here, there = make(number), make(), make()
    plain.bind((interface, ETH_P_ALL))
    here.bind((interface, 0))
    there.bind(("right", 0))
    with ring_on(make(number), interface) as made:
        here.send(frame(b"from here" + bytes(50)))
        if interface == "left":
            there.send(frame(b"from there" + bytes(50)))
        got = take(made, 2, kind)
        assert [(each.payload, each.address) for each in got] == [plain.recvfrom(2048) for _ in range(2)]
        assert [each.address[2] for each in got] == [OUTGOING, BROADCAST if interface == "left" else MULTICAST]  # type: ignore[index]


def test_the_tag_of_a_vlan_comes_beside_the_frame(make: Make, sender: socket.socket) -> None:
    with ring_on(make()) as made:
        sender.send(frame(struct.pack("!HH", 0xB123, EXPERIMENT) + b"tagged", ETH_P_8021Q))
        sender.send(frame(b"not tagged"))
        tagged, plain = take(made, 2)
    assert (tagged.payload, tagged.vlan) == (frame(b"tagged"), (0xB123, ETH_P_8021Q))
    assert (plain.payload, plain.vlan) == (frame(b"not tagged"), None)


def test_the_kernel_keeps_what_it_is_asked_to(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), snaplen=20) as made:
        sender.send(frame(bytes(range(200))))
        (got,) = take(made, 1)
    assert (got.payload, got.length) == (frame(bytes(range(200)))[:20], 214)


def test_only_what_is_bound_to_comes(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), proto=EXPERIMENT) as made:
        sender.send(frame(b"another's", 0x88B6))
        sender.send(frame(b"ours"))
        assert [each.payload for each in take(made, 1)] == [frame(b"ours")]


def test_it_sends_as_ever_and_receives_by_the_ring_alone(make: Make, sender: socket.socket) -> None:
    far = make()
    with ring_on(make()) as made, ring_on(far, "right") as other:
        assert made.sock.send(frame(b"from a ring")) == 25
        assert take(other, 1)[0].payload == frame(b"from a ring")
        sender.send(frame(b"to a ring"))
        wait(lambda: readable(made.sock), "a block")
        with pytest.raises(BlockingIOError):
            made.sock.recv(100)
        # What a socket sends does not come back to it.
        assert [each.payload for each in take(made, 1)] == [frame(b"to a ring")]


def test_a_group_of_fanout_shares_what_comes(make: Make, sender: socket.socket) -> None:
    with ring_on(make()) as one, ring_on(make()) as other:
        for each in (one, other):
            each.sock.setsockopt(SOL_PACKET, PACKET_FANOUT, 7 | PACKET_FANOUT_LB << 16)
        for number in range(10):
            sender.send(frame(bytes([number]) * 50))
        halves = take(one, 5), take(other, 5)
        assert sorted(each.payload[14] for half in halves for each in half) == list(range(10))


# --- blocks ------------------------------------------------------------------------------------------------


def test_a_reader_is_woken_by_blocks_alone(make: Make, sender: socket.socket) -> None:
    with ring_on(make()) as made:
        assert not readable(made.sock, 5 * made.retire_ms / 1000)
        sender.send(frame(b"one"))
        assert readable(made.sock, PATIENCE)
        assert len(take(made, 1)) == 1
        assert not readable(made.sock, 5 * made.retire_ms / 1000)


def test_blocks_are_given_as_they_are(make: Make, sender: socket.socket, tmp_path: Path) -> None:
    """What a file gets is the block without what it does not use, and stays when the block goes back."""
    file = os.open(tmp_path / "blocks", os.O_RDWR | os.O_CREAT)
    sizes = []
    with ring_on(make()) as made:
        for number in range(3):
            sender.send(frame(bytes([number]) * 100))

            def written() -> bool:
                for block in made.ready():
                    sizes.append(os.write(file, block.data))
                return bool(sizes) and len(sizes) == number + 1  # noqa: B023

            wait(written, "a block")
        kept, at = memoryview(os.pread(file, 1 << 20, 0)), 0
        os.close(file)
        for number, size in enumerate(sizes):
            assert size == 48 + 200
            (got,) = read(kept[at : at + size], made.sock)
            assert got.payload == frame(bytes([number]) * 100)
            at += size


def test_a_block_that_was_not_dealt_with_is_given_again(make: Make, sender: socket.socket) -> None:
    with ring_on(make()) as made:
        sender.send(frame(b"precious"))
        wait(lambda: readable(made.sock), "a block")
        for block in made.ready():
            assert block.frames == 1
            break
        assert readable(made.sock)
        assert take(made, 1)[0].payload == frame(b"precious")


def test_a_limit_leaves_the_rest_ready(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), block_bytes=4096, blocks=8) as made:
        for number in range(12):
            sender.send(frame(bytes([number]) * 1000))
        wait(lambda: readable(made.sock), "a block")
        one = [each.payload[14] for block in made.ready(1) for each in read(block.data, made.sock)]
        assert one == [0, 1, 2]
        assert readable(made.sock)
        assert [each.payload[14] for each in take(made, 9)] == list(range(3, 12))


def test_blocks_go_round(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), block_bytes=4096, blocks=4) as made:
        for number in range(20):
            sender.send(frame(number.to_bytes(2, "big") * 500))
            assert [each.payload[14:16] for each in take(made, 1)] == [number.to_bytes(2, "big")]
        made.count()
        assert (made.packets, made.drops, made.freezes) == (20, 0, 0)


# --- loss --------------------------------------------------------------------------------------------------


def test_seen_is_kept_and_dropped(make: Make, sender: socket.socket) -> None:
    kept: list[int] = []
    with ring_on(make(), block_bytes=4096, blocks=4) as made:
        for begin in (0, 100):
            for number in range(begin, begin + 100):
                sender.send(frame(bytes([number]) * 400))
            for block in made.last() if begin else made.ready():
                kept += [each.payload[14] for each in read(block.data, made.sock)]
            made.count()
        assert made.packets == 200
        assert made.packets == len(kept) + made.drops
        assert made.freezes == 2
        assert kept == sorted(set(kept))
        assert kept[0] == 0
        assert 100 in kept


def test_statistics_of_eight_bytes_count_the_same(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), block_bytes=4096, blocks=4) as made:
        for _ in range(100):
            sender.send(frame(bytes(400)))
        kept = sum(block.frames for block in made.ready())
        data = made.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        assert struct.unpack("=II", data) == (100, 100 - kept)
        assert opening.packets_seen(made.sock) == 0
        sender.send(frame(b"one more"))
        assert opening.packets_seen(made.sock) == 1


def test_the_last_is_what_had_come(make: Make, sender: socket.socket) -> None:
    with ring_on(make(), retire_ms=200) as made:
        for number in range(5):
            sender.send(frame(bytes([number]) * 60))
        got = [each.payload[14] for block in made.last() for each in read(block.data, made.sock)]
        assert got == list(range(5))
        sender.send(frame(b"too late"))
        assert not list(made.last())
        made.count()
        assert made.packets == 5


def test_a_link_that_goes_down_is_told_once(make: Make, sender: socket.socket) -> None:
    with ring_on(make()) as made:
        sender.send(frame(b"before"))
        wait(lambda: readable(made.sock), "a block")
        index = struct.unpack("=16xi20x", fcntl.ioctl(made.sock, SIOCGIFINDEX, b"left".ljust(40, b"\0")))[0]
        with make(domain=socket.AF_NETLINK) as route:
            route.setblocking(True)
            down = struct.pack("=BxHiII", 0, 0, index, 0, stage_child.IFF_UP)
            assert stage_child.ask(route, stage_child.REQUEST, down) == 0
        blocks = made.ready()
        assert [each.payload for each in read(next(blocks).data, made.sock)] == [frame(b"before")]
        with pytest.raises(OSError, match="down"):
            next(blocks)
        assert not list(made.ready())
        assert not readable(made.sock)


# --- beginning and end -------------------------------------------------------------------------------------


@contextmanager
def address_space(more: int) -> Iterator[None]:
    """At most so many bytes beyond what this process has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_with_little_memory_the_ring_is_smaller(make: Make, sender: socket.socket) -> None:
    sock = make()
    with address_space(16 * ring.BLOCK_BYTES):
        made = Ring(sock)
    with closing(made):
        assert ring.LEAST_BLOCKS <= made.blocks < ring.BLOCKS
        sock.bind(("left", ETH_P_ALL))
        sender.send(frame(b"fits"))
        assert take(made, 1)[0].payload == frame(b"fits")


@pytest.mark.parametrize(
    ("more", "why"), [({"block_bytes": 1000}, "Invalid"), ({}, "memory"), ({"snaplen": 20}, "permitted")]
)
def test_what_is_refused_leaves_the_socket_as_it_was(
    make: Make, sender: socket.socket, more: dict[str, int], why: str
) -> None:
    sock = make()
    sock.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
    room = ring.BLOCK_BYTES if why == "memory" else 4 * ring.BLOCKS * ring.BLOCK_BYTES
    with address_space(room), pytest.raises(OSError, match=why):
        Ring(sock, **more)
    sock.bind(("left", ETH_P_ALL))
    sender.send(frame(b"by recvmsg, whole"))
    wait(lambda: readable(sock), "the frame")
    assert sock.recv(100) == frame(b"by recvmsg, whole")
    assert struct.unpack("=II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)) == (1, 0)


def test_no_other_socket_has_a_ring() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(OSError, match=r"."):
        Ring(sock)


def test_what_is_still_looked_at_does_not_hold_up_the_end(make: Make, sender: socket.socket) -> None:
    before = descriptors(os.getpid())
    sock = make()
    made = Ring(sock)
    sock.bind(("left", ETH_P_ALL))
    sender.send(frame(b"kept"))
    wait(lambda: readable(sock), "a block")
    blocks = made.ready()
    part = next(blocks).data[130:148]
    for _ in range(2):
        made.close()
    sock.close()
    assert bytes(part) == frame(b"kept")
    del made, blocks, part
    assert descriptors(os.getpid()) == before
