"""A conversation cut into lines, and statistics: nothing is lost, nothing is too wide, nothing acts on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sockexplorer.capture import conversation as conversation_module
from sockexplorer.capture import statistics
from sockexplorer.capture.conversation import LOOK_AT_CLOCK, Conversation, Mode, Place
from sockexplorer.capture.log import Log
from sockexplorer.capture.statistics import MORE, OTHERS, Statistics, length_range
from sockexplorer.core.frames import Flag
from sockexplorer.engine.spool import Spool

FOREVER = 60.0


def a_log(*frames: tuple[int, int, bytes], limit: int = 2**28) -> Log:
    """A log of (peer, flags, payload); an event's payload is none."""
    log, spool = Log(limit), Spool()
    for time, (peer, flags, payload) in enumerate(frames):
        spool.add(payload, flags, peer, stamp=time, meta={"event": "closed"} if flags & Flag.META else None)
        log.append(spool.take())
    return log


def lines(log: Log, mode: str = "text", width: int = 80, peer: int = 1) -> list[tuple[bool, str]]:
    conversation = Conversation(log, peer, mode, width)  # type: ignore[arg-type]
    conversation.go_on(FOREVER)
    return [(each.outgoing, each.text) for each in map(conversation.line, range(len(conversation)))]


def test_both_directions_of_one_peer_without_events() -> None:
    log = a_log(
        (1, 0, b"GET / HTTP/1.0\r\nHost: x\r\n\r\n"),
        (2, 0, b"someone else"),
        (1, Flag.OUT, b"HTTP/1.0 200 OK\n"),
        (1, Flag.EVENT | Flag.META, b""),
        (1, Flag.OUT, b""),
    )
    assert lines(log) == [
        (False, "GET / HTTP/1.0"), (False, "Host: x"), (False, ""), (True, "HTTP/1.0 200 OK"), (True, "(empty)"),
    ]  # fmt: skip
    assert lines(log, "hex", 60)[0] == (False, "0000  47 45 54 20  2f 20 48 54  GET / HT")
    assert lines(log, peer=3) == []


def test_what_a_decoder_says_is_the_text_and_the_bytes_are_the_hex() -> None:
    log = a_log((1, 0, b"\1\2"), (1, Flag.OUT, b"plain"), (1, 0, b""))
    said = {b"\1\2": "RTM_NEWLINK \x1b[2J " + "eth0 " * 3}

    def conversation(mode: str) -> list[tuple[bool, bool, str]]:
        made = Conversation(log, 1, mode, 20, summary=lambda frame: said.get(frame.payload, ""))  # type: ignore[arg-type]
        made.go_on(FOREVER)
        return [(each.outgoing, each.first, each.text) for each in map(made.line, range(len(made)))]

    assert conversation("text") == [
        (False, True, r"RTM_NEWLINK \x1b[2J "), (False, False, "eth0 eth0 eth0 "), (True, True, "plain"),
        (False, True, "(empty)"),
    ]  # fmt: skip
    assert conversation("hex")[0] == (False, True, "0000  01 02                     ..")


def test_the_copy_says_which_way_each_frame_went() -> None:
    conversation = Conversation(a_log((1, 0, b"a\nb"), (1, Flag.OUT, b"c")), 1, "text", 80)
    conversation.go_on(FOREVER)
    assert conversation.text(10) == "← a\n  b\n→ c"
    assert conversation.text(1) == "← a"


def test_what_comes_later_is_taken_in_later() -> None:
    log = a_log((1, 0, b"one"))
    conversation = Conversation(log, 1, "text", 80)
    assert conversation.go_on(FOREVER)
    assert not conversation.go_on(FOREVER)
    spool = Spool()
    spool.add(b"two", peer=1)
    log.append(spool.take())
    assert conversation.go_on(FOREVER)
    assert conversation.line(1).text == "two"


def test_a_row_that_the_log_dropped_says_so() -> None:
    log = a_log((1, 0, b"one"))
    conversation = Conversation(log, 1, "text", 80)
    conversation.go_on(FOREVER)
    log.clear()
    assert conversation.line(0).text == "(dropped from the log)"


@given(
    st.lists(
        st.binary(max_size=300)
        | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
        | st.lists(st.sampled_from((b"a", b"\r", b"\n", b"\xff", "€".encode())), max_size=150).map(b"".join)
    ),
    st.integers(8, 120),
)
def test_every_line_fits_and_every_byte_is_in_a_line(payloads: list[bytes], width: int) -> None:
    log = a_log(*((1, 0, each) for each in payloads))
    conversation = Conversation(log, 1, "text", width)
    conversation.go_on(FOREVER)
    covered: dict[int, bytes] = {}
    for index in range(len(conversation)):
        line = conversation.line(index)
        start, end = conversation._starts[index], conversation._ends[index]
        assert line.text.isprintable()
        assert cell_len(line.text) <= max(width, 10), line
        covered[line.frame] = covered.get(line.frame, b"") + payloads[line.frame - 1][start:end]
    assert covered == dict(enumerate(payloads, 1))


