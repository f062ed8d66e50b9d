"""``read``: what a pasted text describes: a repr, a call, a socat address, a line of ss or of /proc/net."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sockexplorer.core.endpoint import SetOption
    from sockexplorer.notations import Reading


@click.command(
    short_help="What socket does a pasted text describe?",
    epilog="""\b
Examples:
  sockexplorer read "TCP4-LISTEN:80,reuseaddr"
  sockexplorer read "<socket.socket fd=3, family=2, type=1, proto=6, laddr=('127.0.0.1', 80)>"
  ss -Hltn | sockexplorer read -
""",
)
@click.argument("text", metavar="TEXT")
@click.option("--all", "every", is_flag=True, help="Every reading, the likeliest first; without, the likeliest.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each reading, one a line.")
def command(text: str, every: bool, as_json: bool) -> None:
    """Read TEXT, or the lines of stdin for "-", in any notation of sockets, and say which socket it describes.

    Known are Python literals, reprs of sockets, calls such as sock.bind(…), socat addresses and commands, lines of ss
    and of /proc/net/{tcp,udp,raw,unix,netlink,packet}, and the plain forms of "check". No name is looked up.

    --json prints family, protocol, operation, local, remote (Python literals), proto, options, notation, socat.

    Exit status: 0 done, 1 a text was in no known notation (it is named on stderr; a first line of stdin is taken for a
    heading then), 2 wrong usage.
    """
    from sockexplorer.cli.report import note
    from sockexplorer.core.text import escape
    from sockexplorer.notations import read

    unknown = known = 0
    lines = (line.rstrip("\n") for line in sys.stdin) if text == "-" else iter([text])
    for number, line in enumerate(lines):
        if text == "-" and not line.strip():
            continue
        readings = read(line)
        if not readings and number == 0 and text == "-":
            continue  # the heading of a table
        if not readings:
            unknown += 1
            note(f"in no notation that is known here: {escape(line, 120)}")
        known += len(readings)
        for reading in readings if every else readings[:1]:
            said = as_object(reading)
            click.echo(json.dumps(said) if as_json else sentence(said))
    if unknown or not known:
        raise click.exceptions.Exit(1)


def as_object(reading: Reading) -> dict[str, Any]:
    """A reading as JSON values."""
    from sockexplorer.core.endpoint import Endpoint
    from sockexplorer.notations import socat_command

    family, protocol = reading.family, reading.protocol
    socat = None
    if reading.operation is not None:
        endpoint = Endpoint(
            family.constant, protocol.name, reading.operation, reading.local, reading.remote, reading.options,
            reading.proto,
        )  # fmt: skip
        socat = socat_command(family, protocol, endpoint)
    return {
        "family": family.constant,
        "protocol": protocol.name,
        "operation": reading.operation,
        "local": None if reading.local is None else ascii(reading.local),
        "remote": None if reading.remote is None else ascii(reading.remote),
        "proto": reading.proto,
        "options": [option_text(each) for each in reading.options],
        "notation": reading.notation,
        "socat": socat,
    }


def option_text(option: SetOption) -> str:
    """The option as ``--option`` takes it."""
    value = f"hex:{option.value.hex()}" if isinstance(option.value, bytes) else str(option.value)
    return f"{option.level}:{option.name}={value}"


def sentence(said: dict[str, Any]) -> str:
    """One line for people."""
    parts = [f"{said['family']}/{said['protocol']}"]
    if said["operation"]:
        parts.append(said["operation"])
    parts += [f"{role} {said[role]}" for role in ("local", "remote") if said[role] is not None]
    if said["proto"] is not None:
        parts.append(f"protocol {said['proto']}")
    return "  ".join([*parts, *said["options"], f"({said['notation']})"])
