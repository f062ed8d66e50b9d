"""``about``: what a protocol or a field of its address is for, with an example and what usually goes wrong."""

from __future__ import annotations

import json

import click

from sockexplorer.cli.target import Target, target_argument


@click.command(
    short_help="What a protocol and its address are for.",
    epilog="""\b
Examples:
  sockexplorer about can/isotp
  sockexplorer about inet6/udp scope_id
""",
)
@target_argument
@click.argument("field", metavar="[FIELD]", required=False)
@click.option("--json", "as_json", is_flag=True, help="The sections as a JSON object.")
def command(target: Target, field: str | None, as_json: bool) -> None:
    """Tell what FAMILY/PROTOCOL is for, or one FIELD of its address: availability, rights, an example, pitfalls.

    What this host has of it is another question: "doctor" answers that.

    Exit status: 0 done, 2 wrong usage.
    """
    from sockexplorer.core.about import about_field, about_protocol

    family, protocol = target
    if field is None:
        title, sections = f"{family.constant}/{protocol.name}", about_protocol(family, protocol)
    else:
        fields = {each.name: each for each in family.fields(protocol)}
        if field not in fields:
            raise click.BadParameter(f"{target} has {', '.join(fields)}", param_hint="FIELD")
        title, sections = f"{family.constant} · {field}", about_field(family, protocol, fields[field])
    if as_json:
        click.echo(json.dumps({"about": title, "sections": [{"heading": a, "lines": b} for a, b in sections]}))
        return
    click.echo(title)
    for heading, lines in sections:
        click.echo(f"\n{heading}" if heading else "")
        for line in lines:
            click.echo(click.wrap_text(line, 100, "  ", "    "))
