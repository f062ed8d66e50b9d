"""Both readers, the one of ``recvmmsg`` and the one of ``recvmsg_into``, record the same rows of the same traffic."""

from __future__ import annotations

import array
import os
import select
import socket
import sys
import time
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PATIENCE, deliver, descriptors, sane_time, udp

from sockexplorer.capture.log import Frame, Log
from sockexplorer.engine import opening, recvmmsg
from sockexplorer.engine.peers import LIMIT
from sockexplorer.engine.reader import MessageReader
from sockexplorer.engine.spool import Spool
from sockexplorer.families import family


def test_recvmmsg_is_used_where_it_can_be() -> None:
    expected = sys.platform == "linux" and sys.maxsize > 2**32 and sys.byteorder == "little"
    assert expected == recvmmsg.AVAILABLE


IP_RECVTTL = 12  # Python has no name for it


class Reading:
    """A reader of a socket, and the rows that it made."""

    def __init__(self, sock: socket.socket, name: str, batched: bool, snaplen: int = 65536) -> None:
        self.spool, self.told = Spool(), list[dict[str, Any]]()
        self.peers, self.log = self.spool.peers, Log(on_peers=self.told.extend)
        self.drops: list[int] = []
        sock.setblocking(False)
        opening.stamp(sock)
        self.reader = MessageReader(
            sock,
            family(name),
            next(each for each in family(name).protocols if each.type_number == sock.type),
            self.spool,
            snaplen,
            self.drops.append,
            batched=batched,
        )

    def frames(self) -> list[Frame]:
        going = self.reader.read()
        self.log.append(self.spool.take())
        self.ended = not going
        return [self.log.frame(number) for number in range(self.log.first, self.log.end)]


def without_time(frames: list[Frame]) -> list[Any]:
    return [each._replace(time=0) for each in frames]


BOTH = pytest.mark.parametrize("batched", [True, False], ids=["recvmmsg", "recvmsg_into"])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), max_size=30), st.integers(1, 200))
def test_the_same_rows_of_udp(messages: list[tuple[int, bytes]], snaplen: int) -> None:
    seen, told = [], []
    for batched in (True, False):
        with udp() as here, udp(("127.0.0.1", 0)) as one, udp() as two, udp() as three:
            reading = Reading(here, "inet", batched, snaplen)
            for sender, data in messages:
                deliver((one, two, three)[sender], data, here)
            frames = reading.frames()
            seen.append(without_time(frames))
            told.append([each["id"] for each in reading.told])
            assert [each.length for each in frames] == [len(data) for _, data in messages]
            assert [each.payload for each in frames] == [data[:snaplen] for _, data in messages]
    assert seen[0] == seen[1]
    assert told[0] == told[1]


BATCHES = st.lists(
    st.one_of(
        # As of a flood: the batch has one sender and one length.
        st.tuples(st.integers(0, 2), st.sampled_from([b"", b"x", b"abcdefgh"]), st.integers(1, 10)).map(
            lambda drawn: [(drawn[0], drawn[1])] * drawn[2]
        ),
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from([b"", b"x", b"y", b"abcdefgh"])), min_size=1, max_size=9),
    ),
    max_size=6,
)
"""Batches of messages, each with its sender."""


@settings(max_examples=40)
@given(BATCHES, st.booleans())
def test_a_batch_is_not_taken_for_the_one_before(batches: list[list[tuple[int, bytes]]], unix: bool) -> None:
    """Of the names of UNIX sockets one is the beginning of another: what is left of one in a buffer tells nothing."""
    with ExitStack() as kept:
        if unix:
            kind, name = socket.AF_UNIX, f"\0sockexplorer-readers-{os.getpid()}"
            places: list[Any] = [name, *(f"{name}-peer"[:-cut] for cut in (2, 1)), f"{name}-peer"]
        else:
            kind, places = socket.AF_INET, [("127.0.0.1", 0)] * 4
        here, *senders = [kept.enter_context(socket.socket(kind, socket.SOCK_DGRAM)) for _ in places]
        for sock, place in zip((here, *senders), places, strict=True):
            sock.bind(place)
        reading = Reading(here, "unix" if unix else "inet", batched=True)
        for batch in batches:
            for who, data in batch:
                if unix:
                    senders[who].sendto(data, here.getsockname())
                else:
                    deliver(senders[who], data, here)
            began = time.time_ns()
            frames = reading.frames()[-len(batch) :]
            names = {each["id"]: each["address"] for each in reading.told}
            assert [each.payload for each in frames] == [data for _, data in batch]
            assert [names[each.peer] for each in frames] == [repr(senders[who].getsockname()) for who, _ in batch]
            assert all(began - 10**9 < each.time <= time.time_ns() for each in frames)


@BOTH
def test_ancillary_data_of_a_datagram(batched: bool) -> None:
    began = time.time()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        reading = Reading(here, "unix", batched)
        before = descriptors(os.getpid())
        there.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 2]))])
        (frame,) = reading.frames()
        assert sane_time(frame, began)
        assert frame.meta["credentials"] == {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
        assert len(frame.meta["descriptors"]) == 2
        assert descriptors(os.getpid()) == before


@BOTH
def test_control_messages_of_ip_are_named(batched: bool) -> None:
    with udp() as here, udp() as there:
        here.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        reading = Reading(here, "inet", batched)
        deliver(there, b"x", here)
        (frame,) = reading.frames()
        assert frame.meta["control"] == [{"name": "IP_TTL", "data": "40000000"}]


@BOTH
def test_the_end_of_a_connection_and_an_empty_message_are_two_things(batched: bool) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here:
        reading = Reading(here, "unix", batched)
        reading.reader.senders.fixed, reading.reader.ends_at_zero = 7, True
        with there:
            there.send(b"a")
            there.send(b"")
            assert [(each.payload, each.peer) for each in reading.frames()] == [(b"a", 7), (b"", 7)]
            assert not reading.ended
        reading.frames()
        assert reading.ended


@BOTH
def test_nothing_waits(batched: bool) -> None:
    with udp() as here:
        reading = Reading(here, "inet", batched)
        assert reading.frames() == []
        assert not reading.ended


@BOTH
def test_an_error_of_the_socket_is_raised(batched: bool) -> None:
    with udp() as here, udp() as gone:
        here.connect(gone.getsockname())
        reading = Reading(here, "inet", batched)
        gone.close()
        here.send(b"?")
        assert select.select([here], [], [], PATIENCE)[0], "no answer that nobody is there"
        with pytest.raises(ConnectionRefusedError):
            reading.reader.read()


@BOTH
def test_a_flood_of_peers_ends_in_names_not_numbers(batched: bool) -> None:
    with udp() as here, udp() as there:
        reading = Reading(here, "inet", batched)
        for number in range(LIMIT):
            reading.peers.add(number, number)
        deliver(there, b"x", here)
        (frame,) = reading.frames()
        assert frame.peer == 0
        assert frame.meta == {"peer": repr(there.getsockname())}


@BOTH
def test_more_than_one_batch(batched: bool) -> None:
    with udp() as here, udp() as there:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        reading = Reading(here, "inet", batched)
        for number in range(600):
            deliver(there, b"%d" % number, here)
        for _ in range(20):
            frames = reading.frames()
        assert [int(each.payload) for each in frames] == list(range(600))
