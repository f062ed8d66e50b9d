"""``doctor``: what this host supports, the proof of every no, and what would change it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from sockexplorer.cli.target import Target, TargetType

if TYPE_CHECKING:
    from sockexplorer.core.capability import Capability

COLORS = {"●": "green", "◐": "yellow", "◌": "yellow", "○": "bright_black"}
PROBE_SECONDS = 30.0


class Scope(TargetType):
    """``inet`` for the whole family, ``inet/udp`` for one protocol; converts to (Target, whether it is the family)."""

    name = "FAMILY[/PROTOCOL]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple) and not isinstance(value, Target):
            return value
        return super().convert(value, param, ctx), "/" not in value


@click.command(
    short_help="What this host supports, why not, what to do.",
    epilog="""\b
Examples:
  sockexplorer doctor
  sockexplorer doctor vsock && echo usable
  sockexplorer doctor inet/icmp --json
  sockexplorer doctor --constants REUSE
""",
)
@click.argument("scope", metavar="[FAMILY[/PROTOCOL]]", type=Scope(), required=False)
@click.option(
    "--constants",
    metavar="[TEXT]",
    is_flag=False,
    flag_value="",
    help="List socket's constants instead, those with TEXT in their name or group.",
)
@click.option("--verbose", "-v", is_flag=True, help="The proof also where the answer is yes.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of objects.")
def command(scope: tuple[Target, bool] | None, constants: str | None, verbose: bool, as_json: bool) -> None:
    """Say which families and protocols this host supports: this Python, this kernel, your rights, a device.

    Every no has its proof and, where there is one, what to do.

    --json prints family, protocol, value, state, evidence, fix; with --constants name and group in place of family and
    protocol.

    Exit status: 0 done, and what was named is available (a family: one of its protocols); 1 it is not, or the engine
    failed; 2 wrong usage.
    """
    from sockexplorer.cli.report import Failed
    from sockexplorer.core.capability import Capability

    if scope is not None and constants is not None:
        raise click.UsageError("--constants takes a TEXT to look for, not a FAMILY")
    answer = probe(*([] if scope is None else [scope[0].family.constant]))
    if constants is not None:
        wanted = constants.upper()
        rows = [Capability.from_json(each) for each in answer["constants"]]
        rows = [each for each in rows if wanted in each.name.upper() or wanted in each.group.upper()]
        if not rows:
            raise Failed(f"no constant of socket has {constants!r} in its name or group")
    else:
        rows = [Capability.from_json(each) for each in answer["protocols"]]
        if scope is not None:
            target, whole = scope
            name = target.family.constant + ("/" if whole else f"/{target.protocol.name}")
            rows = [each for each in rows if (each.name.startswith(name) if whole else each.name == name)]
    if as_json:
        click.echo(json.dumps([as_object(each, constant=constants is not None) for each in rows], indent=1))
    else:
        color = False if "NO_COLOR" in os.environ else None
        for line in constant_lines(rows, verbose) if constants is not None else protocol_lines(rows, verbose):
            click.echo(line, color=color)
    if scope is not None and not any(each.state == "available" for each in rows):
        raise click.exceptions.Exit(1)


def probe(*families: str) -> dict[str, Any]:
    """Ask an engine process: what a family does to its prober, it does not do to us. Raises `Failed`.

    ``families`` are asked too, where they are by number.
    """
    from sockexplorer.cli.questions import engine, tell_place
    from sockexplorer.client.link import start_process

    with engine(start_process) as client:
        tell_place(client)
        return client.call("probe", timeout=PROBE_SECONDS, families=list(families))


def as_object(row: Capability, *, constant: bool) -> dict[str, Any]:
    """A row as ``--json`` prints it."""
    family, _, protocol = row.name.partition("/")
    named = {"name": row.name, "group": row.group} if constant else {"family": family, "protocol": protocol}
    return {**named, "value": row.value, "state": row.state, "evidence": list(row.evidence), "fix": list(row.fix)}


def protocol_lines(rows: Iterable[Capability], verbose: bool) -> Iterator[str]:
    """Families with their protocols."""
    for family, members in groupby(rows, lambda each: each.name.partition("/")[0]):
        yield click.style(family, bold=True)
        for row in members:
            yield from _row(row, row.name.partition("/")[2], 16, verbose)


def constant_lines(rows: Iterable[Capability], verbose: bool) -> Iterator[str]:
    """Groups with their constants."""
    for group, members in groupby(rows, lambda each: each.group):
        yield click.style(group, bold=True)
        for row in members:
            yield from _row(row, f"{row.name:<32} {row.value:>10}", 44, verbose)


def _row(row: Capability, name: str, width: int, verbose: bool) -> Iterator[str]:
    from sockexplorer.core.capability import GLYPHS
    from sockexplorer.core.text import escape

    glyph = GLYPHS[row.state]
    yield f"  {click.style(glyph, fg=COLORS[glyph])} {escape(name):<{width}} {row.words}"
    if row.state == "available" and not verbose:
        return
    for proof in row.evidence:
        yield f"      {escape(proof)}"
    for fix in row.fix:
        yield f"      try: {escape(fix)}"
