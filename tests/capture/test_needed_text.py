"""The texts that are searched ahead of a regular expression are in everything that it matches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockexplorer.capture.filter import FilterError
from sockexplorer.capture.needed_text import needed
from sockexplorer.capture.text_search import compile_regex

PIECES = (
    *"aBs1 .^$*+?|()[]{}\\-:é", "ab", "GET", r"\.", r"\/", r"\d", r"\b", r"\x41", r"\n", r"\]", "{2}", "{0,1}", "{,3}",
    "{e<=1}", "(?:", "(?=", "(?!", "(?<!", "(?<x>", "(?i)", "(?x)", "(?>", "(?|", "[ab]", "[^a]", "[]a]", "[[:alpha:]]",
    "[a-z]", "??", "+?", "a?", "b*", r"\p{L}", r"\K", "(ab)", "(a|b)", "(ab)?", "{}", "{,}",
)  # fmt: skip


@settings(max_examples=1000)
@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.sampled_from("aAbBsSgetGET1.]é {}:-"), max_size=12),
)
def test_they_are_in_every_match(expression: str, characters: list[str]) -> None:
    try:
        pattern = compile_regex(expression)
    except FilterError:
        return
    data = "".join(characters)
    for text in (data, f"{data}ab", f"get{data}", f"aab.{data}{{}}"):
        if pattern.search(text, timeout=1):
            assert all(each in text.lower() for each in needed(pattern.pattern))


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        (r"GET \/index.*HTTP", ["get /index", "http"]),
        (r"^220 .*ready\.$", ["ready.", "220 "]),
        (r"abc+d?ef", ["abc", "ef"]),
        (r"user=(\w+)&password=", ["&password=", "user="]),
        (r"a|bcd", []),
        (r"x", []),
        (r"(?i)abc", []),
        (r"(?:abc){e<=1}", []),
    ],
)
def test_they_are_as_long_as_may_be(expression: str, texts: list[str]) -> None:
    assert needed(compile_regex(expression).pattern) == texts
