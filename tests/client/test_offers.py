"""What a field offers: what this host has, with what it means; anything may still be typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE, unshare

from sockexplorer.client.adapters import adapters, local_cid
from sockexplorer.client.algorithms import algorithms
from sockexplorer.client.offers import OFFERS, offers
from sockexplorer.core.fields import Field
from sockexplorer.families import all_families, family

ROOT = Path(__file__).parents[2]


def field(path: str, name: str) -> Field:
    head, _, tail = path.partition("/")
    each = family(head)
    return next(found for found in each.fields(each.protocol(tail)) if found.name == name)


def test_whatever_a_kind_asks_for_is_offered_by_somebody() -> None:
    for each in all_families():
        for protocol in each.protocols:
            for declared in each.fields(protocol):
                wanted = declared.kind.offers
                assert wanted in ("", *OFFERS), f"{each.name} {declared.name}: nobody offers {wanted}"
                for offer in offers(declared, {}):
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
def test_what_is_offered(path: str, name: str, value: str) -> None:
    assert value in [offer.value for offer in offers(field(path, name), {})]


def test_algorithms_are_those_of_the_type() -> None:
    name = field("alg/hash", "name")
    ciphers = [offer.value for offer in offers(name, {"type": "skcipher"})]
    assert "cbc(aes)" in ciphers
    assert "sha256" not in ciphers
    assert "sha256" in [offer.value for offer in offers(name, {"type": "hash"})]


def test_proc_crypto(tmp_path: Path) -> None:
    file = tmp_path / "crypto"
    blocks = [
        {"name": "sha256", "driver": "sha256-avx2", "internal": "no", "type": "shash"},
        {"name": "sha256", "driver": "sha256-generic", "internal": "no", "type": "shash"},
        {"name": "__cbc(aes)", "driver": "x", "internal": "yes", "type": "skcipher"},
        {"name": "ecb(aes)", "driver": "ecb-aes", "internal": "no", "type": "lskcipher"},
        {"name": "deflate", "driver": "deflate", "internal": "no", "type": "scomp"},
    ]
    file.write_text("\n\n".join("\n".join(f"{key:<12} : {value}" for key, value in each.items()) for each in blocks))
    assert algorithms("hash", file) == {"sha256": "sha256-avx2"}
    assert algorithms("skcipher", file) == {"ecb(aes)": "ecb-aes"}
    assert set(algorithms("", file)) == {"sha256", "ecb(aes)"}
    assert algorithms("hash", tmp_path / "none") == {}
    file.write_bytes(b"\xff\n\n:\n:::")
    assert algorithms("hash", file) == {}


def test_asking_for_devices_never_raises() -> None:
    assert all(each.address.count(":") == 5 for each in adapters())
    assert local_cid() is None or isinstance(local_cid(), int)


INSIDE = """
import json, sys
from sockexplorer.client.offers import offers
from sockexplorer.families import family
inet6, can = family("inet6"), family("can")
host, scope = inet6.fields(inet6.protocols[0])[0], inet6.fields(inet6.protocols[0])[3]
said = {"hosts": offers(host, {}), "scopes": offers(scope, {}), "can": offers(can.fields(can.protocols[0])[0], {})}
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
