"""``send``: bytes to a peer, given as text, as hex or on stdin; done when they are really sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, target_argument
from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.capture.log import Frame
    from sockexplorer.client.session import Session


@click.command(
    short_help="Send bytes to a peer.",
    epilog="""\b
Examples:
  sockexplorer send inet/udp --to 127.0.0.1:9999 --text 'hello\\n'
  sockexplorer send inet/tcp --connect 127.0.0.1:80 --text 'GET / HTTP/1.0\\r\\n\\r\\n' --wait 2
  sockexplorer send netlink/route --to '(0, 0)' --hex 1400000012000103010000000000000000000000 --wait 1 --json
  sockexplorer send unix/stream --connect /tmp/x.sock < file
  sockexplorer send alg/hash --bind sha256 --text hello
  sockexplorer send alg/skcipher --bind 'cbc(aes)' --with op=decrypt --with iv=000102030405060708090a0b0c0d0e0f < file
""",
)
@target_argument
@click.option("--to", metavar="ADDRESS", help="Send to this address, without a connection.")
@click.option("--connect", metavar="ADDRESS", help="Connect to this peer and send.")
@click.option("--bind", metavar="ADDRESS", help="Send from this address.")
@click.option("--text", metavar="TEXT", help=r"What to send, with escapes: \n \r \t \0 \xNN \uNNNN \\.")
@click.option("--hex", "hexadecimal", metavar="HEX", help="What to send, as hexadecimal digits: 'de ad be ef'.")
@click.option("--frame", metavar="FRAME", help="What to send, in the protocol's notation: 123#DEADBEEF for can/raw.")
@click.option("--with", "fields", metavar="FIELD=VALUE", multiple=True, help="A field of the message. Repeatable.")
@click.option("--wait", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Print replies for SECONDS.")
@click.option("--json", "as_json", is_flag=True, help="Report what was sent, and each reply, as a JSON object a line.")
@asked.socket_options
def command(
    target: Target, to: str | None, connect: str | None, bind: str | None, text: str | None, hexadecimal: str | None,
    frame: str | None, fields: tuple[str, ...], wait: float | None, as_json: bool, options: tuple[str, ...],
    timeout: float | None, proto: str | None,
) -> None:  # fmt: skip
    """Send bytes to --to ADDRESS or over --connect ADDRESS, and end when they are sent.

    To an adapter or a bus (bluetooth/hci, can/raw) they go with --bind alone.

    An algorithm of the kernel (alg/…) is bound instead, and its result printed as "watch" prints what arrives; --with
    gives the fields of the message, such as op=decrypt, iv=00…, assoclen=16 or read=32.

    An ADDRESS is a Python literal or the plain form, as for "check".

    The bytes are --text, --hex, --frame, or else stdin: for datagrams all of stdin is one message, for streams it goes
    out as it comes. With --wait replies are printed as "watch" prints them.

    --frame is for can/raw (123#DEADBEEF, 12345678#11.22, 123#R, 123##1AABB as with cansend) and can/bcm (TX_SETUP
    123#DEADBEEF ival2=100ms).

    --json prints {"sent": bytes, "to": peer, "local": own address or null}; addresses are Python literals.

    Exit status: 0 all was handed to the network, 1 refused or failed, 2 wrong usage, also for an ADDRESS that is
    neither a literal nor the plain form; 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
    """
    operates = target.protocol.operates
    if operates and (to is not None or connect is not None):
        raise click.UsageError(f"{target} has no peer: give --bind with the algorithm")
    aimless = target.protocol.sends_bound and to is None and connect is None
    aimless = aimless and (bind is not None or "open" in target.protocol.operations)
    if not operates and not aimless and (to is None) == (connect is None):
        raise click.UsageError("give one of --to and --connect")
    given = payload(target, text, hexadecimal, frame)
    if given is None and operates and not target.protocol.sample:
        given = b""  # random bytes need no input
    endpoint = asked.endpoint(target, bind=bind, connect=connect, to=to, options=options, timeout=timeout, proto=proto)
    values = asked.message_values(target, endpoint.local, fields)

    from sockexplorer.cli.conversation import conversation
    from sockexplorer.cli.output import Gone, Output
    from sockexplorer.cli.printer import Printer
    from sockexplorer.cli.report import note
    from sockexplorer.cli.sending import Sender
    from sockexplorer.cli.stopping import Stop, Stopped

    with Stop() as stop:
        printer = Printer(Output(stop), stop, None, "jsonl" if as_json else "text")

        def reply(session: Session, frame: Frame) -> None:
            if (wait is not None or operates) and not frame.outgoing:
                printer.take(session, frame)

        sent = failed = False
        try:
            with conversation(stop, reply) as talk:
                talk.open(endpoint)
                sender = Sender(talk, given, values)
                sender.send()
                sent = True
                if as_json:
                    printer.output.write(printer.output.encode(sender.report(as_json=True) + "\n"))
                else:
                    note(sender.report(as_json=False))
                if wait is not None:
                    stop.within(wait)
                    while not stop.due and talk.session.state not in ("ended", "failed"):
                        talk.pump()
                        printer.flush()
                talk.close()
                printer.flush()
                failed = talk.problem is not None
        except (Gone, Stopped):
            failed = not sent
        status = int(failed) or stop.status(interrupted=0)
        if stop.signal and not sent:
            note("stopped before everything was sent")
            status = stop.status()
    if status:
        raise click.exceptions.Exit(status)


def payload(target: Target, text: str | None, hexadecimal: str | None, frame: str | None = None) -> bytes | None:
    """The bytes of --text, --hex or --frame; None for stdin. Raises `click.UsageError`."""
    from sockexplorer.core.payload import PayloadError, from_hex, from_text

    given = {"--text": text, "--hex": hexadecimal, "--frame": frame}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise click.UsageError(f"give one of {' and '.join(chosen)}")
    try:
        if text is not None:
            return from_text(text)
        if frame is not None:
            return target.family.read_payload(target.protocol, frame)
        return None if hexadecimal is None else from_hex(hexadecimal)
    except PayloadError as error:
        raise click.BadParameter(escape(str(error)), param_hint=chosen[0]) from None
