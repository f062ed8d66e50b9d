"""``watch``: the traffic of one socket on stdout, a line a frame; everything else on stderr."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from sockexplorer.cli import asked
from sockexplorer.cli.shown import chosen_format, format_options
from sockexplorer.cli.target import Target, target_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sockexplorer.cli.conversation import Conversation
    from sockexplorer.cli.output import Output
    from sockexplorer.cli.printer import Printer
    from sockexplorer.cli.stopping import Stop
    from sockexplorer.client.recorder import Recorder
    from sockexplorer.client.session import Session
    from sockexplorer.core.endpoint import Endpoint

REST = 0.01
"""Seconds between looks of whoever prints nothing, at most: each costs the engine something too, and nobody waits."""
MUCH = 2**20
"""Bytes that a look is to bring: few enough to be in the processor's caches still."""


@click.command(
    short_help="The traffic of a socket, a line a frame.",
    epilog="""\b
Examples:
  sockexplorer watch inet/udp --bind 127.0.0.1:9999
  sockexplorer watch inet/tcp --listen --bind "('127.0.0.1', 0)" --json
  sockexplorer watch netlink/route --bind 'LINK|IPV4_IFADDR' --for 60
  sockexplorer watch packet/raw --bind lo --count 10 --hex-dump
  sockexplorer watch can/raw --bind vcan0 --filter can.pgn==61444
  sockexplorer watch can/raw --bind vcan0 --write bus.pcapng
  sockexplorer watch inet/udp --bind 127.0.0.1:9999 --write - | wireshark -k -i -
""",
)
@target_argument
@asked.address_options
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@click.option(
    "--for", "seconds", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Stop after SECONDS."
)
@format_options
@click.option("--write", metavar="FILE", help="Record to a pcapng file as well; - is stdout, with nothing else on it.")
@click.option("--filter", "expression", default="", metavar="EXPR", help="Print only these frames; as in the explorer.")
@click.option("--quiet", is_flag=True, help="Print no line a frame: only record them.")
@click.option("--overwrite", is_flag=True, help="Let --write replace a file that has something in it.")
@asked.socket_options
@click.option("--snaplen", type=click.IntRange(1, 2**20), metavar="N", help="Keep at most N bytes of a message.")
def command(
    target: Target, bind: str | None, connect: str | None, listen: bool, count: int | None, seconds: float | None,
    as_json: bool, hex_dump: bool, form: str | None, fields: bool, write: str | None, expression: str, quiet: bool,
    overwrite: bool, options: tuple[str, ...], timeout: float | None, proto: str | None, snaplen: int | None,
) -> None:  # fmt: skip
    """Show the traffic of a socket: one line a frame on stdout, where it is bound and what happens to it on stderr.

    With --bind it receives there (a stream listens there), with --connect from that peer, with neither at the
    protocol's default address. An ADDRESS is a Python literal or the plain form, as for "check". The first line on
    stderr says where it is: "listening on ('127.0.0.1', 9999)".

    It stops after --count frames, after --for seconds, when its one connection ends (a listener goes on), when nobody
    reads stdout, or at Ctrl-C; then stderr tells what the kernel dropped.

    --json prints n (1, 2, 3 …), time (ISO 8601, UTC, nanoseconds), dir (in or out), peer (a Python literal or null),
    length, payload (hex), truncated, ancillary (an object or null).

    --filter prints only the frames that it lets through, and --count counts those; they are numbered and recorded as
    without. It is such as hello, /regex/, hex:dead, dir==in, len>100, can.pgn==61444 with and, or, not.

    --write records what comes as pcapng, for Wireshark and for "open". A frame whose line was printed is in the file,
    whatever ends the watch; when it is stopped, what had come is recorded though there is no time to print it. When the
    disk is full it stops behind the last whole frame, and says so.

    Exit status: 0 it stopped as above; 1 refused, reset or failed; 2 wrong usage, also for an ADDRESS that is neither
    a literal nor the plain form; 143 SIGTERM, 129 SIGHUP.
    """
    from sockexplorer.cli.writing import is_stdout

    kind = chosen_format(form, as_json=as_json, hex_dump=hex_dump, fields=fields)
    if write is not None and is_stdout(write):
        write = "-"
    if write == "-" and kind:
        raise click.UsageError("--write - has stdout for itself: leave --json, --hex-dump, --format and --fields out")
    if quiet and kind:
        raise click.UsageError("--quiet prints nothing of a frame: leave --json, --hex-dump, --format and --fields out")
    if expression.strip() and (quiet or write == "-"):
        raise click.UsageError("--filter is about what is printed, which is nothing: what is recorded is all")
    if overwrite and write in (None, "-"):
        raise click.UsageError("--overwrite goes with --write FILE")
    endpoint = asked.endpoint(
        target,
        bind=bind,
        connect=connect,
        listen=listen,
        options=options,
        timeout=timeout,
        proto=proto,
        snaplen=snaplen,
    )

    from contextlib import ExitStack

    from sockexplorer.cli.conversation import conversation
    from sockexplorer.cli.filtering import filtering
    from sockexplorer.cli.output import Output
    from sockexplorer.cli.printer import Printer
    from sockexplorer.cli.report import note
    from sockexplorer.cli.stopping import Stop

    passes = filtering(expression)
    with Stop() as stop, ExitStack() as kept:
        output = Output(stop)
        recorder = None if write is None else kept.enter_context(recorder_of(write, output, stop, overwrite=overwrite))
        printer = Printer(
            output, stop, count, kind or "text", recorder, quiet=quiet or write == "-", fields=fields, passes=passes
        )
        by_block = printer.take_block if printer.by_block else None
        with conversation(stop, printer.take, by_block, printer.flush) as talk:
            failed = follow(talk, printer, endpoint, seconds)
        if recorder is not None and printer.no_room is not None:
            # What came after the disk was full nobody took any more.
            seen = talk.session.log.received + talk.session.log.sent
            lost = (seen if count is None or passes else min(seen, count)) - recorder.recording.written
            note(f"Error: {printer.no_room}", f"  what it holds is whole; {lost} frame{'s' * (lost != 1)} had no room")
            failed = True
        recorded = None if recorder is None else recorder.recording.written
        note(summary(talk.session, printer.number, recorded))
        status = int(failed) or stop.status(interrupted=0)
    if status:
        raise click.exceptions.Exit(status)


