"""TIPC's topology service: subscriptions and events. Source: ``<linux/tipc.h>``, net/tipc/subscr.c."""

from __future__ import annotations

import struct

from sockexplorer.decoders.tree import Node

SUBSCRIPTION = struct.Struct("5I8s")
"""``struct tipc_subscr``: the service type, the lowest and highest instance, the timeout in milliseconds, the filter,
a handle of the subscriber's own."""
EVENT = struct.Struct("5I")
"""``struct tipc_event``: what happened, the instances found, the reference and node of the socket; then the
subscription."""
_EVENTS = {1: "PUBLISHED", 2: "WITHDRAWN", 3: "SUBSCR_TIMEOUT"}
_FILTERS = {1: "PORTS", 2: "SERVICE", 4: "CANCEL"}
FOREVER = 0xFFFFFFFF


def decode_topology(payload: bytes) -> Node:
    """A message to or from the topology service. Never raises."""
    root = Node("tipc", "", 0, len(payload))
    if len(payload) == SUBSCRIPTION.size:
        root.value = f"subscription to {_subscription(root, payload, 0)}"
    elif len(payload) == EVENT.size + SUBSCRIPTION.size:
        event, lower, upper, ref, node = EVENT.unpack_from(payload)
        name = _EVENTS.get(event, f"event {event}")
        for number, (each, value) in enumerate(
            (("event", name), ("found_lower", lower), ("found_upper", upper), ("port.ref", ref), ("port.node", node))
        ):
            root.add(each, value, 4 * number, 4 * number + 4)
        asked = _subscription(root.add("subscription", "", EVENT.size, len(payload)), payload, EVENT.size)
        kind = asked.partition(":")[0]
        root.value = f"{name} {asked}" if event == 3 else f"{name} {kind}:{lower}-{upper} by node {node:x} ref {ref}"
    return root


def _subscription(node: Node, payload: bytes, at: int) -> str:
    kind, lower, upper, timeout, wanted, handle = SUBSCRIPTION.unpack_from(payload, at)
    for number, (name, value) in enumerate(
        (
            ("type", kind), ("lower", lower), ("upper", upper),
            ("timeout", "for ever" if timeout == FOREVER else f"{timeout} ms"),
            ("filter", "|".join(each for bit, each in _FILTERS.items() if wanted & bit) or str(wanted)),
        )
    ):  # fmt: skip
        node.add(name, value, at + 4 * number, at + 4 * number + 4)
    node.add("usr_handle", handle.hex(" "), at + 20, at + 28)
    return f"{kind}:{lower}-{upper}"
