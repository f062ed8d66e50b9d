"""``open``: a capture file in the explorer, or printed as ``watch`` prints."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sockexplorer.cli.shown import chosen_format, follow_option, format_options

if TYPE_CHECKING:
    from sockexplorer.client.file_session import Pipe


@click.command(
    short_help="A capture file: in the explorer, or a line a frame.",
    epilog="""\b
Examples:
  sockexplorer open traffic.pcapng
  sockexplorer open traffic.pcapng --format text
  sockexplorer open traffic.pcapng --filter 'dir==in len>100' --json
  sockexplorer open traffic.pcapng --follow 7 --hex-dump
  sockexplorer open traffic.pcapng --statistics
  sockexplorer open torn.pcapng --repair
  tshark -i lo -w - | sockexplorer open -
  candump -L vcan0 | sockexplorer open - --format text
""",
)
@click.argument("file", metavar="FILE")
@click.option("--filter", "expression", default="", metavar="EXPR", help="Only these frames; as in the explorer.")
@follow_option
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@format_options
@click.option("--statistics", is_flag=True, help="Count the frames by peer, length and protocol instead.")
@click.option("--repair", is_flag=True, help="Cut a FILE that ends within a record at the last whole one.")
def command(
    file: str, expression: str, follow: int | None, count: int | None, as_json: bool, hex_dump: bool,
    form: str | None, fields: bool, statistics: bool, repair: bool,
) -> None:  # fmt: skip
    """Show the frames of a capture: what "watch --write" records, pcapng and pcap of Wireshark and tcpdump, and logs
    of candump -L; each also compressed by gzip. - reads stdin, live.

    On a terminal the explorer opens with the file, unless an option such as --format text asks for lines; the index of
    a large file is kept in your cache directory, so that it opens at once the next time (SOCKEXPLORER_NO_INDEX=1: it
    is not). What comes through a pipe, or into a file that is still written, appears as it comes; the pipe's, and what
    is unpacked, is kept in a file without a name in TMPDIR until you close it; of a compressed file that is what it
    holds when it is opened. Elsewhere, such as into a pipe, frames are printed.

    --json prints what "watch" does and socket, the FAMILY/PROTOCOL that has such frames; n is the frame's number in
    the file, and time is null for one of which the file has none. --fields adds what decoders read, each field with
    name, value, its bytes from start up to end of the payload, number where the value says it in words, and the fields
    in it. A filter is such as hello, /regex/, hex:dead,
    dir==in, len>100, protocol==udp with and, or, not.

    --statistics counts them instead, those that a filter shows or the first N: as tables, or with --json as one object
    with frames, in, out, bytes, dropped, and lists of peers, lengths and protocols.

    A file that ends within a record, because its writer was killed or its machine lost its power, is shown up to there,
    and said to be torn, and so is one of which the compressed data end early. Anything else that is damaged or no
    capture is an error that names the byte.

    Exit status: 0 shown; 1 no capture, damaged, not readable; 2 wrong usage.
    """
    from contextlib import closing, nullcontext, suppress

    from sockexplorer.capture.statistics import Counts
    from sockexplorer.cli.captured import Captured, is_stream
    from sockexplorer.cli.counting import count_lines, kinds_of
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.printer import Printer
    from sockexplorer.cli.report import note
    from sockexplorer.cli.stopping import Stop, Stopped

    kind = chosen_format(form, as_json=as_json, hex_dump=hex_dump, fields=fields)
    if statistics and (fields or kind not in (None, "text", "jsonl")):
        raise click.UsageError("--statistics are text or --json: leave other formats and --fields out")
    if repair and is_stream(file):
        raise click.UsageError("--repair needs a file, not a pipe")
    if repair and count is not None:
        raise click.UsageError("--repair has to read to the end: leave --count out")
    lines = kind or statistics or repair or count is not None or follow is not None
    if not lines and sys.stdout.isatty() and (source := _source(file)) is not None:
        raise click.exceptions.Exit(_explore(file, source, expression))
    with Stop() as stop:
        output = Output(stop)
        printer = Printer(output, stop, count, kind or "text", numbered=True, fields=fields, quiet=statistics)
        try:
            with closing(Captured(file, stop, printer.flush)) as captured:
                captured.refuse("-")
                kind_of = kinds_of(captured.opened) if statistics else str
                counts = Counts(kind_of) if statistics else None
                every = not (expression.strip() or follow or count)
                # Who stops it wants to see what was counted so far.
                with suppress(Stopped) if statistics else nullcontext():
                    if counts is not None and every and captured.is_large:
                        for counts in captured.counts(kind_of, repair=repair):
                            printer.number = counts.total.frames
                    else:
                        for _, frame in captured.frames(expression, follow=follow, repair=repair):
                            printer.take(captured.opened, frame)
                            if counts is not None:
                                counts.add(frame)
                            if printer.full:
                                break
                printer.flush()
                if counts is not None:
                    told = count_lines(counts, captured.opened, captured.dropped, as_json=kind == "jsonl")
                    output.write(output.encode(told))
                if repair:
                    captured.repair()
        except (Gone, Stopped):
            pass
        dropped = f"; {captured.dropped} were dropped when it was captured" if captured.dropped else ""
        note(f"{printer.number} frame{'s' * (printer.number != 1)}{dropped}")
        status = stop.status(interrupted=0)
    if status:
        raise click.exceptions.Exit(status)


def _source(file: str) -> Path | Pipe | None:
    """What the explorer can show of FILE, with the terminal as stdin; None where it can't, or stdin is no terminal."""
    from sockexplorer.client.file_session import Pipe

    try:
        stdin = os.stat(0)
        told = stdin if file == "-" else Path(file).stat()
        if os.path.samestat(told, stdin) and not sys.stdin.isatty():
            return _stdin()
        if not sys.stdin.isatty():
            return None
        if stat.S_ISREG(told.st_mode):
            return Path(file)
        if stat.S_ISFIFO(told.st_mode):
            # Its writer is waited for when the explorer stands.
            return Pipe(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), Path(file).name)
    except OSError:
        return None
    return None


def _stdin() -> Path | Pipe | None:
    """What stdin is, of which the terminal takes the place: keys come from there. None where that can't be."""
    from sockexplorer.client.file_session import Pipe

    mode = os.fstat(0).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    taken = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    if not stat.S_ISREG(mode):
        return Pipe(taken, "stdin")
    path = Path(f"/dev/fd/{taken}")
    return path.resolve() if path.resolve().exists() else path


def _explore(file: str, source: Path | Pipe, expression: str) -> int:
    """Show the file in the explorer; the exit status. Raises `Failed` for what is no capture, ahead of the explorer.

    What comes from a pipe is judged when it comes.
    """
    from sockexplorer.capture.mapped import MappedFile
    from sockexplorer.capture.reading import CaptureError, kind_of
    from sockexplorer.capture.unpacking import packed_kind
    from sockexplorer.cli.filtering import filtering
    from sockexplorer.cli.questions import not_started, starter
    from sockexplorer.cli.report import Failed
    from sockexplorer.client.client import StartError
    from sockexplorer.client.link import start_process
    from sockexplorer.ui import run

    try:
        filtering(expression)
        if isinstance(source, Path):
            mapped = MappedFile(source)
            try:
                packed_kind(source) or kind_of(mapped.window(0))
            finally:
                mapped.close()
    except CaptureError as error:
        raise Failed(f"{file}: {error}") from None
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None
    try:
        return run(None, None, starter(start_process), capture=(source, expression))
    except StartError as error:
        raise not_started(error) from None
