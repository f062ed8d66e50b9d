"""The filter line: what it finds, and that no text and no frame breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockexplorer.capture.completion import completions
from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import FilterError, FilterTooSlow, Vocabulary
from sockexplorer.core.frames import Flag

PEERS = {0: "", 1: "127.0.0.1:5000", 2: "192.0.2.7:80"}
FRAMES = [
    Frame(0, 0, 0, 1, Flag.EVENT | Flag.META, b"", {"event": "accepted", "text": "accepted from 127.0.0.1:5000"}),
    Frame(1, 0, 5, 1, 0, b"Hello", {}),
    Frame(2, 0, 4, 2, Flag.OUT, b"\xde\xad\xbe\xef", {}),
    Frame(3, 0, 200, 2, 0, "GET /order HTTP/1.1 ÄPFEL".encode(), {}),
    Frame(4, 0, 22, 0, 0, b'android "two words" (x)', {}),
]


PROTOCOLS = ("tcp", "udp", "arp", "link type 147", "udp")


def found(text: str) -> list[int]:
    predicate = compile_filter(text, PEERS.__getitem__, protocol=lambda frame: PROTOCOLS[frame.number])
    return [frame.number for frame in FRAMES if predicate is None or predicate(frame)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("   ", [0, 1, 2, 3, 4]),
        ("hello", [1]),
        ("HELLO", [1]),
        ("äpfel", [3]),
        ("127.0.0.1", [0, 1]),
        ("accepted", [0]),
        ('"two words"', [4]),
        (r'"\"two"', [4]),
        ("android", [4]),
        ("order", [3]),
        ("x android", [4]),
        ("nothing", []),
        ("orders or android", [4]),
        ("notes", []),
        ("or", [3, 4]),
        ("hex:de add", []),
        ("hello or order", [1, 3]),
        ("hello order", []),
        ("GET and order", [3]),
        ("not hello", [0, 2, 3, 4]),
        ("NOT NOT hello", [1]),
        ("not (hello or order)", [0, 2, 4]),
        ("not(hello)", [0, 2, 3, 4]),
        ("/GET .* HTTP/", [3]),
        (r"/\/order/", [3]),
        (r"/\xde\xad/", [2]),
        ("/^[a-z]{5}$/", [1]),
        (r"/a{0,100000}\{100000}|^(l{1}){1}ello{1}$|\bhel{2}o/", [1]),
        ("/^(?:.{1,200}){1,200} /", [0, 3, 4]),
        ("/^hello$/", [1]),
        (r"\xde\xad", [2]),
        (r'"\xAD\xbe"', [2]),
        (r"\xde\xad\xbe\xee", []),
        (r"\u00c4pfel", [3]),
        (r"order\x20http", [3]),
        (r"\q", []),
        (r"not \xde\xad", [0, 1, 3, 4]),
        ("hex:de ad", [2]),
        ("hex:de-ad:be", [2]),
        ("hex:de\u00a0dir==out", [2]),
        ("hex:DEADBEEF", [2]),
        ("hex:48", [1, 3]),
        ("dir==in", [1, 3, 4]),
        ("dir == out", [2]),
        ("dir!=in", [2]),
        ("len>100", [3]),
        ("length<=5", [1, 2]),
        ("len==0x5", [1]),
        ("n>=3", [3, 4]),
        ("n==03 or len==0b100", [2, 3]),
        ('peer~"192."', [2, 3]),
        ("peer==127.0.0.1:5000", [0, 1]),
        ("peer!=127.0.0.1:5000", [2, 3, 4]),
        ("protocol==udp", [1, 4]),
        ("PROTO == UDP", [1, 4]),
        ("protocol!=udp", [2, 3]),
        ("not protocol==udp", [0, 2, 3]),
        ('protocol=="link type 147"', [3]),
        ("protocol~p", [1, 2, 3, 4]),
        ("proto~/^.{3}$/", [1, 2, 4]),
        ("protocol==tcp", []),
        ("event==accepted", [0]),
        ("event~acc", [0]),
        ("dir==in and (len>100 or hello)", [1, 3]),
        ("dir==in len>100 or n==2", [2, 3]),
        ("'two words'", [4]),
        ("'two words' && len>5", [4]),
        ("peer~'192.'", [2, 3]),
        ("it's", []),
        ("'two", []),
        ("len>8&&dir==in", [3, 4]),
        ("hello || order", [1, 3]),
        ("len>8 || hello && dir==out", [3, 4]),
        ("!dir==in", [0, 2]),
        ("!hello", [0, 2, 3, 4]),
        ("! (hello or order)", [0, 2, 4]),
        ("len!=5 !len==4", [3, 4]),
        ("a&b", []),
        ('"&&"', []),
        ("peer~/^127|:80$/", [0, 1, 2, 3]),
        ("peer~/^92/", []),
        ("event~/^acc.*d$/", [0]),
        ("/order/&&/HTTP/", [3]),
        ("a=b", []),
        ('"len=5"', []),
        ("peer==len=5", []),
    ],
)
def test_what_is_found(text: str, numbers: list[int]) -> None:
    assert found(text) == numbers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(", r"at the end: nothing closes the \( at character 1$"),
        ("hello and", "at the end: something belongs after 'and'$"),
        ("dir==in or", "at the end: something belongs after 'or'$"),
        ("(and x) )", r"not understood at character 9: nothing opened the \) at character 9$"),
        ('"open', "not understood at character 1: the quote at character 1 is not closed$"),
        ('peer~"45', "the quote at character 6 is not closed$"),
        ("/hel(lo", "the regular expression at character 1 has no / at its end$"),
        ("len>", "at the end: a number belongs after len>$"),
        ("dir==", "at the end: in or out belongs after dir==$"),
        ("(event ==", "at the end: a value belongs after event==$"),
        ("/(/", "regular expression"),
        ("/(?P<1>x)/", "regular expression"),
        ("/a{99999999}/", "it asks for more than 50,000 characters; repeat less"),
        ("/((a{100}){100}){100}/", "more than 50,000"),
        (r"/(x|[(\]]{9}\{)(?:b{300}){300}/", "more than 50,000"),
        ("peer~/a{" + "9" * 5000 + ",}/", "more than 50,000"),
        ("len>x", "^'x' is not a number such as 1000 or 0x3e8$"),
        ("n==" + "9" * 5000, "^'9{40}' is not a number"),
        ("len~5", "numbers are compared"),
        ("dir==up", "a direction"),
        ("dir>in", "a direction"),
        ("peer>5", "compared with"),
        ("hex:deadb", "odd number"),
        ("hex:d", "odd number"),
        ("hex:d ea", "odd number"),
        ("hex:", "hex: takes bytes of two digits"),
        ("dir==in hex:xy", 'as in hex:de ad; the text is found by "hex:xy"$'),
        ("len=8", 'at character 1: = is written ==, as in len==8; the text is found by "len=8"$'),
        ("hello dir = in", 'at character 7: = is written ==, as in dir==…; the text is found by "dir ="$'),
        ("LEN=>3", "=> is written >=, as in LEN>=3; "),
        ("hello and n=1", "= is written ==, as in n==1; "),
        ("hello &&", "at the end: something belongs after '&&'$"),
        ("|| hello", "not understood at character 1"),
        ("!", "at the end: something belongs after '!'$"),
        ("protocol>udp", "protocol is compared with ==, != or ~ \\(contains\\)$"),
        ("protocol=udp", "as in protocol==udp"),
        ("proto==", "a name such as udp belongs after proto==$"),
        ("protocol==/udp/", "a regular expression is compared with ~: protocol~/udp/$"),
        ("peer==/127/", "a regular expression is compared with ~: peer~/127/$"),
        ("peer~/(/", "the regular expression is wrong"),
        ("tcp.flag==80", r'there is no field tcp.flag; .* \(the text is found by "tcp.flag==80"\)$'),
        ("not " * 2000 + "x", "nested"),
        ("not (x or " * 200 + "y" + ")" * 200, "nested"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        compile_filter(text, PEERS.__getitem__)


@pytest.mark.parametrize(
    ("text", "passes"),
    [("peer==/tmp/x.sock", True), ("peer==/tmp/y.sock", False), ("peer~/tmp/x", True), ("peer~/tmp/", True),
     ("/TMP/x.sock", True), ("/tmp/y.sock", False), ("(/tmp/)", True), ("/mp.x/", True), ("peer!=/tmp/x.sock", False)],
)  # fmt: skip
def test_the_path_of_a_unix_socket_is_no_regular_expression(text: str, passes: bool) -> None:
    predicate = compile_filter(text, {1: "/tmp/x.sock"}.__getitem__)
    assert predicate is not None
    assert predicate(Frame(1, 0, 1, 1, 0, b"x", {})) is passes


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("comment~RETRY", [1, 2]), ('comment=="a retry"', [1]), ('comment!="a retry"', [0, 2, 3]),
     ("comment~/^late/", [2]), ('comment~""', [1, 2]), ("not comment~late", [0, 1, 3])],
)  # fmt: skip
def test_comments_of_a_capture_file(text: str, numbers: list[int]) -> None:
    every = [{}, {"comments": ["a retry"]}, {"comments": ["a retry, later", "late"]}, {"comments": None}]
    predicate = compile_filter(text, PEERS.__getitem__)
    assert predicate is not None
    assert [at for at, meta in enumerate(every) if predicate(Frame(at, 0, 1, 0, 0, b"x", meta))] == numbers


PIECES = st.sampled_from(
    ["and", "or", "not", "(", ")", "dir==in", "len>", "len>5", "n", "~", "==", '"', '"a"', "/", "/a/", "/[[a]/",
     "/(?L)/", "/(a+)+$/", "hex:", "hex:de ad", "hex:d", "\\", "é", "\ud800", "\udcff", "peer~", "event==x", "x", "\t",
     "\n", "\0", "&&", "||", "!", "'", "'a'", "=", "len=", "peer~/a/"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=8).map(" ".join) | st.lists(PIECES, max_size=6).map("".join))
def test_any_text_compiles_or_is_a_filter_error(text: str) -> None:
    try:
        predicate = compile_filter(text, PEERS.__getitem__)
    except FilterError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, no other is
        return
    for frame in FRAMES:
        assert predicate is None or predicate(frame) in (True, False)


@given(
    st.builds(
        Frame, st.integers(0, 9), st.integers(0, 9), st.integers(0, 300), st.integers(0, 2),
        st.sampled_from([0, 1, 8, 24]), st.binary(max_size=50),
        st.dictionaries(st.sampled_from(["event", "text", "x"]), st.none() | st.integers() | st.text()),
    ),
    st.sampled_from(["x", "é", "/./", "hex:00", "dir==in", "len>5", "n<3", "peer~1", "event==a", "not event~b"]),
)  # fmt: skip
def test_no_frame_breaks_it(frame: Frame, text: str) -> None:
    predicate = compile_filter(text, PEERS.__getitem__)
    assert predicate is not None
    assert predicate(frame) in (True, False)


def test_what_a_row_shows_for_its_payload_is_found() -> None:
    def shown(frame: Frame) -> str:
        return "RTM_NEWADDR 127.0.0.9/8 on lo" if frame.payload[:1] == b"L" else ""

    for text in ("newaddr", "/^RTM_NEW/", "127.0.0.9 and not dir==out"):
        predicate = compile_filter(text, PEERS.__getitem__, shown)
        assert predicate is not None
        assert predicate(Frame(0, 0, 4, 0, 0, b"L\0\0\0", {}))
        assert not predicate(Frame(0, 0, 4, 0, 0, b"M\0\0\0", {}))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}b$"])
def test_an_expression_that_never_ends_is_given_up(pattern: str) -> None:
    predicate = compile_filter(f"/{pattern}/", PEERS.__getitem__)
    assert predicate is not None
    with pytest.raises(FilterTooSlow, match="too long"):
        predicate(Frame(0, 0, 0, 0, 0, b"a" * 100_000 + b"!", {}))


VOCABULARY = Vocabulary(
    frozenset({"can.id", "can.pgn", "nl.type", "nl.ifname"}), ("uevent",),
    words={"nl.type": ("NLMSG_DONE", "RTM_NEWLINK", "RTM_DELLINK")}, numbers=frozenset({"can.pgn"}),
)  # fmt: skip
DECODED = {
    0: {},
    1: {"can.id": [("18F00401", 0x18F00401)], "can.pgn": [("61444", 61444)]},
    2: {"can.id": [("123", 0x123)], "uevent.action": [("add", None)]},
    3: {"nl.type": [("RTM_NEWLINK", None), ("NLMSG_DONE", None)], "nl.ifname": [("lo", None)]},
    4: {},
}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("can.pgn==61444", [1]),
        ("can.pgn == 0xf004", [1]),
        ("can.pgn!=61444", []),
        ('can.pgn=="61444 EEC1"', []),
        ("can.pgn~144", [1]),
        ("can.id==0x123", [2]),
        ("can.id==291", [2]),
        ("can.id==18f00401", [1]),
        ("can.id>0x7ff", [1]),
        ("can.id~f004", [1]),
        ("nl.type==RTM_NEWLINK", [3]),
        ("nl.type==nlmsg_done", [3]),
        ("nl.type!=RTM_NEWLINK", []),
        ("nl.type==rtm_dellink", []),
        ("nl.type==SOCK_DIAG_BY_FAMILY or nl.type==0x99 or nl.ifname==RTM_X", []),
        ("nl.type~RTM_NEW", [3]),
        ("NL.TYPE~new and nl.ifname==lo", [3]),
        ("uevent.action==add or can.pgn<70000", [1, 2]),
        ("uevent.whatever==1", []),
        ("not can.id>=0", [0, 3, 4]),
    ],
)
def test_fields_of_decoders(text: str, numbers: list[int]) -> None:
    predicate = compile_filter(
        text, PEERS.__getitem__, fields=lambda frame: DECODED[frame.number], vocabulary=VOCABULARY
    )
    assert predicate is not None
    assert [frame.number for frame in FRAMES if predicate(frame)] == numbers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("can.png==1", "there is no field can.png; did you mean can.pgn?"),
        ("can.zzzzzzzz==1", "there are can.id, can.pgn"),
        ("nl.type==RTM_NEWLNIK", "nl.type is never RTM_NEWLNIK; did you mean RTM_NEWLINK?"),
        ("nl.type != rtm_", "nl.type is never rtm_; did you mean RTM_NEWLINK?"),
        ("nl.type==nlmsg_zzzzzzzzzzzzzzzzz", "; there are NLMSG_DONE, RTM_NEWLINK"),
        ("can.pgn==F004", "'F004' is no number such as 61444 or 0xF004; a part of its name is found by can.pgn~F004"),
        ("can.pgn!=EEC1", "'EEC1' is no number"),
        ("foo==1", "there is no field foo; there are dir, len, peer, protocol, n, event"),
        ("lenght>5", "did you mean length?"),
        ("protokol==udp", "did you mean protocol?"),
        ("frame.protocols~udp", "there is no field frame.protocols; did you mean protocol?"),
        ("can.id>abc", "'abc' is not a number"),
    ],
)
def test_a_field_that_no_decoder_has_is_told(text: str, says: str) -> None:
    with pytest.raises(FilterError) as told:
        compile_filter(text, PEERS.__getitem__, vocabulary=VOCABULARY)
    assert says in str(told.value)


def offered(text: str) -> list[str]:
    values = {"dir": ("in", "out"), "peer": ("127.0.0.1:5000", "two words"), "nl.type": ("RTM_NEWLINK",),
              "protocol": ("udp", "kobject-uevent", "link type 147")}  # fmt: skip
    return completions(text, VOCABULARY, lambda field: values.get(field, ()))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("d", ["dir"]),
        ("can.", ["can.id", "can.pgn"]),
        ("(len>5 or NL.T", ["(len>5 or NL.Type"]),
        ("dir==", ["dir==in", "dir==out"]),
        ("dir==o", ["dir==out"]),
        ("peer~1", ["peer~127.0.0.1:5000"]),
        ("prot", ["protocol"]),
        ("protocol==k", ["protocol==kobject-uevent"]),
        ("nl.type==rtm", ["nl.type==rtm_NEWLINK"]),
        ('"dir==', []),
        ("dir==in ", []),
        ("zzz", []),
        ("hex:de c", []),
        ("(hex:de-ad d", []),
        ("hex:de di", ["hex:de dir"]),
        ("'a c", []),
        ("'a' d", ["'a' dir"]),
        ("it's d", ["it's dir"]),
    ],
)
def test_what_is_offered_while_typing(text: str, wanted: list[str]) -> None:
    assert [each.lower() for each in offered(text)] == [each.lower() for each in wanted]


@given(st.text(max_size=20) | st.lists(PIECES, max_size=5).map(" ".join))
def test_what_is_offered_begins_with_what_was_typed(text: str) -> None:
    assert all(each.startswith(text) and len(each) > len(text) for each in offered(text))


@given(st.lists(PIECES | st.sampled_from(["can.id==1", "can.x==1", "uevent.a~b", "a-b>c"]), max_size=6).map(" ".join))
def test_fields_of_decoders_break_nothing(text: str) -> None:
    try:
        predicate = compile_filter(
            text, PEERS.__getitem__, fields=lambda frame: DECODED[frame.number], vocabulary=VOCABULARY
        )
    except FilterError:
        return
    assert all(predicate is None or predicate(frame) in (True, False) for frame in FRAMES)
