"""The engine's end of the stream to its client."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator

import pytest
from support import descriptors

from sockexplorer.core.wire import Decoder, encode
from sockexplorer.engine.channel import Channel


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Channel]]:
    theirs, ours = socket.socketpair()
    channel = Channel(ours.fileno(), ours.fileno())
    with theirs, ours:
        yield theirs, channel
        channel.close()


def test_what_waits_is_handed_over_as_there_is_room(ends: tuple[socket.socket, Channel]) -> None:
    theirs, channel = ends
    body, decoder, came = os.urandom(4 * 2**20), Decoder(), []
    channel.send({"ev": "frames"}, body)
    with selectors.DefaultSelector() as selector:
        while not came:
            assert channel.drain()
            channel.watch(selector, "client")
            assert bool(selector.get_map()) is bool(channel.queue)
            came += decoder.feed(theirs.recv(2**20))
            if channel.queue:
                assert selector.select(10), "there is room again"
    assert came[0].body == body


def test_a_client_that_is_gone_is_told_by_both_ways(ends: tuple[socket.socket, Channel]) -> None:
    theirs, channel = ends
    theirs.send(encode({"op": "stop"}))
    assert [each.header for each in channel.messages()] == [{"op": "stop"}]
    assert not list(channel.messages()), "nothing has come, and the client is there"
    theirs.close()
    with pytest.raises(EOFError):
        list(channel.messages())
    channel.send({"ev": "status"})
    assert not channel.drain()


def test_a_descriptor_is_the_message_s_that_it_came_with_or_closed() -> None:
    before = descriptors(os.getpid())
    theirs, ours = socket.socketpair()
    channel = Channel(ours.fileno(), ours.fileno())
    sent, unread = os.memfd_create("sent"), os.memfd_create("unread")
    with theirs, ours:
        for each in (sent, unread):
            socket.send_fds(theirs, [encode({"op": "open", "descriptors": 1})], [each])
            assert len(list(channel.messages())) == 1
        assert channel.descriptor({}) is None
        found = channel.descriptor({"descriptors": 1})
        assert found is not None
        assert os.path.sameopenfile(found, sent)
        channel.close()
    for each in (sent, unread, found):
        os.close(each)
    assert descriptors(os.getpid()) == before
