"""One line of ``check --jsonl``: an address with its family, type and protocol by name or number, and the answer.

A line is judged by numbers as ``socket.socket(family, type, proto)`` would take them; what is declared explains.
"""

from __future__ import annotations

import json
from typing import Any

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family, Role
from sockexplorer.core.faults import shown
from sockexplorer.core.literal import read_literal
from sockexplorer.core.verdict import Verdict
from sockexplorer.engine.verdict import judge, judge_unknown, judge_unsupported
from sockexplorer.families import all_families

ROLES: dict[str, Role] = {
    "bind": "local", "connect": "remote", "connect_ex": "remote", "sendto": "remote", "sendmsg": "remote",
}  # fmt: skip
"""The methods that take an address, and whose it is."""


class Unreadable(ValueError):
    """A line that is no question; the message says what would be one."""


def answer(line: str) -> dict[str, Any]:
    """The verdict on a line as a JSON object, or an object with ``error``. Raises nothing.

    Keys: ``verdict``, ``exception``, ``message``, ``field``, ``reason``, ``remedy``, ``warnings``, ``decided_by``,
    ``sockaddr``.
    """
    try:
        question = _question(line)
        verdict = _judge(question)
    except Unreadable as error:
        return {"error": str(error)}
    except Exception as error:  # whatever a line holds, the next ones are answered
        return {"error": f"this line could not be judged: {type(error).__name__}: {error}"}
    call = question.get("call", "bind")
    message = verdict.message.replace(f"{'bind' if ROLES[call] == 'local' else 'connect'}()", f"{call}()", 1)
    report = verdict.report()
    del report["address"]
    return {**report, "message": message}


def _question(line: str) -> dict[str, Any]:
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        raise Unreadable("the line is not JSON; write one object a line") from None
    if not isinstance(question, dict):
        raise Unreadable('the line is JSON but no object; write {"family": …, "address": …}')
    for key in ("family", "address"):
        if key not in question:
            raise Unreadable(f'{key} is missing; write {{"family": "AF_INET", "address": "(\'127.0.0.1\', 80)"}}')
    if not isinstance(question["address"], str):
        raise Unreadable("address is no string; write a Python literal in quotes, such as \"('127.0.0.1', 80)\"")
    if question.get("call", "bind") not in ROLES:
        raise Unreadable(f"call {question['call']!r:.40} is none of {', '.join(ROLES)}")
    return question


def _judge(question: dict[str, Any]) -> Verdict:
    proto = _number(question, "proto", 0)
    role = ROLES[question.get("call", "bind")]
    try:
        address = read_literal(question["address"])
    except ValueError:
        raise Unreadable(
            f"address {question['address'][:60]!r} is not a Python literal; write one such as ('127.0.0.1', 80)"
        ) from None
    family = _family(question["family"])
    if family is None:
        return judge_unknown(_number(question, "family", 0), _number(question, "type", 1), proto, address, role)
    protocol = family.protocol_of(_number(question, "type", family.protocols[0].type_number), proto)
    if protocol is None:
        return judge_unsupported(family, proto, address, role)
    return judge(family, protocol, address, role, proto)


def _family(name: object) -> Family | None:
    """The declared family of that name or number; None for any other."""
    for each in all_families():
        bare = each.name.upper()
        if isinstance(name, str) and name.upper() in (bare, f"AF_{bare}", f"PF_{bare}"):
            return each
        if name == each.number and not isinstance(name, bool) and not each.foreign:
            return each
    return None


def _number(question: dict[str, Any], key: str, otherwise: int) -> int:
    """A constant by name, or a number. Raises `Unreadable`."""
    value = question.get(key, otherwise)
    if isinstance(value, int) and not isinstance(value, bool):
        if not -(2**31) <= value < 2**31:
            raise Unreadable(f"{key} {shown(value)[:40]} does not fit a C int")
        return value
    if isinstance(value, str):
        try:
            return number(value.strip())
        except KeyError:
            raise Unreadable(
                f"{key} {value[:40]!r} is no constant that Python or Linux knows; write its number"
            ) from None
    raise Unreadable(f"{key} is neither a name nor a number")
