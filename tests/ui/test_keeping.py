"""Where the traffic of a session is kept, and how much of it, as the command line says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pty_app import PtyApp
from support import Desk, open_files, udp

from sockexplorer.cli.group import cli
from sockexplorer.cli.keeping import ALL, limit
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import start_thread
from sockexplorer.core.endpoint import Endpoint


@pytest.mark.parametrize(
    ("keep", "directory", "expected"),
    [(None, None, 7), (None, Path("/"), None), (2**20, Path("/"), 2**20), (ALL, None, None), (2**30, None, 2**30)],
)
def test_all_in_files_and_the_usual_in_memory(keep: int | str | None, directory: Path | None, expected: int) -> None:
    assert limit(keep, directory, 7) == expected


@pytest.mark.parametrize("size", ["5X", "-1M", "1", "", "1.5G", "9999999999999K"])
def test_what_is_no_size_is_refused_with_what_would_be_one(size: str) -> None:
    result = CliRunner().invoke(cli, ["explore", "--keep", size])
    assert result.exit_code == 2
    assert re.search(r"write 256M, 4G, or all|less than 1M", result.output)


def test_a_directory_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(cli, ["explore", "--keep-in", "/nonesuch"])
    assert (result.exit_code, "/nonesuch" in result.output) == (2, True)


def test_all_of_it_goes_to_a_file_without_a_name(tmp_path: Path) -> None:
    hub = Hub(start_thread, log_limit=None, log_directory=tmp_path)
    desk = Desk(hub)
    try:
        session = desk.open("inet/udp", local=("127.0.0.1", 0))
        with udp() as peer:
            for number in range(500):
                peer.sendto(b"%d" % number * 1000, session.local)  # type: ignore[arg-type]
                hub.poll(0)
        desk.until(lambda: session.log.received == 500, "500 frames")
        assert session.log.dropped == 0
        assert session.log.frame(session.log.first).payload == b"0" * 1000
        assert session.log.store.descriptor is not None
        found = Path(os.readlink(f"/proc/self/fd/{session.log.store.descriptor}"))  # noqa: PTH115
        assert found.parent == tmp_path
        assert os.fstat(session.log.store.descriptor).st_blocks * 512 > 900_000
        assert not list(tmp_path.iterdir())
    finally:
        hub.shut_down()


def test_where_nothing_can_be_kept_nothing_is_opened(tmp_path: Path) -> None:
    hub = Hub(start_thread, log_limit=None, log_directory=tmp_path / "gone")
    try:
        session = hub.open(Endpoint("AF_INET", "udp", "bind", ("127.0.0.1", 0)))
        assert session.state == "failed"
        assert session.problem is not None
        assert (session.problem.name, str(tmp_path / "gone") in session.problem.message) == ("ENOENT", True)
    finally:
        hub.shut_down()


def test_the_explorer_keeps_it_there(tmp_path: Path) -> None:
    with PtyApp("explore", "inet/udp", "127.0.0.1:0", "--keep-in", str(tmp_path)) as app:
        app.shows(b" Code")
        app.write(b"\r")
        app.until(
            lambda: any(each.startswith(str(tmp_path)) for each in open_files(app.engine())),
            "the file",
        )
        app.write(b"q")
