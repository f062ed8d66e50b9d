"""Control packets of the QIPC router's name service. Source: ``struct qrtr_ctrl_pkt`` of ``<linux/qrtr.h>``."""

from __future__ import annotations

import struct

from sockexplorer.decoders.tree import Node

_PACKET = struct.Struct("<5I")
_COMMANDS = {
    1: "DATA", 2: "HELLO", 3: "BYE", 4: "NEW_SERVER", 5: "DEL_SERVER", 6: "DEL_CLIENT", 7: "RESUME_TX", 8: "EXIT",
    9: "PING", 10: "NEW_LOOKUP", 11: "DEL_LOOKUP",
}  # fmt: skip
_OF_A_CLIENT = (6, 7)
_WITHOUT_MORE = (2, 3, 8, 9)


def decode_control(payload: bytes) -> Node:
    """What a packet to or from the control port says. Never raises."""
    root = Node("qrtr", "", 0, len(payload))
    if len(payload) < _PACKET.size:
        return root
    command, *words = _PACKET.unpack_from(payload)
    name = _COMMANDS.get(command, f"command {command}")
    root.add("cmd", name, 0, 4)
    names = ("node", "port") if command in _OF_A_CLIENT else ("service", "instance", "node", "port")
    values = dict(zip(names, words, strict=False))
    for number, (each, value) in enumerate(values.items()):
        root.add(each, value, 4 + 4 * number, 8 + 4 * number)
    if command in _WITHOUT_MORE:
        root.value = name
    elif not any(words):
        # An announcement of nothing ends the list that a lookup asked for; a lookup of nothing asks for all.
        root.value = f"{name} of every service" if command in (10, 11) else f"{name} end of the list"
    else:
        service = f"service {values['service']} instance {values['instance']}" if "service" in values else ""
        where = f"{values['node']}:{values['port']}" if values["node"] or values["port"] else ""
        root.value = f"{name} {' at '.join(filter(None, (service, where)))}"
    return root
