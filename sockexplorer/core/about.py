"""What a person should know of a protocol or a field before using it, put together from the declarations.

Sections are (heading, lines); the first heading is "". Nothing in them came from outside.
"""

from __future__ import annotations

from sockexplorer.core.family import Family
from sockexplorer.core.fields import Field
from sockexplorer.core.protocol import Protocol

Section = tuple[str, list[str]]


def about_protocol(family: Family, protocol: Protocol) -> list[Section]:
    """What it is for, its address, where there is one, rights, an example, what usually goes wrong, errnos."""
    fields = family.fields(protocol)
    width = max(len(each.name) for each in fields)
    sections: list[Section] = [
        ("", [protocol.help, family.help]),
        ("The address", [family.summary, *(f"{each.name:<{width}}  {each.help}" for each in fields)]),
        ("For example", _example(family, protocol)),
        ("Where it is available", _availability(family, protocol)),
        ("Rights", [_rights(protocol)]),
        ("What usually goes wrong", list(family.pitfalls)),
    ]
    if protocol.notation:
        sections.append(
            ("Payloads may be written as", [f"{protocol.notation}   (send --frame; ctrl+t in the composer)"])
        )
    errors = [
        f"{call if call != '*' else 'any call'}: {name}: {advice.what}"
        for (call, name), advice in family.explanations(protocol).items()
    ]
    return [*sections, ("What an error means here", errors)]


def about_field(family: Family, protocol: Protocol, field: Field) -> list[Section]:
    """What a field is for, what may be written, its default, an example, what usually goes wrong."""
    lines = [_sentence(field.help)]
    if takes := field.kind.takes():
        lines.append(f"Write {takes}.")
    if field.optional:
        lines.append(f"It may be left out: then it is {field.default or 'empty'}.")
    sections: list[Section] = [("", lines)]
    example = protocol.local.get(field.name) or protocol.remote.get(field.name) or field.default
    if example:
        sections.append(("For example", [example]))
    if field.pitfall:
        sections.append(("What usually goes wrong", [field.pitfall]))
    return sections


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _example(family: Family, protocol: Protocol) -> list[str]:
    literal = family.example(protocol)
    typed = family.written(protocol, family.read(protocol, literal))
    return [literal] if typed == literal else [literal, f"{typed}   (as it may be typed)"]


def _availability(family: Family, protocol: Protocol) -> list[str]:
    lines = [f"{family.constant}: {family.availability}"]
    if protocol.availability:
        lines.append(f"{protocol.name}: {protocol.availability}")
    if modules := dict.fromkeys((*family.modules, *protocol.modules)):
        lines.append(f"kernel modules: {', '.join(modules)}")
    return lines


def _rights(protocol: Protocol) -> str:
    if protocol.privilege:
        return f"socket() needs {protocol.privilege}. {protocol.rights}".rstrip()
    return protocol.rights or "Opening the socket needs none."
