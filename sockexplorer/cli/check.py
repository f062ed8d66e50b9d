"""``check``: the verdict of CPython on an address, why, and what a person should know besides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target, TargetType

if TYPE_CHECKING:
    from sockexplorer.core.family import Family
    from sockexplorer.core.faults import FieldError
    from sockexplorer.core.protocol import Protocol, Role
    from sockexplorer.core.verdict import Verdict


@click.command(
    short_help="Does CPython accept an address, and why not?",
    epilog="""\b
Examples:
  sockexplorer check inet/udp 127.0.0.1:9999
  sockexplorer check inet6/tcp "('fe80::1', 80, 0, 2)" --remote --json
  sockexplorer check unix/stream @name
  sockexplorer check --jsonl < addresses.jsonl > verdicts.jsonl
""",
)
@click.argument("target", metavar="FAMILY/PROTOCOL", type=TargetType(), required=False)
@click.argument("address", metavar="ADDRESS", required=False)
@click.option("--remote", is_flag=True, help="Judge it as a peer's address; without, as one to bind.")
@click.option("--proto", metavar="N|NAME", help="Protocol number of a raw socket, such as IPPROTO_UDP or 17.")
@click.option("--bytes", "show_bytes", is_flag=True, help="Show the sockaddr that the kernel sees, field by field.")
@click.option("--resolve", is_flag=True, help="Look a host name up, and show every address that it has.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as a JSON object.")
@click.option("--jsonl", "lines_in", is_flag=True, help="Judge many: one JSON object a line on stdin, one a line out.")
def command(
    target: Target | None, address: str | None, remote: bool, proto: str | None, show_bytes: bool, resolve: bool,
    as_json: bool, lines_in: bool,
) -> None:  # fmt: skip
    """Say whether CPython accepts ADDRESS, without opening anything or asking a resolver.

    ADDRESS is a Python literal, "('127.0.0.1', 9999)", or the plain form: 127.0.0.1:9999, [::1]:9999, /tmp/x.sock,
    @abstract. What is neither is no address: CPython is not asked, and the reason is on stderr.

    --json prints verdict (accept, reject, or unreadable for what is no address), exception, message, field, reason,
    remedy, warnings, decided_by (cpython; or model, where this Python lacks the family), sockaddr (hex), address.

    --jsonl reads objects with family ("AF_CAN" or a number), type, proto (a constant's name or a number), address (a
    Python literal as a string) and, if you like, call (bind, connect, sendto …), and writes the same keys as --json.
    A line that is no such object is answered by one with error.

    Exit status: 0 accept, or every line of --jsonl was answered; 1 reject or no address; 2 wrong usage.
    """
    from sockexplorer.cli import check_lines

    if lines_in:
        if target is not None or remote or proto is not None or show_bytes or resolve:
            raise click.UsageError("--jsonl takes everything from stdin: leave the rest out")
        check_lines.run()
        return
    if target is None or address is None:
        raise click.UsageError("give FAMILY/PROTOCOL and ADDRESS, or --jsonl")
    one(target, address, "remote" if remote else "local", proto, show_bytes, resolve, as_json)


def one(
    target: Target, text: str, role: Role, proto: str | None, show_bytes: bool, resolve: bool, as_json: bool
) -> None:
    """Judge one address. Raises `Failed` for what is none, and exits with 1 for one that CPython refuses."""
    from sockexplorer.cli.questions import engine
    from sockexplorer.cli.report import Failed
    from sockexplorer.client.link import start_thread
    from sockexplorer.core.faults import FieldError
    from sockexplorer.core.verdict import Verdict

    family, protocol = target
    number = None if proto is None else asked.proto_number(target, proto)
    try:
        value = family.read(protocol, text)
    except FieldError as error:
        if as_json:
            click.echo(json.dumps(unreadable(error, text)))
        raise Failed(f"no address of {target}: {error}") from None
    what: dict[str, Any] = {"family": family.constant, "protocol": protocol.name, "address": repr(value)}
    with engine(start_thread) as client:
        reply = client.call("check", role=role, proto=number, **what)
        found: list[str] | None = client.call("resolve", **what)["hosts"] if resolve else None
    verdict = Verdict.from_json(reply["verdict"])
    if as_json:
        click.echo(json.dumps(verdict.report() | ({} if found is None else {"hosts": found})))
    else:
        for line in lines(verdict, family, protocol, show_bytes=show_bytes):
            click.echo(line)
        for line in host_lines(family, value, found):
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


def lines(verdict: Verdict, family: Family, protocol: Protocol, *, show_bytes: bool = False) -> Iterator[str]:
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
        yield f"⚠ warning   {escape(str(notice))}"
    if verdict.sockaddr is None:
        return
    yield f"  sockaddr  {verdict.sockaddr.hex()} ({len(verdict.sockaddr)} bytes)"
    if show_bytes:
        layout = family.layout(protocol, verdict.sockaddr)
        yield f"\n  struct {layout.name}"
        for row in layout.rows(verdict.sockaddr):
            value = escape(row.value, 60)
            yield f"  {row.offset:>3}  {row.size:>3}  {row.order:<7}  {row.name:<22} {value:<26} {row.meaning}".rstrip()


def host_lines(family: Family, address: object, found: list[str] | None) -> Iterator[str]:
    """What the resolver said, in the order that it recommends (RFC 6724), as addresses to take."""
    if found is None:
        return
    if not found:
        yield "  resolve   there is no host name in it"
    for host in found:
        yield f"  resolve   {family.with_host(address, host)!a}"
