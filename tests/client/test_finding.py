"""Filters by what came beside frames: the same rows of a live session, and of the file that it is saved to."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from filtered import found, saved
from support import Desk, udp

from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption


@pytest.fixture(params=[0, 2**40], ids=["a large file", "a small file"])
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """Checks a filter in a live session and in the file that it is saved to."""

    def check(session: Session, wanted: dict[str, list[int]]) -> None:
        again = saved(session, tmp_path / "saved.pcapng", request.param)
        try:
            for text, numbers in wanted.items():
                assert found(session, text) == numbers, f"live: {text}"
                assert found(again, text) == numbers, f"of the file: {text}"
        finally:
            again.release()
            again.log.close()

    return check


def test_the_ttl_of_datagrams(process_desk: Desk, everywhere: Callable[..., None]) -> None:
    option = SetOption("IPPROTO_IP", "IP_RECVTTL", 1)
    session = process_desk.open("inet/udp", local=("127.0.0.1", 0), options=(option,))
    with udp() as sock:
        for ttl in (64, 3, 200):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.sendto(b"x", session.local)  # type: ignore[arg-type]
    process_desk.incoming(session, 3)
    everywhere(
        session,
        {
            "anc.IP_TTL": [1, 2, 3], "anc.IP_TTL==64": [1], "anc.IP_TTL<64": [2], "anc.IP_TTL!=64": [2, 3],
            "anc.vlan": [], "not anc.IP_TTL>=64": [2],
        },
    )  # fmt: skip


def test_credentials_and_descriptors(process_desk: Desk, everywhere: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "here"
    session = process_desk.open("unix/dgram", local=str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, path.with_name("passed").open("w") as file:
        sock.connect(str(path))
        sock.send(b"alone")
        sock.sendmsg([b"with"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])
    process_desk.incoming(session, 2)
    pid = os.getpid()
    everywhere(
        session,
        {
            f"anc.credentials.pid=={pid}": [1, 2], f"anc.credentials.pid>{pid}": [], "anc.descriptors": [2],
            "anc.descriptors~/^file .*passed$/": [2], "anc.credentials and not anc.descriptors": [1],
        },
    )  # fmt: skip
