"""A filter of a verb: whether a frame passes. What is wrong with it is told before anything is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sockexplorer.cli.report import Failed

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.capture.predicate import Predicate
    from sockexplorer.client.opened import Opened
    from sockexplorer.client.session import Session

    Passes = Callable[[Session | Opened, Frame], bool]


def filtering(expression: str) -> Passes | None:
    """What tells whether a frame of one session or file passes; None where all do.

    Raises `Failed` for a filter that is wrong, and so does what it returns for one that takes too long.
    """
    if not expression.strip():
        return None
    # Whoever has no filter need not wait for what reads them.
    from sockexplorer.capture.predicate import FilterError
    from sockexplorer.client.finding import filter_of

    compiled: list[Predicate | None] = []

    def passes(session: Session | Opened, frame: Frame) -> bool:
        try:
            if not compiled:
                compiled.append(filter_of(expression, session))
            return compiled[0] is None or compiled[0](frame)
        except FilterError as error:
            raise Failed(f"--filter: {error}") from None

    try:
        filter_of(expression, None)
    except FilterError as error:
        raise Failed(f"--filter: {error}") from None
    return passes
