"""``convert``: a capture file as another kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.opened import Opened

FORMATS = ("pcapng", "jsonl", "text", "hex", "python", "c")
TOGETHER = 256
"""Frames of one write, at most."""


@click.command(
    short_help="A capture file as pcapng, JSON lines, text, hex or source.",
    epilog="""\b
Examples:
  sockexplorer convert candump.log --to pcapng bus.pcapng
  sockexplorer convert traffic.pcapng --to jsonl traffic.jsonl
  sockexplorer convert traffic.pcapng --to python --filter n==7
  sockexplorer convert traffic.pcapng --to hex | xxd -r -p > payloads.bin
""",
)
@click.argument("file", metavar="FILE")
@click.option("--to", "kind", type=click.Choice(FORMATS), required=True, help="What to write.")
@click.argument("out", metavar="[OUT]", default="-")
@click.option("--filter", "expression", default="", metavar="EXPR", help='Only these frames; as for "open".')
@click.option("--overwrite", is_flag=True, help="Replace an OUT that has something in it.")
def command(file: str, kind: str, out: str, expression: str, overwrite: bool) -> None:
    """Write the frames of FILE, which "open" can read, to OUT or to stdout; - as FILE is stdin.

    pcapng keeps headers, times, directions and comments; jsonl and text are what "open" prints; hex is one line of
    digits a frame; python and c define frame_1, frame_2 … by their numbers in FILE.

    Exit status: 0 written; 1 no capture, damaged, or OUT can't be written; 2 wrong usage.
    """
    from contextlib import closing

    from sockexplorer.capture.copying import Copy
    from sockexplorer.capture.recording import Full
    from sockexplorer.cli.captured import Captured
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.report import Failed
    from sockexplorer.cli.stopping import Stop, Stopped
    from sockexplorer.cli.writing import sink

    status = 0
    with Stop() as stop, sink(out, output := Output(stop), stop, overwrite=overwrite) as write:
        copy, lines = Copy(write), list[bytes]()

        def flush() -> None:
            waiting, lines[:] = list(lines), []
            if waiting:
                write(waiting)
            copy.flush()

        try:
            with closing(Captured(file, stop, flush)) as captured:
                for record, frame in captured.frames(expression):
                    if kind == "pcapng":
                        copy.add(record)
                        continue
                    lines.append(output.encode(text_of(kind, captured.opened, frame)))
                    if len(lines) >= TOGETHER:
                        flush()
                copy.dropped(captured.drops)
                flush()
        except Full as error:
            raise Failed(str(error), "  what it holds is whole") from None
        except Gone:
            pass
        except Stopped:
            flush()
            status = stop.status()
    if status:
        raise click.exceptions.Exit(status)


def text_of(kind: str, opened: Opened, frame: Frame) -> str:
    """The frame as lines, each with its end."""
    from sockexplorer.capture import source_text
    from sockexplorer.cli import rows
    from sockexplorer.core.text import escape

    if kind == "jsonl":
        return rows.as_json(frame.number, opened, frame) + "\n"
    if kind == "text":
        return rows.as_text(opened, frame) + "\n"
    if kind == "hex":
        return frame.payload.hex() + "\n"
    who = rows.peer_literal(opened, frame) or "-"
    arrow = "to" if frame.outgoing else "from"
    heading = escape(f"{rows.stamp(frame.time)} {frame.meta['socket']} {arrow} {who}")
    return (source_text.as_python if kind == "python" else source_text.as_c)(frame.number, frame.payload, heading)
