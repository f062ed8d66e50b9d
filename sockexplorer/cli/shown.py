"""How the verbs that print frames are told the form: ``--format``, and the shorter ``--json`` and ``--hex-dump``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "jsonl", "hexdump", "hex", "python", "c")


def format_options(command: Callable[..., object]) -> Callable[..., object]:
    """The three options, for a command that hands them to `chosen_format`."""
    for option in (
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


def chosen_format(form: str | None, *, as_json: bool, hex_dump: bool) -> str | None:
    """The format that was asked for, None for none. Raises `click.UsageError` for two at once."""
    if as_json and hex_dump:
        raise click.UsageError("--json has the bytes as hex already: leave --hex-dump out")
    if form and (as_json or hex_dump):
        raise click.UsageError(f"--format says it all: leave {'--json' if as_json else '--hex-dump'} out")
    return form or ("jsonl" if as_json else "hexdump" if hex_dump else None)
