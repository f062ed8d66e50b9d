"""The last steps of an answer, after ``socket()`` succeeded: is it switched on, is a device there?

Sources: sysctl documentation of the kernel (ip-sysctl), vsock(7) and ``IOCTL_VM_SOCKETS_GET_LOCAL_CID``,
<linux/if_arp.h>.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from sockexplorer.core.constants import number
from sockexplorer.core.text import escape
from sockexplorer.engine.adapters import CID_ANY, VSOCK, cid_of
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.interfaces import ARPHRD_CAN, interfaces
from sockexplorer.engine.probe_python import in_python, system
from sockexplorer.engine.probe_sockets import Finding

SHOWN = 5
"""How many interfaces are named."""
TRANSPORTS = {"vsock_loopback": "this machine itself", "vhost_vsock": "guests of this machine"}
"""Modules that bring AF_VSOCK a transport, and whom it reaches."""


NEEDS_NONE = {
    "AF_UNIX": "none is needed: both ends are on this machine",
    "AF_NETLINK": "none is needed: the kernel itself answers",
    "AF_ALG": "none is needed: the kernel computes, where it has no hardware for it",
    "AF_TIPC": "none is needed within this machine; other nodes are reached over a bearer: tipc bearer list",
    "AF_QIPCRTR": "none is needed within this machine; a modem is reached over a transport of the kernel's",
    "AF_RDS": "none is needed within this machine; others are reached by rds_tcp or InfiniBand",
}
"""Families whose sockets reach somebody without a device."""


def _there(*devices: str, evidence: tuple[str, ...] = (), allowed: tuple[str, ...] = ()) -> Finding:
    return Finding("available", True, True, evidence, allowed=allowed, device=True, devices=devices)


def _not_there(*devices: str, fix: tuple[str, ...], allowed: tuple[str, ...] = ()) -> Finding:
    return Finding("no-device", True, True, (), fix, allowed=allowed, device=False, devices=devices)


def _untold(why: str) -> Finding:
    return Finding("available", True, True, device=None, devices=(why,))


def network(facts: HostFacts) -> Finding:
    """Interfaces that are up: without one, not even this machine itself is reached."""
    if system() != "Linux":
        return _untold("interfaces are looked at on Linux only")
    try:
        found = interfaces()
    except OSError as error:
        return _untold(f"the interfaces can't be listed: {error.strerror}")
    up = [escape(each.name) for each in found if each.enabled]
    if up:
        more = f" and {len(up) - SHOWN} more" if len(up) > SHOWN else ""
        return _there(f"interfaces that are up: {', '.join(up[:SHOWN])}{more}")
    down = ", ".join(escape(each.name) for each in found[:SHOWN])
    return _not_there(
        f"no interface is up: {down} {'is' if len(found) == 1 else 'are'} down" if found else "there is no interface",
        fix=(f"sudo ip link set {escape(found[0].name)} up",) if found else (),
    )


def ipv6(facts: HostFacts) -> Finding:
    """Sockets open even where no interface may have an address."""
    found = network(facts)
    switch = "net.ipv6.conf.all.disable_ipv6"
    value = facts.sysctl(switch)
    if value is None:
        return found
    seen = f"{switch} = {value}"
    if value != "1":
        return replace(found, allowed=(seen,))
    if facts.read("/proc/net/if_inet6"):
        here = "some interface has an IPv6 address all the same (/proc/net/if_inet6)"
        return replace(found, allowed=(seen, here))
    none = "no interface has an IPv6 address (/proc/net/if_inet6 is empty)"
    fix = (f"sudo sysctl {switch}=0", *found.fix)
    return replace(found, state="switched-off", usable=False, fix=fix, allowed=(seen, none))


def can(facts: HostFacts) -> Finding:
    """A CAN socket is of use with an interface that is up, real or virtual."""
    if system() != "Linux":
        return _untold("interfaces are looked at on Linux only")
    try:
        found = {escape(each.name): each.enabled for each in interfaces() if each.kind == ARPHRD_CAN}
    except OSError as error:
        return _untold(f"the interfaces can't be listed: {error.strerror}")
    if any(found.values()):
        return _there("CAN interfaces that are up: " + ", ".join(name for name, up in found.items() if up))
    if found:
        name = next(iter(found))
        return _not_there(
            f"{name} is a CAN interface, but down",
            fix=(
                f"for a virtual one: sudo ip link set {name} up",
                f"for a real one: sudo ip link set {name} up type can bitrate 500000",
            ),
        )
    make = "make a virtual one: sudo ip link add dev vcan0 type vcan && sudo ip link set vcan0 up"
    if facts.option("CONFIG_CAN_VCAN") == "n":
        make = "plug one in: this kernel has no virtual ones (CONFIG_CAN_VCAN is not set)"
    return _not_there("no interface is a CAN interface (SIOCGIFHWADDR of each)", fix=(make,))


def bluetooth(facts: HostFacts) -> Finding:
    """A controller, whether it is up or not."""
    try:
        found = sorted(escape(each.name) for each in Path(facts.root + "/sys/class/bluetooth").iterdir())
    except OSError:
        found = []
    controllers = [name for name in found if name.startswith("hci") and ":" not in name]
    if controllers:
        return _there(f"controllers in /sys/class/bluetooth: {', '.join(controllers)}")
    usb = "btusb" in facts.modules.files and "btusb" not in facts.modules.loaded
    fix = ("plug one in", *(("for one on USB: sudo modprobe btusb",) if usb else ()))
    return _not_there("no controller in /sys/class/bluetooth", fix=fix)


def _binds_to(cid: int) -> bool:
    """Whether a transport owns the context id: a bind to a port of the kernel's choice, undone at once."""
    with socket.socket(number("AF_VSOCK"), socket.SOCK_STREAM) as asking:
        try:
            asking.bind((cid, CID_ANY))
        except OSError:
            return False
        return True


