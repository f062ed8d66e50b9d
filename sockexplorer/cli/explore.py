"""``explore``: the terminal interface; what `sockexplorer` does without a verb."""

from __future__ import annotations

import sys

import click

from sockexplorer.cli.target import Target, TargetType, read_address


@click.command(
    short_help="The explorer in the terminal (the default).",
    epilog="""\b
Examples:
  sockexplorer
  sockexplorer inet/udp 127.0.0.1:9999
  sockexplorer explore netlink/route
""",
)
@click.argument("target", metavar="[FAMILY/PROTOCOL]", type=TargetType(), required=False)
@click.argument("address", metavar="[ADDRESS]", required=False)
def command(target: Target | None, address: str | None) -> None:
    """Explore in the terminal, starting with FAMILY/PROTOCOL and ADDRESS where they are given.

    Exit status: that of the interface, 0 after quitting; 2 without a terminal or for wrong usage.
    """
    if target is not None and address is not None:
        read_address(target, address, "ADDRESS")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "the explorer needs a terminal for stdin and stdout; without one use a verb, "
            "such as: sockexplorer watch inet/udp --bind 127.0.0.1:9999"
        )
    from sockexplorer.cli.questions import not_started, starter
    from sockexplorer.client.client import StartError
    from sockexplorer.client.link import start_process
    from sockexplorer.ui import run

    try:
        status = run(None if target is None else str(target), address, starter(start_process))
    except StartError as error:
        raise not_started(error) from None
    raise click.exceptions.Exit(status)
