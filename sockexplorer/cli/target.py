"""FAMILY/PROTOCOL and ADDRESS on a command line: reading, defaults, and completion from the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from sockexplorer.core.text import escape

if TYPE_CHECKING:
    from sockexplorer.core.family import Family
    from sockexplorer.core.protocol import Protocol, Role


class Target(NamedTuple):
    """What FAMILY/PROTOCOL names."""

    family: Family
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.family.name}/{self.protocol.name}"


class TargetType(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers only
    """``inet/udp``; the family's first protocol when none is given."""

    name = "FAMILY/PROTOCOL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        from sockexplorer.families import find

        if isinstance(value, Target):
            return value
        try:
            return Target(*find(value))
        except KeyError as error:
            self.fail(escape(str(error.args[0])), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return completions(incomplete)


def completions(incomplete: str) -> list[CompletionItem]:
    """Every ``family/protocol`` that starts like this, in any case and with or without ``AF_``."""
    from sockexplorer.families import all_families

    typed = incomplete.lower()
    prefix = incomplete[:3] if typed.startswith(("af_", "pf_")) else ""
    upper = prefix.isupper()
    return [
        CompletionItem(
            f"{prefix}{family.name.upper() if upper else family.name}/{protocol.name}",
            help=f"{family.title}: {protocol.summary}",
        )
        for family in all_families()
        for protocol in family.protocols
        if f"{family.name}/{protocol.name}".startswith(typed[len(prefix) :])
    ]


target_argument = click.argument("target", metavar="FAMILY/PROTOCOL", type=TargetType())


def read_address(target: Target, text: str, where: str) -> object:
    """Read an ADDRESS. Raises `click.BadParameter` when it is neither a literal nor the plain form."""
    from sockexplorer.core.faults import FieldError

    try:
        return target.family.read(target.protocol, text)
    except FieldError as error:
        raise click.BadParameter(escape(str(error)), param_hint=where) from None


def default_address(target: Target, role: Role) -> object:
    """The address that a form starts with, or None where a person has to say it."""
    from sockexplorer.core.faults import FieldError

    family, protocol = target
    texts = protocol.local if role == "local" else protocol.remote
    fields = family.fields(protocol)
    if not any(each.name in texts for each in fields):
        return None
    try:
        return family.build(protocol, {each.name: each.parse(texts.get(each.name, each.default)) for each in fields})
    except FieldError:
        return None
