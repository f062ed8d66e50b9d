"""Messages survive any stream; anything else on it is a `WireError`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.wire import MAX_BODY, MAX_HEADER, PREFIX, Decoder, Message, WireError, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(
    st.builds(Message, st.dictionaries(st.text(max_size=6), JSON, max_size=4), st.binary(max_size=60)), max_size=6
)


@given(MESSAGES, st.lists(st.integers(1, 40), max_size=30))
def test_round_trip_in_any_pieces(messages: list[Message], sizes: list[int]) -> None:
    stream = b"".join(encode(each.header, each.body) for each in messages)
    decoder, found, at = Decoder(), list[Message](), 0
    for size in [*sizes, len(stream)]:
        found += decoder.feed(stream[at : at + size])
        at += size
    assert found == messages
    assert decoder.pending == 0


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_garbage_is_a_wire_error_at_worst(pieces: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for piece in pieces:
            for message in decoder.feed(piece):
                assert isinstance(message.header, dict)
    except WireError:
        return
    assert decoder.pending <= sum(map(len, pieces))


@given(st.binary(max_size=60), st.binary(max_size=10))
def test_a_whole_message_of_garbage(header: bytes, body: bytes) -> None:
    decoder = Decoder()
    try:
        (message,) = decoder.feed(PREFIX.pack(len(header), len(body)) + header + body)
    except WireError:
        return
    assert isinstance(message.header, dict)
    assert message.body == body


@pytest.mark.parametrize(
    "data",
    [
        PREFIX.pack(MAX_HEADER + 1, 0),
        PREFIX.pack(2, MAX_BODY + 1),
        PREFIX.pack(2, 0) + b"[]",
        PREFIX.pack(3, 0) + b'{"\xff',
        PREFIX.pack(200_000, 0) + b"[" * 200_000,
        PREFIX.pack(5006, 0) + b'{"a":' + b"1" * 5000 + b"}",
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(WireError):
        list(Decoder().feed(data))


def test_a_consumer_that_raises_never_meets_the_message_again() -> None:
    decoder = Decoder()
    messages = decoder.feed(encode({"n": 1}) + encode({"n": 2}))
    assert next(messages).header["n"] == 1
    messages.close()  # type: ignore[attr-defined] - what a raising loop does to its generator
    assert [each.header["n"] for each in decoder.feed(b"")] == [2]
