"""``open``: what a capture file holds, printed as ``watch`` prints it."""

from __future__ import annotations

import click

from sockexplorer.cli.shown import chosen_format, format_options


@click.command(
    short_help="What a capture file holds, a line a frame.",
    epilog="""\b
Examples:
  sockexplorer open traffic.pcapng
  sockexplorer open traffic.pcapng --filter 'dir==in len>100' --json
  sockexplorer open torn.pcapng --repair
  candump -L vcan0 | sockexplorer open -
""",
)
@click.argument("file", metavar="FILE")
@click.option("--filter", "expression", default="", metavar="EXPR", help="Only these frames; as in the explorer.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@format_options
@click.option("--repair", is_flag=True, help="Cut a FILE that ends within a record at the last whole one.")
def command(
    file: str, expression: str, count: int | None, as_json: bool, hex_dump: bool, form: str | None, repair: bool
) -> None:  # fmt: skip
    """Show the frames of a capture: what "watch --write" records, pcapng and pcap of Wireshark and tcpdump, and logs
    of candump -L. - reads stdin, live.

    --json prints what "watch" does and socket, the FAMILY/PROTOCOL that has such frames; n is the frame's number in
    the file. A filter is such as hello, /regex/, hex:dead, dir==in, len>100, peer~192. with and, or, not.

    A file that ends within a record, because its writer was killed, is shown up to there, and said to be torn.
    Anything else that is damaged or no capture is an error that names the byte.

    Exit status: 0 shown; 1 no capture, damaged, not readable; 2 wrong usage.
    """
    from contextlib import closing

    from sockexplorer.cli.captured import Captured, check_repair
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.report import note
    from sockexplorer.cli.stopping import Stop, Stopped
    from sockexplorer.cli.watch import Printer

    kind = chosen_format(form, as_json=as_json, hex_dump=hex_dump) or "text"
    if not check_repair(file, repair):
        raise click.UsageError("--repair needs a file, not a pipe")
    if repair and count is not None:
        raise click.UsageError("--repair has to read to the end: leave --count out")
    with Stop() as stop:
        printer = Printer(Output(stop), stop, count, kind)
        printer.numbered = True
        try:
            with closing(Captured(file, stop, printer.flush)) as captured:
                for _, frame in captured.frames(expression):
                    printer.take(captured.opened, frame)
                    if printer.full:
                        break
                printer.flush()
                if repair:
                    captured.repair()
        except (Gone, Stopped):
            pass
        dropped = f"; {captured.dropped} were dropped when it was captured" if captured.dropped else ""
        note(f"{printer.number} frame{'s' * (printer.number != 1)}{dropped}")
        status = stop.status(interrupted=0)
    if status:
        raise click.exceptions.Exit(status)
