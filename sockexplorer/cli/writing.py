"""Where a verb writes a capture: a file, or stdout or a pipe with a name as a stream for another program."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sockexplorer.cli.report import Failed
from sockexplorer.cli.stopping import Stop, Stopped

if TYPE_CHECKING:
    from sockexplorer.capture.bulk import Whole
    from sockexplorer.capture.sink import Sink
    from sockexplorer.cli.output import Output, Writer


def status_of(path: str) -> os.stat_result | None:
    """What stat(2) tells of a file, for ``-`` of stdout; None for one that is not there."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.fstat(sys.stdout.fileno()) if path == "-" else Path(path).stat()
    return None


def is_stdout(path: str) -> bool:
    """Whether a path is stdout, under any name: what is written there stands among the lines. A device takes both."""
    told, stdout = status_of(path), status_of("-")
    if told is None or stdout is None or stat.S_ISCHR(told.st_mode):
        return False
    return os.path.samestat(told, stdout)


@contextlib.contextmanager
def sink(path: str, output: Output, stop: Stop, *, overwrite: bool) -> Iterator[Sink]:
    """What takes blocks: the file, or for ``-`` stdout.

    What is no regular file is written to as stdout is: it raises `Gone` and `Stopped`.

    Raises `Failed` for a file that can't be begun, and in the end for one that was removed meanwhile.
    """
    from sockexplorer.capture.sink import FileSink
    from sockexplorer.cli.output import Writer

    if path == "-":
        with _stream(output) as write:
            yield write
        return
    if not path:
        raise Failed("the file to write has no name", "  try: a name", "  try: -, which is stdout")
    try:
        # Opening a FIFO waits for its reader.
        with stop.interruptible():
            if stop.signal:
                raise Stopped
            file = FileSink(Path(path), overwrite=overwrite)
    except Stopped:
        raise click.exceptions.Exit(stop.status()) from None
    except FileExistsError:
        raise Failed(f"{path}: there is such a file", "  try: another name", "  try: --overwrite") from None
    except BlockingIOError:
        raise Failed(f"{path}: another sockexplorer is writing it", "  try: another name") from None
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None
    with contextlib.closing(file):
        with contextlib.nullcontext(file) if file.regular else _stream(Writer(stop, file.fileno(), path)) as write:
            yield write
        if file.removed:
            raise Failed(f"{path}: somebody removed it while it was written; what was recorded is lost")


@contextlib.contextmanager
def _stream(output: Output | Writer) -> Iterator[Sink]:
    """What writes blocks to another program, which may leave or read no more.

    Where it is a file after all, such as that of ``> FILE``, it holds whole blocks when its disk is full: `Full`.
    """
    from sockexplorer.capture.sink import Full, pieces, whole
    from sockexplorer.cli.output import Gone

    rest, given_up = b"", False

    def write(blocks: Sequence[Whole]) -> None:
        nonlocal rest, given_up
        # Who was stopped amid a batch may have left some of it out: nothing comes behind that.
        data = rest if given_up else b"".join(pieces(blocks))
        try:
            output.write(data)
        except Stopped:
            given_up = True
        except Failed as error:
            if given_up:
                raise
            kept, more, length = whole(blocks, output.taken)
            if not output.take_back(output.taken - length):
                raise
            raise Full(str(error), kept, more=more) from None
        finally:
            rest = data[output.taken :]
        if given_up:
            raise Stopped

    try:
        yield write
    finally:
        # A block may have been in the midst of it, and the reader takes it by now.
        if given_up:
            with contextlib.suppress(Stopped, Gone, Failed):
                write(())
