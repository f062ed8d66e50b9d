"""Rows of sessions written to a file in any format, a little at a time beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from sockexplorer.capture.copying import Copy
from sockexplorer.capture.log import Frame
from sockexplorer.capture.predicate import Predicate
from sockexplorer.capture.sink import Full, Sink
from sockexplorer.client.formats import PCAPNG, SOURCES, as_lines
from sockexplorer.client.recorder import Recorder
from sockexplorer.client.session import Session

TOGETHER = 256
"""Frames of one write."""
LOOKED_AT = 64
"""Rows after which who saves has its turn, though the filter let none through."""
Passes = Callable[[Session], Predicate | None]
"""Which rows of a session to save; None for all."""


def saving(sessions: Sequence[Session], kind: str, sink: Sink, passes: Passes = lambda session: None) -> Iterator[int]:
    """Write the frames of one session after the other; the frames so far, after each part.

    Events are left out, as on the command line, and so are rows that a log drops meanwhile. Raises `Full`, with whole
    frames in the file, and what a filter raises.
    """
    return _packets(sessions, sink, passes) if kind == PCAPNG else _lines(sessions, kind, sink, passes)


def _packets(sessions: Sequence[Session], sink: Sink, passes: Passes) -> Iterator[int]:
    # A section of the file holds what sessions recorded; what other captures hold comes behind it.
    files = [each for each in sessions if each.state == "file"]
    recorder = Recorder(sink, [_not_in_it(each) for each in sessions if each not in files and each.log.dropped])
    for session in sessions:
        if session in files:
            continue
        predicate = passes(session)
        if predicate is None:
            yield from _blocks(recorder, session)
        else:
            yield from _passing(recorder, session, predicate)
        recorder.flush(session, last=True)
    yield recorder.recording.written
    for copied in _copies(files, sink, passes) if files else ():
        yield recorder.recording.written + copied


def _not_in_it(session: Session) -> str:
    """What a reader of the file has to know of a log that was full."""
    return f"{session.title}: {session.log.dropped} earlier frames were dropped from the log and are not in here"


def _copies(files: Sequence[Session], sink: Sink, passes: Passes) -> Iterator[int]:
    """The records of capture files as they are in them."""
    from sockexplorer.client.file_session import FileSession

    copy, copied = Copy(sink), 0
    for session in files:
        index = session.captured.index if isinstance(session, FileSession) else None
        copy.begin({} if index is None else index.drops)
        predicate, log = passes(session), session.log
        beside = iter(()) if index is None else index.beside()
        kept = next(beside, None)
        for number in range(log.first, log.end):
            while kept is not None and index is not None and kept[0] < index.columns.offset[number - 1]:
                copy.keep(kept[1])
                kept = next(beside, None)
            record = session.record(number) if predicate is None or predicate(log.frame(number)) else None
            if record is not None:
                copy.add(record)
                copied += 1
            if not number % TOGETHER:
                copy.flush()
                yield copied
        for _, last in () if kept is None else chain((kept,), beside):
            copy.keep(last)
        copy.tell_drops()
    copy.flush()
    yield copied


def _blocks(recorder: Recorder, session: Session) -> Iterator[int]:
    log = session.log
    for block in log.blocks(log.first, log.end):
        if not recorder.add_block(session, block):
            for number in range(max(block.first, log.first), block.last):
                recorder.add(session, log.frame(number))
        recorder.flush()
        yield recorder.recording.written


def _passing(recorder: Recorder, session: Session, predicate: Predicate) -> Iterator[int]:
    for number, frame in enumerate(_frames(session, predicate), 1):
        if frame is not None:
            recorder.add(session, frame)
        if not number % TOGETHER:
            recorder.flush()
        yield recorder.recording.written


def _lines(sessions: Sequence[Session], kind: str, sink: Sink, passes: Passes) -> Iterator[int]:
    written, waiting = 0, list[bytes]()

    def flush() -> None:
        nonlocal written
        lines, waiting[:] = list(waiting), []
        if lines:
            try:
                sink(lines)
            except Full as full:
                full.frames = written + full.kept
                raise
            written += len(lines)

    # What source code calls frames has to be unique in a file; one session's rows keep their numbers.
    counted = len(sessions) > 1 and kind in SOURCES
    for session in sessions:
        path = f"{session.family.name}/{session.protocol.name}"
        for frame in _frames(session, passes(session)):
            if frame is not None:
                # A file may have frames of several sessions: each says of what socket it is.
                told = frame._replace(meta={"socket": path, **frame.meta})
                number = written + len(waiting) + 1 if counted else None
                waiting.append(as_lines(kind, session, told, number).encode("utf-8", "backslashreplace"))
            if len(waiting) >= TOGETHER:
                flush()
            yield written
    flush()
    yield written


def _frames(session: Session, predicate: Predicate | None) -> Iterator[Frame | None]:
    """The frames to save; None now and then, where rows were only looked at."""
    log = session.log
    number, end = log.first, log.end
    while number < end:
        number = max(number, log.first)
        try:
            frame = log.frame(number)
        except IndexError:
            return
        number += 1
        if not frame.event and (predicate is None or predicate(frame)):
            yield frame
        elif not number % LOOKED_AT:
            yield None
