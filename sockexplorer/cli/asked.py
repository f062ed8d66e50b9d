"""From the options of a verb to an endpoint: what to do, with which addresses, socket options and protocol number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sockexplorer.cli.target import Target, default_address, read_address
from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.core.endpoint import Endpoint, SetOption
    from sockexplorer.core.protocol import Operation, Protocol

Command = TypeVar("Command", bound=Callable[..., Any])


def socket_options(command: Command) -> Command:
    """The options that any verb which opens a socket has."""
    for decorate in (
        click.option(
            "--option", "-o", "options", metavar="NAME=VALUE", multiple=True,
            help="Socket option to set first, such as SO_REUSEADDR=1; LEVEL:NAME=VALUE for any. Repeatable.",
        ),
        click.option(
            "--timeout", type=click.FloatRange(0, 1e9), metavar="SECONDS",
            help="As settimeout(): give up a call that waits longer; 0 for a socket that does not block.",
        ),
        click.option("--proto", metavar="N|NAME", help="Protocol number of a raw socket, such as IPPROTO_UDP or 17."),
    ):  # fmt: skip
        command = decorate(command)
    return command


def address_options(command: Command) -> Command:
    """``--bind``, ``--connect`` and ``--listen``."""
    for decorate in (
        click.option("--listen", is_flag=True, help="Accept peers at the --bind address, or at the default one."),
        click.option("--connect", metavar="ADDRESS", help="Connect to this peer."),
        click.option("--bind", metavar="ADDRESS", help="Receive at this address (with connections: listen there)."),
    ):
        command = decorate(command)
    return command


def endpoint(
    target: Target,
    *,
    bind: str | None = None,
    connect: str | None = None,
    listen: bool = False,
    to: str | None = None,
    options: tuple[str, ...] = (),
    proto: str | None = None,
    snaplen: int | None = None,
    timeout: float | None = None,
) -> Endpoint:
    """What the options ask for; with none of them, the protocol's first operation at its default address.

    Raises `click.UsageError` for what does not go together.
    """
    from sockexplorer.core.endpoint import Endpoint

    family, protocol = target
    local = None if bind is None else read_address(target, bind, "--bind")
    remote = None
    if connect is not None and listen:
        raise click.UsageError("--connect and --listen exclude each other")
    if listen and not protocol.connections:
        raise click.UsageError(f"{target} has no connections to listen for: use --bind without --listen")
    if to is not None and (connect is not None or listen):
        raise click.UsageError("--to is for sockets that are not connected: leave it or --connect out")
    operation: Operation
    if connect is not None:
        operation, remote = "connect", read_address(target, connect, "--connect")
    elif to is not None:
        if protocol.connections:
            raise click.UsageError(f"{target} sends over a connection: use --connect instead of --to")
        operation, remote = ("open" if bind is None else "bind"), read_address(target, to, "--to")
    elif bind is not None or listen:
        # A socket that has connections receives nothing by being bound alone.
        operation = "listen" if protocol.connections else "bind"
    else:
        operation = "open" if "open" in protocol.operations else protocol.operations[0]
    if local is None and operation in ("bind", "listen"):
        local = default_address(target, "local")
        if local is None:
            raise click.UsageError(f"{target} has no default address: give --bind")
    if operation == "connect" and remote is None:
        remote = default_address(target, "remote")
        if remote is None:
            raise click.UsageError(f"{target} has no default peer: give --connect")
    return Endpoint(
        family.constant, protocol.name, operation, local, remote,
        with_defaults(protocol, operation, tuple(set_option(protocol, text) for text in options)),
        None if proto is None else proto_number(target, proto), snaplen, timeout,
    )  # fmt: skip


def with_defaults(protocol: Protocol, operation: Operation, given: tuple[SetOption, ...]) -> tuple[SetOption, ...]:
    """The options that are given, with those that the form sets unless told otherwise.

    Where there are connections, they are for servers.
    """
    from sockexplorer.core.endpoint import SetOption

    named = {each.name for each in given}
    defaults = [each for each in protocol.options if each.default is not None and each.name not in named]
    apply = operation == "listen" or not protocol.connections
    wanted = [each for each in defaults if apply and (operation in ("bind", "listen") or not each.after_bind)]
    return (*(SetOption(each.level, each.name, each.default or 0) for each in wanted), *given)


def set_option(protocol: Protocol, text: str) -> SetOption:
    """An option as `core.option_text` reads it. Raises `click.BadParameter`."""
    from sockexplorer.core.faults import FieldError
    from sockexplorer.core.option_text import read_option

    try:
        return read_option(protocol, text)
    except FieldError as error:
        raise click.BadParameter(escape(str(error)), param_hint="--option") from None


def message_values(target: Target, address: object, given: tuple[str, ...]) -> dict[str, object]:
    """The values of a message's fields, those that are not given as the form has them. Raises `click.BadParameter`."""
    from sockexplorer.core.faults import FieldError

    hint = "--with"
    declared = {each.name: each for each in target.family.message_fields(target.protocol, address)}
    texts = {name: each.default for name, each in declared.items()}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if name not in declared:
            known = f"has {', '.join(declared)}" if declared else "has none"
            raise click.BadParameter(
                f"there is no field {escape(name, 40)!r}: {target} {known}", param_hint=hint
            )  # fmt: skip
        if not equals:
            raise click.BadParameter(f"{name} has no value: write {name}=VALUE", param_hint=hint)
        texts[name] = value
    try:
        return {name: declared[name].parse(text) for name, text in texts.items() if text.strip()}
    except FieldError as error:
        raise click.BadParameter(escape(str(error)), param_hint=hint) from None


def proto_number(target: Target, text: str) -> int:
    """The protocol number of a raw socket, by name or number. Raises `click.BadParameter`."""
    choices = target.protocol.proto_choices
    if not choices:
        raise click.BadParameter(f"{target} has one protocol only: leave --proto out", param_hint="--proto")
    wanted = text.strip().upper()
    for name, value in choices.items():
        if wanted in (name, name.partition("_")[2]):
            return value
    try:
        value = int(wanted, 0)
    except ValueError:
        value = -1
    if not 0 <= value <= 0xFFFF:
        raise click.BadParameter(
            f"{text!r} is no protocol: write a number, or one of {', '.join(choices)}", param_hint="--proto"
        )
    return value
