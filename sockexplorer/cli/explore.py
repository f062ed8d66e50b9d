"""``explore``: the terminal interface; what `sockexplorer` does without a verb."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from sockexplorer.cli.keeping import SizeType, limit
from sockexplorer.cli.target import Target, TargetType, read_address


@click.command(
    short_help="The explorer in the terminal (the default).",
    epilog="""\b
Examples:
  sockexplorer
  sockexplorer inet/udp 127.0.0.1:9999
  sockexplorer explore netlink/route
  sockexplorer explore packet/raw lo --keep-in /var/tmp
""",
)
@click.argument("target", metavar="[FAMILY/PROTOCOL]", type=TargetType(), required=False)
@click.argument("address", metavar="[ADDRESS]", required=False)
@click.option(
    "--keep",
    type=SizeType(),
    metavar="SIZE",
    help="Keep the newest SIZE (256M, 4G, all) of each session's traffic, its oldest goes first; what went is counted.",
)
@click.option(
    "--keep-in",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    metavar="DIR",
    help="Keep it on the disk of DIR instead of in memory: all of it, unless --keep says otherwise.",
)
def command(target: Target | None, address: str | None, keep: int | str | None, keep_in: Path | None) -> None:
    """Explore in the terminal, starting with FAMILY/PROTOCOL and ADDRESS where they are given.

    The traffic of each session is kept in memory, the newest 256 MiB of it (log_mib in the settings). With --keep-in
    it goes to files in DIR that have no name: they take as much as the disk holds, and are gone when the explorer ends.
    Save what is to stay: ctrl+s.

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
        keeping = partial(limit, keep, keep_in)
        status = run(None if target is None else str(target), address, starter(start_process), keeping, keep_in)
    except StartError as error:
        raise not_started(error) from None
    raise click.exceptions.Exit(status)
