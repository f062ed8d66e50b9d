"""``demo``: both ends of a protocol on this machine, what they say to each other a line a frame."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from sockexplorer.cli.target import Target, target_argument

if TYPE_CHECKING:
    from sockexplorer.cli.output import Output
    from sockexplorer.client.session import Session

GRACE = 0.5
"""Seconds for what is still to come when the last message was sent."""


@click.command(
    short_help="Show a protocol at work, both ends here.",
    epilog="""\b
Examples:
  sockexplorer demo unix/stream
  sockexplorer demo packet/raw --json
""",
)
@target_argument
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as from watch, with the end's number.")
def command(target: Target, as_json: bool) -> None:
    """Open both ends of FAMILY/PROTOCOL on this machine and have them say something; print what each sees.

    What needs rights happens in a network namespace of its own, as far as the kernel lets users have one. Lines begin
    with the end, 1 or 2, then are as from "watch"; what the demonstration is about, and events, are on stderr.

    --json prints the objects of "watch" with "end" before them.

    Exit status: 0 it was played, 1 refused or failed, 2 wrong usage, or there is no demonstration; 130 Ctrl-C, 143
    SIGTERM, 129 SIGHUP.
    """
    demo = target.family.demos.get(target.protocol.name)
    if demo is None:
        known = ", ".join(target.family.demos) or "none"
        raise click.UsageError(f"{target} has no demonstration; of {target.family.constant} there are: {known}")

    from sockexplorer.cli.conversation import conversation
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.report import note, refused
    from sockexplorer.cli.stopping import Stop, Stopped
    from sockexplorer.client.demonstration import Demonstration

    note(demo.says)
    with Stop() as stop, conversation(stop, lambda session, frame: None) as talk:
        output = Output(stop)
        run = Demonstration(talk.hub, target.family, target.protocol, demo)
        shown: dict[int, int] = {}
        try:
            end_by = float("inf")
            while not stop.due and time.monotonic() < end_by:
                talk.hub.poll(stop.patience)
                run.step()
                for at, session in enumerate(run.sessions, 1):
                    shown[at] = _print(output, at, session, shown.get(at, 1), as_json=as_json)
                if run.over and end_by == float("inf"):
                    end_by = time.monotonic() + GRACE
        except (Gone, Stopped):
            pass
        if run.problem is not None:
            raise refused(run.problem)
    if status := stop.status():
        raise click.exceptions.Exit(status)


def _print(output: Output, at: int, session: Session, first: int, *, as_json: bool) -> int:
    """Print the rows of an end from ``first`` on; the number of the row that comes next."""
    from sockexplorer.cli.report import note
    from sockexplorer.client import rows

    for number in range(first, session.log.end):
        frame = session.log.frame(number)
        if frame.event:
            note(f"{at}  {frame.meta.get('text', frame.event)}")
        elif as_json:
            text = rows.as_json(number, session, frame)
            output.write(output.encode(json.dumps({"end": at, **json.loads(text)}) + "\n"))
        else:
            output.write(output.encode(f"{at}  {rows.as_text(session, frame)}\n"))
    return session.log.end
