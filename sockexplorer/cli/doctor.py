"""``doctor``: what this host supports, the proof of every no, and what would change it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from sockexplorer.cli.target import Target, TargetType

if TYPE_CHECKING:
    from sockexplorer.core.capability import Capability

COLORS = {"●": "green", "◐": "yellow", "◌": "yellow", "○": "bright_black"}
PROBE_SECONDS = 30.0
STEP_WIDTH = 11


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
  sockexplorer doctor --load tipc
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
@click.option("--verbose", "-v", is_flag=True, help="Every step with its proof, also where the answer is yes.")
@click.option(
    "--load", is_flag=True, help="Open sockets of FAMILY, or of all, although the kernel may load modules for them."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON list of objects.")
def command(scope: tuple[Target, bool] | None, constants: str | None, verbose: bool, load: bool, as_json: bool) -> None:
    """Say which families and protocols this host supports, in four steps.

    This Python has it, this kernel has it, you may use it, a device is there: where the chain breaks there is the proof
    and, where there is one, what to do. Nothing is changed by asking: what would make the kernel load a module is not
    asked, unless --load is given, which tells what was loaded.

    --json prints family, protocol, value, state, evidence, fix, steps (each with step, ok and evidence); with
    --constants name and group in place of family and protocol; with --load also loaded.

    Exit status: 0 done, and what was named is available (a family: one of its protocols); 1 it is not, or the engine
    failed; 2 wrong usage.
    """
    from sockexplorer.cli.report import Failed
    from sockexplorer.core.capability import Capability

    if scope is not None and constants is not None:
        raise click.UsageError("--constants takes a TEXT to look for, not a FAMILY")
    if load and constants is not None:
        raise click.UsageError("--load takes a FAMILY, or nothing for all, not --constants")
    more = [] if scope is None else [scope[0].family.constant]
    answer = probe(more, [name for name in declared(scope) if within(name, scope)] if load else [])
    if constants is not None:
        wanted = constants.upper()
        rows = [Capability.from_json(each) for each in answer["constants"]]
        rows = [each for each in rows if wanted in each.name.upper() or wanted in each.group.upper()]
        if not rows:
            raise Failed(f"no constant of socket has {constants!r} in its name or group")
    else:
        rows = [each for each in map(Capability.from_json, answer["protocols"]) if within(each.name, scope)]
    loaded = answer["loaded"]
    if as_json:
        objects = [as_object(each, constant=constants is not None) for each in rows]
        if load:
            objects = [{**each, "loaded": loaded.get(f"{each['family']}/{each['protocol']}", [])} for each in objects]
        click.echo(json.dumps(objects, indent=1))
    else:
        color = False if "NO_COLOR" in os.environ else None
        for line in loaded_lines(loaded) if load else ():
            click.echo(line)
        for line in constant_lines(rows, verbose) if constants is not None else protocol_lines(rows, verbose):
            click.echo(line, color=color)
    if scope is not None and not any(each.state == "available" for each in rows):
        raise click.exceptions.Exit(1)


def declared(scope: tuple[Target, bool] | None) -> list[str]:
    """Every family and protocol that may be asked for, as a capability is named."""
    from sockexplorer.families import all_families

    families = all_families() if scope is None else [scope[0].family]
    return [f"{family.constant}/{protocol.name}" for family in families for protocol in family.protocols]


def within(name: str, scope: tuple[Target, bool] | None) -> bool:
    """Whether a capability's name is what was asked for."""
    if scope is None:
        return True
    target, whole = scope
    family, _, protocol = name.partition("/")
    return family == target.family.constant and (whole or protocol == target.protocol.name)


def probe(families: Sequence[str] = (), load: Sequence[str] = ()) -> dict[str, Any]:
    """Ask an engine process: what a family does to its prober, it does not do to us. Raises `Failed`.

    ``families`` are asked too, where they are by number; ``load`` names what is asked for even if the kernel loads
    modules for it.
    """
    from sockexplorer.cli.questions import engine, tell_place
    from sockexplorer.client.link import start_process

    with engine(start_process) as client:
        tell_place(client)
        return client.call("probe", timeout=PROBE_SECONDS, families=list(families), load=list(load))


def as_object(row: Capability, *, constant: bool) -> dict[str, Any]:
    """A row as ``--json`` prints it."""
    family, _, protocol = row.name.partition("/")
    named = {"name": row.name, "group": row.group} if constant else {"family": family, "protocol": protocol}
    steps = [{"step": name, "ok": step.ok, "evidence": list(step.evidence)} for name, step in row.named_steps()]
    return {
        **named,
        "value": row.value,
        "state": row.state,
        "evidence": list(row.evidence),
        "fix": list(row.fix),
        "steps": steps,
    }


def loaded_lines(loaded: dict[str, list[str]]) -> Iterator[str]:
    """What asking for real brought."""
    from sockexplorer.core.text import escape

    for name, modules in loaded.items():
        yield f"asking for {escape(name)} loaded: {escape(', '.join(modules))}"
    if not loaded:
        yield "asking loaded no module"


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
    from sockexplorer.core.capability import GLYPHS, STEPS
    from sockexplorer.core.text import escape

    glyph = GLYPHS[row.state]
    yield f"  {click.style(glyph, fg=COLORS[glyph])} {escape(name):<{width}} {row.words}"
    if row.state == "available" and not verbose:
        return
    steps = [(STEPS[name], step) for name, step in row.named_steps()]
    if not verbose:
        yield "      " + " → ".join(f"{word} {row.mark(step)}" for word, step in steps)
    for word, step in steps:
        if verbose:
            head = f"{word} {row.mark(step)}"
            yield f"      {head:<{STEP_WIDTH}}{escape(step.evidence[0]) if step.evidence else ''}".rstrip()
            yield from (f"      {'':<{STEP_WIDTH}}{escape(proof)}" for proof in step.evidence[1:])
        elif not step.ok:
            label = f"{word}: "
            for proof in step.evidence:
                yield f"      {label}{escape(proof)}"
                label = " " * len(label)
    for fix in row.fix:
        yield f"      try: {escape(fix)}"
