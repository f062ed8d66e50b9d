"""Endpoints and verdicts travel as JSON."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from addresses import GOOD
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.faults import Notice
from sockexplorer.core.protocol import Operation
from sockexplorer.core.verdict import Verdict

ADDRESS = st.none() | st.one_of(*GOOD.values())
OPTIONS = st.lists(st.builds(SetOption, st.text(), st.text(), st.integers()), max_size=3).map(tuple)


@given(
    st.builds(
        Endpoint, st.text(), st.text(), st.sampled_from(get_args(Operation)), ADDRESS, ADDRESS, OPTIONS,
        st.none() | st.integers(), st.none() | st.integers(),
    )
)  # fmt: skip
def test_an_endpoint_comes_back(endpoint: Endpoint) -> None:
    assert Endpoint.from_json(json.loads(json.dumps(endpoint.to_json()))) == endpoint


@pytest.mark.parametrize(
    "change",
    [{"operation": "dance"}, {"local": "open('x')"}, {"local": "("}, {"options": [1]}, {"snaplen": "x"}, {"proto": []}],
)
def test_what_is_no_endpoint_is_refused(change: dict[str, object]) -> None:
    value = {**Endpoint("inet", "udp", "bind").to_json(), **change}
    with pytest.raises((KeyError, ValueError, TypeError, SyntaxError)):
        Endpoint.from_json(value)
    for missing in value:
        with pytest.raises((KeyError, ValueError, TypeError, SyntaxError)):
            Endpoint.from_json({name: each for name, each in value.items() if name != missing})


@given(
    st.builds(
        Verdict, st.booleans(), st.sampled_from(["cpython", "model"]), st.none() | st.text(), st.text(), st.text(),
        st.text(), st.text(), st.lists(st.builds(Notice, st.text(), st.text()), max_size=2).map(tuple),
        st.none() | st.binary(), ADDRESS,
    )
)  # fmt: skip
def test_a_verdict_comes_back(verdict: Verdict) -> None:
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_a_verdict_as_a_sentence() -> None:
    refused = Verdict(False, "cpython", "OverflowError", "m", "port", "is too large", "write less")
    assert refused.sentence() == "port is too large; write less"
    assert Verdict(False, "cpython", "TypeError", "no tuple").sentence() == "no tuple"
    assert Verdict(True, "cpython").sentence() == "CPython accepts this address"
