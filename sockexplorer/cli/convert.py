"""``convert``: a capture file as another kind of file."""

from __future__ import annotations

import click

from sockexplorer.cli.shown import fields_option, follow_option, refuse_fields

FORMATS = ("pcapng", "jsonl", "text", "hexdump", "hex", "python", "c")
TOGETHER = 256
"""Frames of one write, at most."""


@click.command(
    short_help="A capture file as pcapng, JSON lines, text, hex or source.",
    epilog="""\b
Examples:
  sockexplorer convert candump.log bus.pcapng
  sockexplorer convert traffic.pcapng traffic.jsonl
  sockexplorer convert traffic.pcapng --to python --filter n==7
  sockexplorer convert traffic.pcapng --to hex | xxd -r -p > payloads.bin
""",
)
@click.argument("file", metavar="FILE")
@click.option("--to", "kind", type=click.Choice(FORMATS), help="What to write; else the ending of OUT says.")
@click.argument("out", metavar="[OUT]", default="-")
@click.option("--filter", "expression", default="", metavar="EXPR", help='Only these frames; as for "open".')
@follow_option
@fields_option
@click.option("--overwrite", is_flag=True, help="Replace an OUT that has something in it.")
def command(
    file: str, kind: str | None, out: str, expression: str, follow: int | None, fields: bool, overwrite: bool
) -> None:
    """Write the frames of FILE, which "open" can read, to OUT or to stdout; - as FILE is stdin.

    pcapng keeps headers, times, directions, check sequences, counts of drops and comments, and of a pcapng also names,
    secrets, custom blocks that may be copied, and what its interfaces and frames tell; jsonl, text and hexdump are what
    "open" prints; hex is one line of digits a frame; python and c define frame_1, frame_2 … by their numbers in FILE.
    Without --to OUT ends in .pcapng, .jsonl, .txt, .hexdump, .hex, .py or .c.

    Exit status: 0 written; 1 no capture, damaged, or OUT can't be written; 2 wrong usage.
    """
    from contextlib import closing
    from itertools import chain, islice

    from sockexplorer.capture.copying import Copy
    from sockexplorer.capture.pcapng_kept import Kept
    from sockexplorer.capture.sink import Full
    from sockexplorer.cli.captured import Captured, is_stream
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.report import Failed
    from sockexplorer.cli.stopping import Stop, Stopped
    from sockexplorer.cli.writing import sink
    from sockexplorer.client.formats import PCAPNG, as_lines, by_ending

    kind = kind or by_ending(out)
    if kind is None:
        raise click.UsageError(f"--to says what to write, for {out!r} does not: {', '.join(FORMATS)}")
    refuse_fields(kind, fields=fields)
    status = 0
    with Stop() as stop, closing(Captured(file, stop)) as captured:
        captured.refuse(out)
        frames, ahead = captured.frames(expression, follow=follow), list[Kept]()
        if kind == PCAPNG:
            captured.keep = ahead.append
        try:
            # What is no capture, or a filter that is wrong, leaves nothing and replaces nothing. A pipe that nothing
            # has come through yet is another matter: what reads OUT is to have its head.
            first = list(islice(frames, int(overwrite or not is_stream(file))))
        except Stopped:
            raise click.exceptions.Exit(stop.status()) from None
        with sink(out, output := Output(stop), stop, overwrite=overwrite) as write:
            copy, lines = Copy(write), list[bytes]()

            def flush() -> None:
                waiting, lines[:] = list(lines), []
                if waiting:
                    write(waiting)
                copy.flush()

            captured.idle = flush
            try:
                copy.begin(captured.drops)
                for kept in ahead:
                    copy.keep(kept)
                if kind == PCAPNG:
                    captured.keep = copy.keep
                for record, frame in chain(first, frames):
                    if kind == PCAPNG:
                        copy.add(record)
                        continue
                    lines.append(output.encode(as_lines(kind, captured.opened, frame, fields=fields)))
                    if len(lines) >= TOGETHER:
                        flush()
                copy.tell_drops()
                flush()
            except Full as error:
                raise Failed(str(error), "  what it holds is whole") from None
            except Gone:
                pass
            except Stopped:
                copy.tell_drops()
                flush()
                status = stop.status()
    if status:
        raise click.exceptions.Exit(status)
