"""Which rows pass a filter, as the explorer finds them; and a session's rows in a file, to find the same there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sockexplorer.client.file_session import FileSession
from sockexplorer.client.finding import filter_of
from sockexplorer.client.formats import PCAPNG
from sockexplorer.client.saving import saving
from sockexplorer.client.session import Session


def found(session: Session, text: str) -> list[int]:
    """The numbers of the rows that pass a filter, as the explorer finds them."""
    predicate = filter_of(text, session)
    assert predicate is not None
    sift, number, numbers = session.sift(predicate), session.log.first, []
    while number < session.log.end:
        number, matching = sift.go_on(number, session.log.end, float("inf"))
        numbers += matching
    return numbers


def one_by_one(session: Session, text: str) -> list[int]:
    """The same, by asking the filter of each row."""
    predicate = filter_of(text, session)
    assert predicate is not None
    return [each for each in range(session.log.first, session.log.end) if predicate(session.log.frame(each))]


@contextmanager
def opened(path: Path) -> Iterator[FileSession]:
    """The session of a large file, of which all is known."""
    session = indexed(path, 0)
    try:
        yield session
    finally:
        session.release()
        session.log.close()


def saved(session: Session, path: Path, vectorised_from: int) -> FileSession:
    """The session of the file that a session's rows are saved to."""
    with path.open("wb") as file:
        for _ in saving([session], PCAPNG, lambda parts: [file.write(part) for part in parts]):
            pass
    return indexed(path, vectorised_from)


def indexed(path: Path, vectorised_from: int) -> FileSession:
    """The session of a file, of which all is known."""
    session = FileSession(9, path, keeps_index=False, vectorised_from=vectorised_from)
    session.start()
    session.wait()
    return session
