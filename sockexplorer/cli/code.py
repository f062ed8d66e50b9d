"""``code``: the script that does what the options say."""

from __future__ import annotations

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, target_argument


@click.command(
    short_help="A runnable Python script for a socket.",
    epilog="""\b
Examples:
  sockexplorer code inet/udp --bind 127.0.0.1:9999 > receive.py
  sockexplorer code unix/stream --listen --bind /tmp/x.sock --text 'welcome\\n'
  sockexplorer code inet/udp --to 127.0.0.1:9999 --hex 'de ad' | python3 -
""",
)
@target_argument
@asked.address_options
@click.option("--to", metavar="ADDRESS", help="Send to this address, without a connection; with --text or --hex.")
@click.option("--text", metavar="TEXT", help="Let the script send this, with escapes, to its peer or to each peer.")
@click.option("--hex", "hexadecimal", metavar="HEX", help="The same as hexadecimal digits.")
@asked.socket_options
@click.option("--snaplen", type=click.IntRange(1, 2**20), metavar="N", help="Receive at most N bytes at once.")
def command(
    target: Target, bind: str | None, connect: str | None, listen: bool, to: str | None, text: str | None,
    hexadecimal: str | None, options: tuple[str, ...], proto: str | None, snaplen: int | None,
) -> None:  # fmt: skip
    """Print a Python script, standard library only, that opens the socket and prints what it receives.

    The addresses are not judged ("check" does that), and nothing is opened.

    Exit status: 0 done; 2 wrong usage, also for an ADDRESS that is neither a literal nor the plain form.
    """
    from sockexplorer.cli.send import payload
    from sockexplorer.core.script import python_script

    given = None if text is None and hexadecimal is None else payload(text, hexadecimal)
    endpoint = asked.endpoint(
        target, bind=bind, connect=connect, listen=listen, to=to, options=options, proto=proto, snaplen=snaplen
    )
    click.echo(python_script(target.family, target.protocol, endpoint, given), nl=False)
