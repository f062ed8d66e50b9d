"""Socket files: private from the first moment, and only ours are removed."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from sockexplorer.engine.unixfile import SocketFile, make_private


def bound(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    make_private(sock)
    sock.bind(str(path))
    return sock


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_private_under_every_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with bound(tmp_path / "s"):
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("address", ["", "\0abstract", b"\0abstract", None, 7, "/no/such/file"])
def test_no_file_for_what_has_none(address: object) -> None:
    assert SocketFile.made_by(address) is None


def test_a_file_that_is_no_socket_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert SocketFile.made_by(str(tmp_path / "f")) is None


def test_removed_once(tmp_path: Path) -> None:
    with bound(tmp_path / "s"):
        file = SocketFile.made_by(str(tmp_path / "s"))
        assert file is not None
        assert file.remove()
        assert not file.remove()


def test_a_link_to_our_file_is_not_our_file(tmp_path: Path) -> None:
    with bound(tmp_path / "s"):
        file = SocketFile.made_by(str(tmp_path / "s"))
        assert file is not None
        (tmp_path / "s").rename(tmp_path / "moved")
        (tmp_path / "s").symlink_to(tmp_path / "moved")
        assert not file.remove()
        assert (tmp_path / "s").is_symlink()


def test_a_relative_path_is_kept_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with bound(Path("s")):
        file = SocketFile.made_by("s")
        assert file is not None
        monkeypatch.chdir("/")
        assert file.remove()
    assert not (tmp_path / "s").exists()
