"""``check``: the verdict of CPython on an address, why, and what a person should know besides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, target_argument

if TYPE_CHECKING:
    from sockexplorer.core.faults import FieldError
    from sockexplorer.core.verdict import Verdict


@click.command(
    short_help="Does CPython accept an address, and why not?",
    epilog="""\b
Examples:
  sockexplorer check inet/udp 127.0.0.1:9999
  sockexplorer check inet6/tcp "('fe80::1', 80, 0, 2)" --remote --json
  sockexplorer check unix/stream @name
""",
)
@target_argument
@click.argument("address", metavar="ADDRESS")
@click.option("--remote", is_flag=True, help="Judge it as a peer's address; without, as one to bind.")
@click.option("--proto", metavar="N|NAME", help="Protocol number of a raw socket, such as IPPROTO_UDP or 17.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as a JSON object.")
def command(target: Target, address: str, remote: bool, proto: str | None, as_json: bool) -> None:
    """Say whether CPython accepts ADDRESS, without opening anything or asking a resolver.

    ADDRESS is a Python literal, "('127.0.0.1', 9999)", or the plain form: 127.0.0.1:9999, [::1]:9999, /tmp/x.sock,
    @abstract. What is neither is no address: CPython is not asked, and the reason is on stderr.

    --json prints verdict (accept, reject, or unreadable for what is no address), exception, message, field, reason,
    remedy, warnings, decided_by (cpython; or model, where this Python lacks the family), sockaddr (hex), address.

    Exit status: 0 accept, 1 reject or no address, 2 wrong usage.
    """
    from sockexplorer.cli.report import Failed, refused
    from sockexplorer.client.client import Client, Refused
    from sockexplorer.client.link import start_thread
    from sockexplorer.core.faults import FieldError
    from sockexplorer.core.verdict import Verdict

    family, protocol = target
    number = None if proto is None else asked.proto_number(target, proto)
    try:
        value = family.read(protocol, address)
    except FieldError as error:
        if as_json:
            click.echo(json.dumps(unreadable(error, address)))
        raise Failed(f"no address of {target}: {error}") from None
    client = Client(start_thread())
    try:
        reply = client.call(
            "check", family=family.constant, protocol=protocol.name, address=repr(value),
            role="remote" if remote else "local", proto=number,
        )  # fmt: skip
    except Refused as error:
        raise refused(error.problem) from None
    except TimeoutError as error:
        raise Failed(str(error)) from None
    finally:
        client.close()
    verdict = Verdict.from_json(reply["verdict"])
    if as_json:
        click.echo(json.dumps(verdict.to_json()))
    else:
        for line in lines(verdict):
            click.echo(line)
    if not verdict.accepted:
        raise click.exceptions.Exit(1)


def unreadable(error: FieldError, text: str) -> dict[str, object]:
    """What ``--json`` says of a text that is no address, with the keys of a verdict."""
    return {
        "verdict": "unreadable", "exception": None, "message": str(error), "field": error.field or None,
        "reason": error.reason, "remedy": error.remedy, "warnings": [], "decided_by": None, "sockaddr": None,
        "address": text,
    }  # fmt: skip


def lines(verdict: Verdict) -> Iterator[str]:
    """The verdict for people, each line safe for a terminal."""
    from sockexplorer.core.text import escape

    who = "CPython" if verdict.decided_by == "cpython" else "the declaration (this Python lacks the family)"
    if verdict.accepted:
        yield f"✓ accept    by {who}"
    else:
        yield f"✗ reject    by {who}"
        yield f"  raised    {verdict.exception}: {escape(verdict.message)}"
        if verdict.reason and verdict.sentence() != verdict.message:
            yield f"  because   {escape(verdict.sentence())}"
    yield f"  address   {verdict.address!a}"
    for notice in verdict.notices:
        where = f"{notice.field}: " if notice.field else ""
        yield f"⚠ warning   {escape(where + notice.text)}"
    if verdict.sockaddr is not None:
        yield f"  sockaddr  {verdict.sockaddr.hex()} ({len(verdict.sockaddr)} bytes)"
