"""The last steps of an answer, after ``socket()`` succeeded: is it switched on, is a device there?

Sources: sysctl documentation of the kernel (ip-sysctl), vsock(7) and ``IOCTL_VM_SOCKETS_GET_LOCAL_CID``,
netdevice(7), <linux/if_arp.h>.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.probe_sockets import Finding

SIOCGIFFLAGS, SIOCGIFHWADDR = 0x8913, 0x8927
ARPHRD_CAN = 280
IFF_UP = 1
GET_LOCAL_CID = 0x7B9
CID_ANY = 0xFFFFFFFF


def _available(*evidence: str) -> Finding:
    return Finding("available", True, True, evidence)


def _ioctl(descriptor: int, request: int, argument: bytes) -> bytes:
    import fcntl

    return fcntl.ioctl(descriptor, request, argument)


def ipv6(facts: HostFacts) -> Finding:
    """Sockets open even where no interface may have an address."""
    if facts.sysctl("net.ipv6.conf.all.disable_ipv6") != "1":
        return _available()
    seen = "net.ipv6.conf.all.disable_ipv6 = 1"
    if facts.read("/proc/net/if_inet6"):
        return _available(seen, "some interface has an IPv6 address all the same (/proc/net/if_inet6)")
    return Finding(
        "switched-off",
        True,
        False,
        (seen, "no interface has an IPv6 address (/proc/net/if_inet6 is empty)"),
        ("sudo sysctl net.ipv6.conf.all.disable_ipv6=0",),
    )


def can(facts: HostFacts) -> Finding:
    """A CAN socket is of use with an interface that is up, real or virtual."""
    found = {}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
            for _, name in socket.if_nameindex():
                request = struct.pack("16s24x", os.fsencode(name))
                (kind,) = struct.unpack_from("=H", _ioctl(asking.fileno(), SIOCGIFHWADDR, request), 16)
                if kind == ARPHRD_CAN:
                    (flags,) = struct.unpack_from("=H", _ioctl(asking.fileno(), SIOCGIFFLAGS, request), 16)
                    found[name] = bool(flags & IFF_UP)
    except OSError as error:
        return _available(f"the interfaces can't be listed: {error.strerror}")
    if any(found.values()):
        return _available("CAN interfaces that are up: " + ", ".join(name for name, up in found.items() if up))
    if found:
        name = next(iter(found))
        return Finding(
            "no-device",
            True,
            True,
            (f"{name} is a CAN interface, but down",),
            (
                f"for a virtual one: sudo ip link set {name} up",
                f"for a real one: sudo ip link set {name} up type can bitrate 500000",
            ),
        )
    return Finding(
        "no-device",
        True,
        True,
        ("no interface is a CAN interface (SIOCGIFHWADDR of each)",),
        ("make a virtual one: sudo ip link add dev vcan0 type vcan && sudo ip link set vcan0 up",),
    )


def bluetooth(facts: HostFacts) -> Finding:
    """A controller, whether it is up or not."""
    try:
        found = sorted(each.name for each in Path(facts.root + "/sys/class/bluetooth").iterdir())
    except OSError:
        found = []
    controllers = [name for name in found if name.startswith("hci") and ":" not in name]
    if controllers:
        return _available(f"controllers in /sys/class/bluetooth: {', '.join(controllers)}")
    return Finding(
        "no-device",
        True,
        True,
        ("no controller in /sys/class/bluetooth",),
        ("plug one in; for USB ones: sudo modprobe btusb",),
    )


def _binds_to(cid: int) -> bool:
    """Whether a transport owns the context id: a bind to a port of the kernel's choice, undone at once."""
    with socket.socket(40, socket.SOCK_STREAM) as asking:
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
        descriptor = os.open(facts.root + "/dev/vsock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            (own,) = struct.unpack("=I", _ioctl(descriptor, GET_LOCAL_CID, bytes(4)))
        finally:
            os.close(descriptor)
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
        return _available(*evidence)
    if own is None:
        return _available(*evidence, "no transport was seen; one could be there")
    return Finding(
        "no-device",
        True,
        True,
        (*evidence, "no transport: neither loopback, nor host, nor guest"),
        (
            "to reach this machine itself: sudo modprobe vsock_loopback",
            "to reach guests of this machine: sudo modprobe vhost_vsock",
            "in a guest: give it a vsock device (QEMU: -device vhost-vsock-pci,guest-cid=3)",
        ),
    )


DEVICES = {"AF_INET6": ipv6, "AF_CAN": can, "AF_BLUETOOTH": bluetooth, "AF_VSOCK": vsock}


def what_is_there(family: str, facts: HostFacts) -> Finding:
    """The state of a family whose sockets open."""
    question = DEVICES.get(family)
    return question(facts) if question is not None else _available()
