"""What a field offers: what this host has, with what it means; anything may still be typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE, unshare

from sockexplorer.client.client import Client
from sockexplorer.client.link import start_thread
from sockexplorer.client.offers import NEEDS, OFFERS, Offer, needs, offers
from sockexplorer.core.fields import Field
from sockexplorer.engine.inventory import KINDS
from sockexplorer.families import all_families, family

ROOT = Path(__file__).parents[2]


def field(path: str, name: str) -> Field:
    head, _, tail = path.partition("/")
    each = family(head)
    return next(found for found in each.fields(each.protocol(tail)) if found.name == name)


@pytest.fixture(scope="module")
def inventory() -> dict[str, object]:
    """What the engine has found of everything, as it came over its stream."""
    client = Client(start_thread())
    found = {what: client.call("inventory", what=what)["found"] for what in KINDS}
    client.close()
    return found


Inventory = dict[str, object]


def offered(inventory: Inventory, field: Field, texts: dict[str, str]) -> list[Offer]:
    return offers(field, texts, inventory.get(needs(field)))


def test_whatever_a_kind_asks_for_is_offered_by_somebody(inventory: Inventory) -> None:
    assert set(NEEDS) <= set(OFFERS)
    assert set(NEEDS.values()) == set(KINDS)
    for each in all_families():
        for protocol in each.protocols:
            for declared in each.fields(protocol):
                wanted = declared.kind.offers
                assert wanted in ("", *OFFERS), f"{each.name} {declared.name}: nobody offers {wanted}"
                for offer in offered(inventory, declared, {}):
                    assert offer.label.isprintable()
                    if wanted not in ("flags", "unix-sockets"):
                        declared.parse(offer.value)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("packet/raw", "ifname", "lo"),
        ("inet/udp", "host", "0.0.0.0"),
        ("inet6/udp", "scope_id", "0"),
        ("vsock/stream", "cid", "VMADDR_CID_HOST"),
        ("netlink/route", "groups", "LINK"),
        ("tipc/rdm", "addr_type", "TIPC_ADDR_NAME"),
        ("can/raw", "interface", ""),
        ("alg/hash", "type", "aead"),
        ("bluetooth/rfcomm", "bdaddr", "00:00:00:00:00:00"),
        ("system/control", "name", "com.apple.net.utun_control"),
        ("hyperv/raw", "vm_id", "HV_GUID_PARENT"),
    ],
)
def test_what_is_offered(inventory: Inventory, path: str, name: str, value: str) -> None:
    assert value in [offer.value for offer in offered(inventory, field(path, name), {})]


def test_algorithms_are_those_of_the_type(inventory: Inventory) -> None:
    name = field("alg/hash", "name")
    ciphers = [offer.value for offer in offered(inventory, name, {"type": "skcipher"})]
    assert "cbc(aes)" in ciphers
    assert "sha256" not in ciphers
    assert "sha256" in [offer.value for offer in offered(inventory, name, {"type": "hash"})]


INSIDE = """
import json, sys
from sockexplorer.client.offers import offers
from sockexplorer.engine.inventory import inventory
from sockexplorer.families import family
there = inventory("interfaces")
inet6, can = family("inet6"), family("can")
host, scope = inet6.fields(inet6.protocols[0])[0], inet6.fields(inet6.protocols[0])[3]
said = {"hosts": offers(host, {}, there), "scopes": offers(scope, {}, there)}
said["can"] = offers(can.fields(can.protocols[0])[0], {}, there)
json.dump(said, sys.stdout)
"""


def test_a_link_local_address_brings_its_scope() -> None:
    """In a network of its own, with an interface that has one."""
    setup = (
        "ip link set lo up; ip link add probe0 type veth peer name probe1 || exit 77; ip link set probe0 up; "
        "ip address add fe80::77/64 dev probe0 nodad; "
    )
    command = [*unshare(), "sh", "-c", f'{setup} cd "{ROOT}"; exec "{sys.executable}" -c "$0"', INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode == 77:
        pytest.skip("no veth interfaces in this kernel")
    said = json.loads(done.stdout)
    also = {value: more for value, _, more in said["hosts"]}
    index = next(value for value, label, _ in said["scopes"] if "probe0" in label)
    assert also["fe80::77"] == {"scope_id": index}
    assert also["::1"] == {"scope_id": "0"}
    assert [value for value, _, _ in said["can"]] == ["vcan0", ""], "none here: how to make one, or every one"
