"""What there is to choose from where the engine runs, told without psutil, and compared with it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil
import pytest
from elsewhere import PLACES

from sockexplorer.client.client import Client, Refused
from sockexplorer.client.link import start_thread
from sockexplorer.client.via import Via, start
from sockexplorer.engine.adapters import adapters, local_cid
from sockexplorer.engine.algorithms import algorithms
from sockexplorer.engine.interfaces import Interface, interfaces
from sockexplorer.engine.inventory import KINDS, inventory, unix_sockets


def test_interfaces_are_as_psutil_tells_them() -> None:
    found = {each.name: each for each in interfaces()}
    states, addresses = psutil.net_if_stats(), psutil.net_if_addrs()
    assert set(found) == set(states)
    for name, each in found.items():
        assert (each.up, each.mtu) == (states[name].isup, states[name].mtu), name
        assert each.index == socket.if_nametoindex(name)
        assert each.kind == int(Path("/sys/class/net", name, "type").read_text())
        assert each.enabled is bool(int(Path("/sys/class/net", name, "flags").read_text(), 16) & 1)
        for family in (socket.AF_INET, socket.AF_INET6):
            told = [one.address.partition("%")[0] for one in addresses.get(name, ()) if one.family == family]
            assert sorted(each.hosts(family)) == sorted(told), name


def test_counters_of_an_interface_grow() -> None:
    def loopback() -> Interface:
        return next(each for each in interfaces() if each.name == "lo")

    before = loopback()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.sendto(bytes(1000), sock.getsockname())
    assert loopback().received >= before.received + 1000
    assert loopback().sent >= before.sent + 1000
    assert before.kind == 772  # ARPHRD_LOOPBACK


def test_unix_sockets_are_as_the_kernel_lists_them(tmp_path: Path) -> None:
    path = str(tmp_path / "with a blank")
    with socket.socket(socket.AF_UNIX) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as packets:
        stream.bind(path)
        packets.bind(b"\0sockexplorer-\xff")
        found = unix_sockets()
    assert (path, "stream") in found
    assert ("@sockexplorer-\udcff", "seqpacket") in found
    file = tmp_path / "unix"
    file.write_bytes(
        b"Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 0 00ff 01 7 /a\nb\n0: 2 0 0 1 01 7\n\xff: 1 2\n"
    )
    assert unix_sockets(file) == [("/a", "255")]


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


def test_everything_travels_as_json() -> None:
    for what in KINDS:
        assert json.loads(json.dumps(inventory(what))) is not NotImplemented
    client = Client(start_thread())
    assert [Interface.from_json(each).name for each in client.call("inventory", what="interfaces")["found"]]
    with pytest.raises(Refused, match="dreams"):
        client.call("inventory", what="dreams")
    client.close()


@pytest.mark.optional_on_this_host(reason="needs user namespaces")
def test_it_is_the_inventory_of_where_the_engine_runs(tmp_path: Path) -> None:
    with PLACES["unshare"](tmp_path) as via:
        client = Client(start(Via.read(via)))
        found = {each["name"]: each for each in client.call("inventory", what="interfaces")["found"]}
        client.close()
    assert found["lo"]["up"] is False, "nobody has set it up in there"
    assert found["lo"]["addresses"] == []
