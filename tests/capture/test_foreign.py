"""Filters in the words of Wireshark are refused with what to write; texts that look like them are searched."""

from __future__ import annotations

import pytest

from sockexplorer.capture.filter import compile_filter
from sockexplorer.capture.predicate import FilterError, Vocabulary

VOCABULARY = Vocabulary(frozenset({"can.id", "can.pgn", "nl.type"}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ip.src==127.0.0.1", "there is no field ip.src; an address is found by its text: 127.0.0.1"),
        ('ipv6.addr != "fe80::1"', "an address is found by its text: fe80::1"),
        ("ip.addr==10.1.0.0/16", "an address is found by its text: 10.1."),
        ("udp.port==53", r"there is no field udp.port; a port is found by /:53\b/"),
        ("tcp.dstport>1023", r"a port is found by /:1023\b/"),
        ("frame.len>5", "there is no field frame.len; did you mean len?"),
        ("len eq 8", 'at character 1: eq is written ==, as in len==8; the text is found by "len eq"'),
        ("hello or CAN.id ge", "at character 10: ge is written >=, as in CAN.id>=…"),
        ('peer contains "a b"', 'contains is written ~, as in peer~"a b"'),
        ('peer matches "^10[.]"', "matches is written ~, as in peer~/^10[.]/"),
        ('frame contains "abc"', ': "abc" is written alone; the text is found by "frame contains"'),
        ("udp contains de:ad:be", "hex:de:ad:be is written alone"),
        ("frame matches 'a.c'", "/a.c/ is written alone"),
        ("tcp.port eq 80", r"a port is found by /:80\b/"),
        ("len in {1, 2}", "each value is compared, as in len==1 or len==2"),
        ("udp.port in {53 5353}", r"a port is found by /:53\b/"),
        ("len>1 & dir==in", "at character 7: & is written &&"),
        ("hello | len<5", "| is written ||"),
        ("100<=LEN", "the field comes first, as in LEN>=100"),
        ("(10<len<20)", "the field comes first, as in len>10"),
        ("frame[0:2]==de:ad", "bytes are found at any place, as by hex:de ad"),
        (
            "time >= 2026-07-28 14:05",
            'a date and a time are one word, as in time >=2026-07-28T14:05; the text is found by "14:05"',
        ),
        ("/hello/i", "case never matters and there are no flags, as in /hello/"),
        ("not /he.lo/msi", "as in /he.lo/"),
    ],
)
def test_what_to_write_is_told(text: str, says: str) -> None:
    with pytest.raises(FilterError) as told:
        compile_filter(text, str, vocabulary=VOCABULARY)
    assert says in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["time>2026-07-28 2026", "2026-07-28 14:05",
     "eq 5", "what it contains", '"len eq 5"', "len 'eq' 5", "peer==len eq", "equal to len", "in {len}", "len in it",
     "a & b", "a | b", "1<2", "<len>", "a[0]", "/usr/lib/i", "peer~/tmp/i", "/tmp/x", "udp", "matches /x/"],
)  # fmt: skip
def test_other_texts_are_searched(text: str) -> None:
    assert compile_filter(text, str, vocabulary=VOCABULARY) is not None
