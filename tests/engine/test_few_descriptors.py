"""A process that may have no more descriptors: what it begins fails, and leaves none open."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import socket
from collections.abc import Callable

import pytest
from support import descriptors, only_descriptors, unshare

from sockexplorer.client.link import start_process
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.stage import Stage


def a_spool() -> None:
    Spool().close()


def an_engine() -> None:
    start_process().close()


def a_stage() -> None:
    stage = Stage()
    try:
        os.close(stage.descriptor(socket.AF_INET, socket.SOCK_DGRAM, 0))
    finally:
        stage.close()


@pytest.mark.parametrize("spare", range(6))
@pytest.mark.parametrize("begin", [a_spool, an_engine, a_stage])
def test_nothing_is_left_open(begin: Callable[[], None], spare: int) -> None:
    before = descriptors(os.getpid())
    # The import system's word for a file that can't be opened is ImportError.
    with only_descriptors(spare), contextlib.suppress(OSError, ImportError):
        begin()
    gc.collect()
    assert descriptors(os.getpid()) == before


def test_a_socket_of_the_stage_that_finds_no_number_is_told_as_such() -> None:
    unshare()
    stage = Stage()
    try:
        os.close(stage.descriptor(socket.AF_INET, socket.SOCK_DGRAM, 0))
        with only_descriptors(0), pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            stage.descriptor(socket.AF_INET, socket.SOCK_DGRAM, 0)
    finally:
        stage.close()