def follow(talk: Conversation, printer: Printer, endpoint: Endpoint, seconds: float | None) -> bool:
    """Open, print what comes until the watch is over, and close. Whether the session failed. Raises `Failed`."""
    from sockexplorer.cli.report import Failed
    from sockexplorer.cli.stopping import GRACE, Stopped

    stop, failed = talk.stop, False
    try:
        with printer.until_refused():
            talk.open(endpoint, seconds)
            if printer.by_block and printer.recorder is not None:
                # What many rows are recorded by takes a tenth of a second to load, while the engine keeps what comes.
                import sockexplorer.capture.arrays  # noqa: F401
            if seconds is not None:
                stop.within(seconds)
            session, looked = talk.session, time.monotonic()
            while not (printer.full or stop.due or session.state in ("ended", "failed")):
                taken = talk.pump()
                printer.output.check()
                before, looked = looked, time.monotonic()
                if printer.by_block and 0 < taken < MUCH:
                    time.sleep(min(REST, (looked - before) * MUCH / taken))
            failed = talk.problem is not None and session.state in ("ended", "failed")
    except Stopped:
        if not stop.signal and talk.session.state == "connecting":
            raise Failed(f"not connected after {seconds:g} s") from None
    printer.end_by = time.monotonic() + GRACE
    talk.on_block = printer.take_block
    with suppress(Stopped), printer.until_refused():
        talk.close()
    with suppress(Stopped), printer.until_refused():
        printer.flush(last=True)
    return failed


@contextmanager
def recorder_of(path: str, output: Output, stop: Stop, *, overwrite: bool) -> Iterator[Recorder]:
    """A recorder to a file, or to stdout for ``-``. Raises `Failed` when it can't be begun."""
    from sockexplorer.capture.sink import Full
    from sockexplorer.cli.output import Gone
    from sockexplorer.cli.report import Failed
    from sockexplorer.cli.stopping import Stopped
    from sockexplorer.cli.writing import sink
    from sockexplorer.client.recorder import Recorder

    with sink(path, output, stop, overwrite=overwrite) as write:
        try:
            recorder = Recorder(write)
        except (Full, Gone) as error:
            raise Failed(str(error) or "nobody reads stdout") from None
        try:
            yield recorder
        finally:
            # What came before a failure was recorded, though nobody was told so yet.
            with suppress(Full, Gone, Stopped, Failed):
                recorder.recording.flush()


def summary(session: Session, printed: int, recorded: int | None = None) -> str:
    """The last line: what was printed, what was recorded only, what was neither, what the kernel dropped.

    ``recorded`` is None where nothing was to be.
    """
    seen, taken = session.log.received + session.log.sent, max(printed, recorded or 0)
    rest = f", {taken - printed} more recorded, not printed" if taken > printed else ""
    rest += f", {seen - taken} more not {'printed' if recorded is None else 'recorded'}" if seen > taken else ""
    of = "" if session.packets is None else f" of {session.packets}"
    return f"{printed} frame{'s' * (printed != 1)}{rest}; the kernel dropped {session.drops}{of}"
