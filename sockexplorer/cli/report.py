"""What goes to stderr: errors with their reasons and remedies, and notes about the course of things. All escaped."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.client.client import Problem


class Failed(click.ClickException):
    """Refused or failed: exit status 1. The first line is the headline."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(escape(line) for line in lines))


def refused(problem: Problem) -> Failed:
    """The failure that a problem of the engine stands for."""
    return Failed(*problem.lines())


def note(*lines: str) -> None:
    """Say something on stderr; nobody listening there is no reason to fail."""
    with contextlib.suppress(OSError):
        for line in lines:
            click.echo(escape(line), err=True)


def show(error: click.ClickException) -> None:
    """Print an error as click does, with everything from outside escaped."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        note(*error.ctx.get_usage().split("\n"))
        if error.ctx.command.get_help_option(error.ctx) is not None:
            note(f"Try '{error.ctx.command_path} --help' for help.", "")
    first, *rest = error.format_message().split("\n")
    note(f"Error: {first}", *rest)
