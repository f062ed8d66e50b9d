"""How the verbs that print frames are told the form: ``--format``, the shorter ``--json`` and ``--hex-dump``, and
``--fields``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "jsonl", "hexdump", "hex", "python", "c")
WITH_FIELDS = ("jsonl", "text", "hexdump")
fields_option = click.option(
    "--fields", is_flag=True, help="What decoders read in each frame as well: every field with its bytes."
)
follow_option = click.option(
    "--follow",
    type=click.IntRange(1),
    metavar="N",
    help="From frame N on only what is said with its peer, or between the two ends of its packet, both ways.",
)


def format_options(command: Callable[..., object]) -> Callable[..., object]:
    """The four options, for a command that hands them to `chosen_format`."""
    for option in (
        fields_option,
        click.option(
            "--format", "form", type=click.Choice(FORMATS), help='What to print of a frame; as for "convert".'
        ),
        click.option("--hex-dump", is_flag=True, help="The bytes of each frame below its line: --format hexdump."),
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON object a line instead of a line for people: jsonl."
        ),
    ):
        command = option(command)
    return command


def chosen_format(form: str | None, *, as_json: bool, hex_dump: bool, fields: bool) -> str | None:
    """The format that was asked for, None for none. Raises `click.UsageError` for two at once, and for one that has no
    room for fields."""
    if as_json and hex_dump:
        raise click.UsageError("--json has the bytes as hex already: leave --hex-dump out")
    if form and (as_json or hex_dump):
        raise click.UsageError(f"--format says it all: leave {'--json' if as_json else '--hex-dump'} out")
    chosen = form or ("jsonl" if as_json else "hexdump" if hex_dump else "text" if fields else None)
    refuse_fields(chosen, fields=fields)
    return chosen


def refuse_fields(kind: str | None, *, fields: bool) -> None:
    """Raise `click.UsageError` where fields were asked for that a format has no room for."""
    if fields and kind not in WITH_FIELDS:
        raise click.UsageError(f"--fields goes with {', '.join(WITH_FIELDS)}, not with {kind}")
