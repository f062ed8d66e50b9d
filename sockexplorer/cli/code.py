"""``code``: the script, or the socat command, that does what the options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, target_argument

if TYPE_CHECKING:
    from sockexplorer.core.endpoint import Endpoint
    from sockexplorer.core.script import Style

STYLES = ("blocking", "asyncio", "socat")


@click.command(
    short_help="A runnable Python script, or a socat command, for a socket.",
    epilog="""\b
Examples:
  sockexplorer code inet/udp --bind 127.0.0.1:9999 > receive.py
  sockexplorer code unix/stream --listen --bind /tmp/x.sock --text 'welcome\\n'
  sockexplorer code inet/udp --to 127.0.0.1:9999 --hex 'de ad' | python3 -
  sockexplorer code inet/tcp --listen --bind 127.0.0.1:8000 --style asyncio
  sockexplorer code inet/tcp --connect 127.0.0.1:8000 --text 'hello\\n' --style socat
""",
)
@target_argument
@asked.address_options
@click.option("--to", metavar="ADDRESS", help="Send to this address, without a connection; with --text or --hex.")
@click.option(
    "--style", type=click.Choice(STYLES), default=STYLES[0], show_default=True,
    help="A script that waits for one thing at a time, one with asyncio, or a command line for socat.",
)  # fmt: skip
@click.option("--text", metavar="TEXT", help="Let the script send this, with escapes, to its peer or to each peer.")
@click.option("--hex", "hexadecimal", metavar="HEX", help="The same as hexadecimal digits.")
@asked.socket_options
@click.option("--snaplen", type=click.IntRange(1, 2**20), metavar="N", help="Receive at most N bytes at once.")
def command(
    target: Target, bind: str | None, connect: str | None, listen: bool, to: str | None,
    style: Style | Literal["socat"], text: str | None, hexadecimal: str | None, options: tuple[str, ...],
    timeout: float | None, proto: str | None, snaplen: int | None,
) -> None:  # fmt: skip
    """Print a Python script, standard library only, that opens the socket and prints what it receives.

    Every style prints the same of the same traffic, but for socat: its command prints the bytes as they are.

    The addresses are not judged ("check" does that), and nothing is opened.

    Exit status: 0 done; 1 socat has no command for it; 2 wrong usage, also for an ADDRESS that is neither a literal
    nor the plain form.
    """
    from sockexplorer.cli.send import payload

    given = None if text is None and hexadecimal is None else payload(target, text, hexadecimal)
    endpoint = asked.endpoint(
        target,
        bind=bind,
        connect=connect,
        listen=listen,
        to=to,
        options=options,
        timeout=timeout,
        proto=proto,
        snaplen=snaplen,
    )
    if style == "socat":
        click.echo(socat(target, endpoint, given))
        return
    from sockexplorer.core.script import python_script

    click.echo(python_script(target.family, target.protocol, endpoint, given, style), nl=False)


def socat(target: Target, endpoint: Endpoint, payload: bytes | None) -> str:
    """The command. Raises `Failed` where socat can't do it."""
    from sockexplorer.cli.report import Failed
    from sockexplorer.notations import socat_command

    command = socat_command(target.family, target.protocol, endpoint, payload)
    if command is None:
        raise Failed(
            f"socat has no command that does this with {target}", "  try: --style blocking, which writes it in Python"
        )
    return command