def test_a_place_within_a_row_is_found_in_lines_of_another_width_and_in_the_other_mode() -> None:
    log = a_log((1, 0, bytes(range(256))), (2, 0, b"not this one"), (1, 0, b"x" * 300), (1, 0, b""))

    def cut(mode: Mode, width: int) -> Conversation:
        made = Conversation(log, 1, mode, width)
        made.go_on(FOREVER)
        return made

    wide, narrow, text = cut("hex", 80), cut("hex", 60), cut("text", 80)
    for one in (wide, narrow, text):
        for other in (wide, narrow, text):
            for index in range(len(one)):
                place = one.place_at(index)
                line = other.line_of(place)
                assert line is not None
                assert other.place_at(line) <= place
                assert line + 1 == len(other) or other.place_at(line + 1) > place
    assert wide.line_of(Place(2)) == 16, "a row that is no part of it: the next that is"
    assert wide.line_of(Place(5)) is None


def test_a_place_in_what_a_decoder_says_is_no_place_in_the_bytes() -> None:
    log = a_log((1, 0, bytes(64)), (1, 0, b"plain text"))
    made = {
        mode: Conversation(log, 1, mode, 20, summary=lambda frame: "eth0 " * 20 if frame.number == 1 else "")
        for mode in ("text", "hex")
    }  # type: dict[Mode, Conversation]
    for each in made.values():
        each.go_on(FOREVER)
    assert made["text"].place_at(3) == Place(1, 60, said=True)
    assert made["text"].line_of(Place(1, 60, said=True)) == 3
    assert made["hex"].line_of(Place(1, 60, said=True)) == 0
    assert made["text"].line_of(Place(1, 24)) == 0


def test_a_place_in_a_long_payload_is_found_when_that_was_cut_so_far() -> None:
    log = a_log((1, 0, bytes(2**20)), (1, 0, b"behind"))
    conversation = Conversation(log, 1, "hex", 80)
    place, found = Place(1, 2**19 + 16), None
    while found is None:
        assert conversation.go_on(0.0)
        found = conversation.line_of(place)
    assert conversation.place_at(found) == place


def test_a_long_payload_is_cut_a_little_at_a_time() -> None:
    """In order with what comes before and after it, the same lines as at once."""
    log = a_log(*((1, 0, each) for each in (b"first", b"\xff" * 50_000, b"then", bytes(9_000), b"last")))
    conversation, steps = Conversation(log, 1, "text", 40), 0
    while conversation.behind:
        before = len(conversation)
        assert conversation.go_on(0)
        assert len(conversation) - before <= LOOK_AT_CLOCK + 6
        steps += 1
    assert steps > 100
    found = [(each.frame, each.first, each.text) for each in map(conversation.line, range(len(conversation)))]
    assert [text for number, _, text in found if number in (1, 3, 5)] == ["first", "then", "last"]
    assert [number for number, first, _ in found if first] == [1, 2, 3, 4, 5]
    assert "".join(text for number, _, text in found if number == 2) == "\\xff" * 50_000
    assert not conversation.go_on(0)


@pytest.mark.parametrize("mode", ["text", "hex"])
def test_one_payload_alone_may_have_more_lines_than_are_kept(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_module, "MOST_LINES", 100)
    conversation = Conversation(a_log((1, 0, b"\n" * 10_000)), 1, mode, 80)
    conversation.go_on(FOREVER)
    assert (len(conversation), conversation.full, conversation.behind) == (100, True, 0)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_that_fits_exactly_is_one(end: bytes) -> None:
    found = lines(a_log((1, 0, b"x" * 20 + end + b"y")), width=20)
    assert found == [(False, "x" * 20), (False, "y")]


def test_characters_of_utf8_are_not_cut() -> None:
    said = lines(a_log((1, 0, "äöü€😀".encode() * 20)), width=20)
    assert "\\x" not in "".join(text for _, text in said)


def test_statistics() -> None:
    log = a_log((1, 0, b"x" * 70), (1, Flag.OUT, b"y"), (2, 0, b""), (2, Flag.EVENT | Flag.META, b""))
    found = Statistics(log, lambda frame: "big" if frame.length > 5 else "small")
    assert found.behind == 4
    found.go_on(FOREVER)
    assert (found.total.frames, found.total.bytes, found.behind) == (3, 71, 0)
    assert {number: (each.frames_in, each.frames_out) for number, each in found.peers.items()} == {1: (1, 1), 2: (1, 0)}
    assert {length_range(bits): each.frames for bits, each in found.lengths.items()} == {"64-127": 1, "1": 1, "0": 1}
    assert {kind: each.bytes for kind, each in found.kinds.items()} == {"big": 70, "small": 1}


def test_peers_without_end_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_KEYS", 3)
    found = Statistics(a_log(*((number, 0, b"x") for number in range(9))), lambda frame: str(frame.peer))
    found.go_on(FOREVER)
    assert found.peers[MORE].frames == 6
    assert found.kinds[OTHERS].frames == 6
    assert found.total.frames == sum(each.frames for each in found.peers.values()) == 9


@given(st.integers(0, 2**32 - 1))
def test_a_length_is_in_its_range(length: int) -> None:
    low, _, high = length_range(length.bit_length()).partition("-")
    assert int(low) <= length <= int(high or low)
