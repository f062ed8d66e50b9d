"""Capture files beside the sessions of a hub: opened, and repaired."""

from __future__ import annotations

import os
from pathlib import Path

from sockexplorer.capture.reading import CaptureError
from sockexplorer.capture.repair import cut
from sockexplorer.capture.unpacking import packed_kind
from sockexplorer.client.client import Problem
from sockexplorer.client.file_session import FileSession, Pipe
from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session


def open_file(hub: Hub, source: Path | Pipe, *, keeps_index: bool = True) -> FileSession | Problem:
    """Open a capture file beside the sessions of a hub, or say why not. It is indexed, and unpacked, meanwhile.

    A path may be that of a FIFO: its writer is not waited for.
    """
    name = str(source if isinstance(source, Path) else source.name)
    try:
        if isinstance(source, Path):
            source = source.expanduser()
            if source.is_fifo() or packed_kind(source):
                source = Pipe(os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), source.name)
        session = FileSession(0, source, keeps_index=keeps_index, directory=hub.log_directory)
    except OSError as error:
        return Problem("open", "", f"{name}: {error.strerror or error}")
    except (CaptureError, ValueError, RuntimeError) as error:
        return Problem(
            "open",
            "",
            f"{name}: {error}",
            "it is no capture that can be read" if isinstance(error, CaptureError) else "",
        )
    session.number = hub.next_number()
    hub.sessions[session.number] = session
    session.start()
    return session


def repair(hub: Hub, session: Session) -> tuple[Session, int] | Problem:
    """Cut a torn capture file at its last whole record; its session anew, and the bytes that are gone; or why not."""
    assert isinstance(session, FileSession)
    size = session.captured.index.file.size
    try:
        gone = cut(session.path, size, size - session.torn)
    except BlockingIOError:
        return Problem("repair", "", f"{session.path}: another program is still writing it")
    except (OSError, ValueError) as error:
        return Problem("repair", "", f"{session.path}: {getattr(error, 'strerror', None) or error}")
    try:
        anew = FileSession(session.number, session.path, keeps_index=session.keeps_index)
    except (OSError, CaptureError) as error:
        return Problem("repair", "", f"{session.path}: {error}")
    # What is mapped of the file reaches over its end: nobody may read on there.
    session.release()
    session.log.close()
    hub.sessions[session.number] = anew
    anew.start()
    return anew, gone
