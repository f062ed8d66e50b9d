"""The whole table of a session's life."""

from __future__ import annotations

from typing import get_args

import pytest

from sockexplorer.core.lifecycle import NEXT, IllegalStep, State, Step, after, allowed

STATES: tuple[State, ...] = get_args(State)
STEPS: tuple[Step, ...] = get_args(Step)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_every_pair(state: State, step: Step) -> None:
    if allowed(state, step):
        assert after(state, step) in STATES
        if step == "send":
            assert after(state, step) == state
    else:
        with pytest.raises(IllegalStep, match=f"{step} is not possible while the session is {state}"):
            after(state, step)


@pytest.mark.parametrize("state", STATES)
def test_close_is_possible_until_closed(state: State) -> None:
    assert allowed(state, "close") == (state not in ("closed", "file")), "a capture file that is shown is no socket"
    assert not [step for step in STEPS if allowed("closed", step)]


def test_nothing_can_be_sent_before_or_after() -> None:
    sending = {state for state in STATES if allowed(state, "send")}
    assert sending == {"open", "bound", "connected", "listening"}


def test_every_state_is_reached_and_none_is_unknown() -> None:
    assert {"opening", "file", *NEXT.values()} == set(STATES)
    assert {step for _, step in NEXT} == set(STEPS)
