"""Socket options as a person writes them: ``SO_RCVBUF=1000000``, ``SO_BROADCAST``, ``SOL_SOCKET:SO_MARK=5``."""

from __future__ import annotations

from sockexplorer.core.constants import number
from sockexplorer.core.draft import option_value
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.faults import FieldError
from sockexplorer.core.payload import PayloadError, from_hex
from sockexplorer.core.protocol import Protocol

LEVELS = {
    "SO_VM_SOCKETS_": "AF_VSOCK", "SO_": "SOL_SOCKET", "TCP_": "IPPROTO_TCP", "UDPLITE_": "SOL_UDPLITE",
    "UDP_": "IPPROTO_UDP", "IPV6_": "IPPROTO_IPV6", "IP_": "IPPROTO_IP", "PACKET_": "SOL_PACKET",
    "NETLINK_": "SOL_NETLINK", "CAN_RAW_": "SOL_CAN_RAW", "ALG_": "SOL_ALG", "TIPC_": "SOL_TIPC",
}  # fmt: skip
"""The level that an option's prefix means."""
SWITCH = {"on": 1, "yes": 1, "true": 1, "off": 0, "no": 0, "false": 0}


def read_option(protocol: Protocol, text: str) -> SetOption:
    """The option that a text sets; ``NAME`` alone sets it to 1, ``hex:05000000`` gives the bytes of a structure.

    Raises `FieldError`.
    """
    head, equals, value_text = text.partition("=")
    level, colon, name = head.strip().rpartition(":")
    level, name = level.strip().upper(), name.strip().upper()
    declared = {each.name: each for each in protocol.options}
    if not colon:
        by_prefix = (value for prefix, value in LEVELS.items() if name.startswith(prefix))
        level = declared[name].level if name in declared else next(by_prefix, "")
    try:
        number(name)
        if level:
            number(level)
    except KeyError as error:
        known = f"{protocol.name} has {', '.join(declared)}" if declared else "write such as SO_RCVBUF=1000000"
        raise FieldError("", "", f"there is no constant {error.args[0]!r}", known) from None
    if not level:
        raise FieldError("", "", f"{name} has no known level", f"write LEVEL:{name}=VALUE")
    if name in declared and declared[name].kind is not None:
        return SetOption(level, name, option_value(declared[name], value_text))
    return SetOption(level, name, _value(name, value_text if equals else "1"))


def _value(name: str, text: str) -> int | bytes:
    if text.strip().lower().startswith("hex:"):
        try:
            return from_hex(text.strip()[4:])
        except PayloadError as error:
            raise FieldError(name, text, str(error)) from None
    try:
        value = SWITCH.get(text.strip().lower())
        value = int(text, 0) if value is None else value
    except ValueError:
        raise FieldError(name, text, "is no number", f"write {name}=1, or {name}=hex:01000000 for bytes") from None
    if not -(2**31) <= value < 2**31:
        raise FieldError(name, text, "does not fit a C int", f"write {name}=hex:… for what is longer")
    return value
