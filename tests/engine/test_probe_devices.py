"""What is switched on and plugged in, from files as the kernel shows them, and from this host."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_devices import bluetooth, can, ipv6, network, what_is_there

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are those of Linux")
SYSCTL = "net.ipv6.conf.all.disable_ipv6"
SWITCH = "proc/sys/net/ipv6/conf/all/disable_ipv6"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_ipv6_switched_off(tmp_path: Path) -> None:
    write(tmp_path, SWITCH, "1\n")
    write(tmp_path, "proc/net/if_inet6", "")
    found = ipv6(HostFacts(str(tmp_path)))
    assert (found.state, found.kernel, found.usable) == ("switched-off", True, False)
    assert found.fix[0] == "sudo sysctl net.ipv6.conf.all.disable_ipv6=0"
    assert f"{SYSCTL} = 1" in found.allowed


@pytest.mark.parametrize(("switch", "addresses"), [("0\n", ""), ("1\n", "0001 01 80 10 80 lo\n")])
def test_ipv6_on(tmp_path: Path, switch: str, addresses: str) -> None:
    write(tmp_path, SWITCH, switch)
    write(tmp_path, "proc/net/if_inet6", addresses)
    found = ipv6(HostFacts(str(tmp_path)))
    assert found.state == network(HostFacts()).state
    assert f"{SYSCTL} = {switch.strip()}" in found.allowed


def test_bluetooth_controllers(tmp_path: Path) -> None:
    assert bluetooth(HostFacts(str(tmp_path))).state == "no-device"
    (tmp_path / "sys/class/bluetooth/hci0:11").mkdir(parents=True)
    assert bluetooth(HostFacts(str(tmp_path))).state == "no-device"
    (tmp_path / "sys/class/bluetooth/hci0").mkdir()
    found = bluetooth(HostFacts(str(tmp_path)))
    assert (found.state, found.device) == ("available", True)
    assert found.devices == ("controllers in /sys/class/bluetooth: hci0",)


def test_can_interfaces_of_this_host() -> None:
    types = {}
    for _, name in socket.if_nameindex():
        kind = Path("/sys/class/net", name, "type")
        types[name] = kind.read_text().strip() if kind.exists() else ""
    if "280" in types.values():
        pytest.skip("this host has a CAN interface")
    found = can(HostFacts())
    assert (found.state, found.kernel, found.usable, found.device) == ("no-device", True, True, False)
    assert "vcan" in found.fix[0].lower()


def test_a_family_without_device_is_available() -> None:
    assert what_is_there("AF_UNIX", HostFacts()).state == "available"