def vsock(facts: HostFacts) -> Finding:
    """AF_VSOCK opens without any transport, but then reaches nobody."""
    evidence = []
    own: int | None = None
    try:
        own = cid_of(Path(f"{facts.root}{VSOCK}"))
        evidence.append(f"own context id {'none' if own == CID_ANY else own} (/dev/vsock)")
    except OSError as error:
        evidence.append(f"/dev/vsock does not tell the own context id: {error.strerror}")
    reached = {
        1: "this machine itself (bind to CID 1 succeeded)",
        2: "guests of this machine (bind to CID 2 succeeded)",
    }
    try:
        here = [text for cid, text in reached.items() if _binds_to(cid)]
    except (OSError, OverflowError):
        here = []
    evidence += [f"a transport reaches {text}" for text in here]
    driver = Path(facts.root + "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport")
    devices = [each.name for each in driver.glob("virtio*")] if driver.is_dir() else []
    if devices:
        evidence.append(
            f"the virtio transport has {', '.join(sorted(devices))}: the machine that runs this one is CID 2"
        )
    if here or devices or own not in (None, CID_ANY, 0):
        return _there(*evidence)
    if own is None or not in_python("AF_VSOCK"):
        return Finding("available", True, True, devices=(*evidence, "no transport was seen; one could be there"))
    fix = [
        f"to reach {whom}: sudo modprobe {module}"
        for module, whom in TRANSPORTS.items()
        if module in facts.modules.files and module not in facts.modules.loaded
    ]
    fix.append("in a guest: give it a vsock device (QEMU: -device vhost-vsock-pci,guest-cid=3)")
    return _not_there(*evidence, "no transport: neither loopback, nor host, nor guest", fix=tuple(fix))


DEVICES = {
    "AF_INET": network, "AF_PACKET": network, "AF_INET6": ipv6, "AF_CAN": can, "AF_BLUETOOTH": bluetooth,
    "AF_VSOCK": vsock,
}  # fmt: skip


def what_is_there(family: str, facts: HostFacts) -> Finding:
    """The state of a family whose sockets open."""
    question = DEVICES.get(family)
    if question is not None:
        return question(facts)
    if family in NEEDS_NONE:
        return _there(NEEDS_NONE[family])
    return Finding("available", True, True)
