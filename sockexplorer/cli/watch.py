"""``watch``: the traffic of one socket on stdout, a line a frame; everything else on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from itertools import accumulate
from typing import TYPE_CHECKING

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, target_argument

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.cli.output import Output
    from sockexplorer.cli.stopping import Stop
    from sockexplorer.client.hub import Session

TOGETHER = 256
"""Frames of one write, at most."""
GRACE = 0.5
"""Seconds for what had arrived before the end."""


@click.command(
    short_help="The traffic of a socket, a line a frame.",
    epilog="""\b
Examples:
  sockexplorer watch inet/udp --bind 127.0.0.1:9999
  sockexplorer watch inet/tcp --listen --bind "('127.0.0.1', 0)" --json
  sockexplorer watch netlink/route --bind 'LINK|IPV4_IFADDR' --for 60
  sockexplorer watch packet/raw --bind lo --count 10 --hex-dump
""",
)
@target_argument
@asked.address_options
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@click.option(
    "--for", "seconds", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Stop after SECONDS."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a line for people.")
@click.option("--hex-dump", is_flag=True, help="The bytes of each frame below its line.")
@asked.socket_options
@click.option("--snaplen", type=click.IntRange(1, 2**20), metavar="N", help="Keep at most N bytes of a message.")
def command(
    target: Target, bind: str | None, connect: str | None, listen: bool, count: int | None, seconds: float | None,
    as_json: bool, hex_dump: bool, options: tuple[str, ...], timeout: float | None, proto: str | None,
    snaplen: int | None,
) -> None:  # fmt: skip
    """Show the traffic of a socket: one line a frame on stdout, where it is bound and what happens to it on stderr.

    With --bind it receives there (a stream listens there), with --connect from that peer, with neither at the
    protocol's default address. An ADDRESS is a Python literal or the plain form, as for "check". The first line on
    stderr says where it is: "listening on ('127.0.0.1', 9999)".

    It stops after --count frames, after --for seconds, when its one connection ends (a listener goes on), when nobody
    reads stdout, or at Ctrl-C; then stderr tells what the kernel dropped.

    --json prints n (1, 2, 3 …), time (ISO 8601, UTC, nanoseconds), dir (in or out), peer (a Python literal or null),
    length, payload (hex), truncated, ancillary (an object or null).

    Exit status: 0 it stopped as above; 1 refused, reset or failed; 2 wrong usage, also for an ADDRESS that is neither
    a literal nor the plain form; 143 SIGTERM, 129 SIGHUP.
    """
    if as_json and hex_dump:
        raise click.UsageError("--json has the bytes as hex already: leave --hex-dump out")
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

    from sockexplorer.cli.conversation import conversation
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.report import Failed, note
    from sockexplorer.cli.stopping import Stop, Stopped

    with Stop() as stop:
        printer = Printer(Output(stop), stop, count, as_json=as_json, hex_dump=hex_dump)
        status = 0
        with conversation(stop, printer.take) as talk:
            try:
                talk.open(endpoint, seconds)
                if seconds is not None:
                    stop.within(seconds)
                session = talk.session
                while not (printer.full or stop.due or session.state in ("ended", "failed")):
                    talk.pump()
                    printer.flush()
                    printer.output.check()
                status = int(talk.problem is not None and session.state in ("ended", "failed"))
            except Gone:
                printer.over = True
            except Stopped:
                if not stop.signal and talk.session.state == "connecting":
                    raise Failed(f"not connected after {seconds:g} s") from None
            printer.end_by = time.monotonic() + GRACE
            try:
                talk.close()
                printer.flush()
            except (Gone, Stopped):
                printer.over = True
        note(summary(talk.session, printer.number))
        status = status or stop.status(interrupted=0)
    if status:
        raise click.exceptions.Exit(status)


def summary(session: Session, printed: int) -> str:
    """The last line: what was printed, what was not, what the kernel dropped."""
    seen = session.log.received + session.log.sent
    rest = f", {seen - printed} more not printed" if seen > printed else ""
    of = "" if session.packets is None else f" of {session.packets}"
    return f"{printed} frame{'s' * (printed != 1)}{rest}; the kernel dropped {session.drops}{of}"


class Printer:
    """Numbers frames and prints them, many lines with one write when many have come."""

    def __init__(self, output: Output, stop: Stop, count: int | None, *, as_json: bool, hex_dump: bool) -> None:
        self.output = output
        self.number = 0
        """Frames that were printed whole."""
        self.over = False
        """Whether no more is to be printed."""
        self.end_by: float | None = None
        """When printing has to be over, once the end has come."""
        self._stop = stop
        self._count = count
        self._as_json = as_json
        self._hex_dump = hex_dump
        self._waiting: list[bytes] = []
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def full(self) -> bool:
        """Whether as many frames as were asked for have come."""
        return self._count is not None and self.number + len(self._waiting) >= self._count

    def take(self, session: Session, frame: Frame) -> None:
        """Print a frame, soon. Raises `Gone`, or `Stopped` when it is time amid a flood."""
        from sockexplorer.cli import rows
        from sockexplorer.cli.stopping import Stopped

        if self.over or self.full:
            return
        if self._as_json:
            text = rows.as_json(self.number + len(self._waiting) + 1, session, frame) + "\n"
        else:
            lines = [rows.as_text(session, frame, self._width), *(rows.dump(frame) if self._hex_dump else ())]
            text = "".join(f"{line}\n" for line in lines)
        self._waiting.append(self.output.encode(text))
        if len(self._waiting) < TOGETHER:
            return
        self.flush()
        if self._stop.due if self.end_by is None else time.monotonic() > self.end_by:
            self.over = self.end_by is not None
            raise Stopped

    def flush(self) -> None:
        """Write what waits. Raises `Gone` or `Stopped`."""
        if not self._waiting or self.over:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self.output.write(b"".join(waiting))
        finally:
            self.number += sum(end <= self.output.taken for end in accumulate(map(len, waiting)))
