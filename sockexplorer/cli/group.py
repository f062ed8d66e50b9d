"""The command ``sockexplorer``: its verbs, each loaded when it is asked for, and the explorer when none is named."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any

import click

from sockexplorer import __version__
from sockexplorer.cli import report

VERBS = (
    "explore",
    "doctor",
    "check",
    "read",
    "about",
    "watch",
    "send",
    "open",
    "convert",
    "demo",
    "code",
    "completion",
)
"""Each is a module of this package with a ``command``."""
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
"""What writing to stdout fails with, beside a reader who left."""
EPILOG = """\b
Examples:
  sockexplorer                                     the explorer
  sockexplorer inet/udp 127.0.0.1:9999             the explorer, with this address
  sockexplorer doctor vsock                        is AF_VSOCK usable here, and why not
  sockexplorer watch inet/udp --bind 127.0.0.1:9999 --json
  sockexplorer --via sudo watch packet/raw         only what opens the socket is root
  echo hello | sockexplorer send inet/udp --to 127.0.0.1:9999

Exit status: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong usage.
"""


class Verbs(click.Group):
    """A group whose first word may be a FAMILY/PROTOCOL instead of a verb: that starts the explorer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"sockexplorer.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in VERBS:
            return super().resolve_command(ctx, args)
        if not ctx.resilient_parsing:
            self._must_be_family(ctx, args[0])
        return "explore", self.get_command(ctx, "explore"), args

    def _must_be_family(self, ctx: click.Context, word: str) -> None:
        from difflib import get_close_matches
        from pathlib import Path

        from sockexplorer.families import all_families, family

        try:
            family(word.partition("/")[0])
        except KeyError as error:
            if Path(word).is_file():
                raise click.UsageError(f"{word!r} is a file; a capture is shown by: sockexplorer open", ctx) from None
            if "/" in word:
                raise click.UsageError(str(error.args[0]), ctx) from None
            names = [each.name for each in all_families()]
            near = get_close_matches(word.lower(), [*VERBS, *names], 1)
            raise click.UsageError(
                f"{word!r} is no verb and no family" + (f"; did you mean {near[0]}?" if near else "") + "\n"
                f"verbs: {', '.join(VERBS)}\nfamilies: {', '.join(names)}",
                ctx,
            ) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        from sockexplorer.cli.target import completions

        return [*super().shell_complete(ctx, incomplete), *completions(incomplete)]


class ViaType(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers only
    """A command, split into words."""

    name = "COMMAND"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from sockexplorer.client.via import Via

        if isinstance(value, Via):
            return value
        try:
            return Via.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    epilog=EPILOG,
    subcommand_metavar="[VERB | FAMILY/PROTOCOL [ADDRESS]] …",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--via",
    metavar="COMMAND",
    type=ViaType(),
    envvar="SOCKEXPLORER_VIA",
    help="Open the sockets behind COMMAND: sudo, 'ssh HOST', 'ip netns exec NAME', 'docker exec -i NAME', "
    "'unshare -rn', or any that ends in a python3. Nothing but a Python of 3.11 or later is needed there. "
    "Also as SOCKEXPLORER_VIA.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, via: object) -> None:
    """Explore every family of Python's socket: build an address, watch live traffic, see what this host supports.

    Without a verb this opens the explorer in the terminal. FAMILY/PROTOCOL is such as inet/udp, AF_UNIX/stream or
    netlink/route; ADDRESS is a Python literal, "('127.0.0.1', 9999)", or the plain form: 127.0.0.1:9999, [::1]:9999,
    /tmp/x.sock, @abstract.
    """
    if ctx.invoked_subcommand is None:
        explore = importlib.import_module("sockexplorer.cli.explore")
        ctx.invoke(explore.command)


def _prepare_streams() -> None:
    """Replace streams that were closed, and let an encoding that lacks a character show its escape."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # Otherwise the next descriptor opened would take its number, and be written to.
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line and exit with its status."""
    _prepare_streams()
    try:
        status = cli.main(standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.option_name == "--via":
            error = click.UsageError("--via stands before the verb: sockexplorer --via COMMAND VERB …", error.ctx)
        report.show(error)
        status = error.exit_code
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        # What stdout still holds would fail again at exit.
        report.note(f"Error: stdout can't be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    except (click.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)
