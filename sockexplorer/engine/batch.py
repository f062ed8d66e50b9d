"""One line of ``check --jsonl``: an address with its family, type and protocol by name or number, and the answer.

A line is judged by numbers as ``socket.socket(family, type, proto)`` would take them; what is declared explains.
"""

from __future__ import annotations

import json
from typing import Any

from sockexplorer.core.constants import number
from sockexplorer.core.family import Family
from sockexplorer.core.faults import shown
from sockexplorer.core.literal import read_literal
from sockexplorer.core.protocol import Role
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
    call = question["call"]
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
    question = {key: value for key, value in question.items() if value is not None} | {"address": question["address"]}
    call = question.setdefault("call", "bind")
    if not isinstance(call, str) or call not in ROLES:
        raise Unreadable(f"call {call!r:.40} is none of {', '.join(ROLES)}")
    return question


def _judge(question: dict[str, Any]) -> Verdict:
    proto = _number(question, "proto", 0)
    role = ROLES[question["call"]]
    try:
        address = read_literal(question["address"])
    except ValueError:
        raise Unreadable(
            f"address {question['address'][:60]!r} is not a Python literal; write one such as ('127.0.0.1', 80)"
        ) from None
    if address is None and question["call"] == "sendmsg":
        return Verdict(True, "cpython")  # no address at all
    family = _family(question)
    if isinstance(family, int):
        return judge_unknown(family, _number(question, "type", 1), proto, address, role)
    protocol = family.protocol_of(_number(question, "type", family.protocols[0].type_number), proto)
    if protocol is None:
        return judge_unsupported(family, proto, address, role)
    return judge(family, protocol, address, role, proto)


def _family(question: dict[str, Any]) -> Family | int:
    """The declared family of that name or number; the number of any other."""
    name = question["family"]
    if isinstance(name, str):
        wanted = name.strip().upper()
        for each in all_families():
            bare = each.name.upper()
            if wanted in (bare, f"AF_{bare}", f"PF_{bare}"):
                return each
    # AF_ROUTE is AF_NETLINK, and 16 as well.
    value = _number(question, "family", 0)
    return next((each for each in all_families() if each.number == value and not each.foreign), value)


PREFIXES = {
    "family": ("AF_", "PF_"),
    "type": ("SOCK_",),
    "proto": ("IPPROTO_", "NETLINK_", "CAN_", "BTPROTO_", "SYSPROTO_", "HV_PROTOCOL_", "ETH_P_"),
}
"""What the names of each key begin with."""


def _number(question: dict[str, Any], key: str, otherwise: int) -> int:
    """A constant by name, or a number. Raises `Unreadable`."""
    value = question.get(key, otherwise)
    if isinstance(value, str):
        text = value.strip()
        try:
            value = number(text)
        except KeyError:
            raise Unreadable(
                f"{key} {value[:40]!r} is no constant that Python or Linux knows; write its number"
            ) from None
        if not text.startswith(PREFIXES[key]) and text.isidentifier():
            raise Unreadable(f"{key} {text[:40]!r} is a constant of another kind; write {' or '.join(PREFIXES[key])}…")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{key} is neither a name nor a number")
    if not 0 <= value < 2**31:
        raise Unreadable(f"{key} {shown(value)[:40]} is not from 0 to 2147483647, a C int")
    return value
