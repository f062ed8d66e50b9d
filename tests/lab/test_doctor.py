"""Every cause that the doctor tells is produced for real, and what it advises is done, and helps."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kernel"))

import vhci

from sockexplorer.core.capability import Capability
from sockexplorer.engine.probe import probe, probe_protocols

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = Path("/lib/modules", os.uname().release)
NOBODY = 65534
VSOCK = ("vsock_diag", "vsock_loopback", "vmw_vsock_virtio_transport_common", "vsock")
OWN = {
    "AF_TIPC/stream": ("tipc_diag", "tipc"), "AF_CAN/isotp": ("can_isotp",), "AF_CAN/j1939": ("can_j1939",),
    "AF_QIPCRTR/dgram": ("qrtr_tun", "qrtr"), "AF_RDS/seqpacket": ("rds_tcp", "rds"), "AF_VSOCK/stream": VSOCK,
    "AF_BLUETOOTH/rfcomm": ("rfcomm",), "AF_NETLINK/crypto": ("crypto_user",),
}  # fmt: skip
"""Modules of protocols, in the order in which they can be unloaded."""
FAMILY = {"AF_TIPC/stream": (30, 1, 0), "AF_QIPCRTR/dgram": (42, 2, 0), "AF_CAN/isotp": (29, 2, 6)}


def run(*command: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert not check or done.returncode == 0, f"{command}: {done.stderr}"
    return done


def loaded() -> set[str]:
    return {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}


def unload(*names: str) -> None:
    for name in names:
        for module in OWN[name]:
            if module in loaded():
                run("rmmod", module)


def state(name: str) -> Capability:
    """What a new probe says of a protocol."""
    return next(each for each in probe_protocols() if each.name == name)


def command_in(fix: str) -> str:
    """What a fix says to run, for root, who needs no sudo."""
    command = re.search(r"(?:^|: )(sudo .*)", fix)
    assert command is not None, fix
    return command[1].replace("sudo ", "")


def do(fix: str) -> None:
    """Do what a fix says."""
    run("sh", "-ec", command_in(fix))


def system(fix: str) -> str:
    """Python that does what a fix says."""
    return f"assert os.system({command_in(fix)!r}) == 0"


def doctor(*arguments: str, before: tuple[str, ...] = (), **more: Any) -> list[dict[str, Any]]:
    """The rows that ``doctor --json`` prints, started by another program perhaps."""
    done = run(*before, sys.executable, "-m", "sockexplorer", "doctor", *arguments, "--json", check=False, **more)
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def explorer(fix: str) -> str:
    """The command that a fix starts the explorer with, for root, who needs no sudo."""
    command = re.search(r"(?:^|: )(sockexplorer .*)", fix)
    assert command is not None, fix
    words = command[1].replace("sudo ", "").replace("--via sudo", "--via env")
    return words.replace("sockexplorer", f"{sys.executable} -m sockexplorer", 1)


def child(prepare: str, name: str) -> Capability:
    """What a process says that has done something to itself, once it has read what others may not read."""
    code = "import ctypes, json, os, socket\nfrom sockexplorer.engine.probe import probe_protocols\nprobe_protocols()\n"
    code += f"{prepare}\n"
    code += f"print(json.dumps([each.to_json() for each in probe_protocols() if each.name == {name!r}]))"
    (found,) = json.loads(run(sys.executable, "-c", code).stdout)
    return Capability.from_json(found)


@pytest.fixture(autouse=True)
def all_loaded() -> Iterator[None]:
    """Whatever a test unloads is there again for the next one."""
    yield
    for configuration in Path("/etc/modprobe.d").glob("doctor-test*"):
        configuration.unlink()
    names = [Path(line.partition(":")[0]).stem for line in (MODULES / "modules.dep").read_text().splitlines()]
    run("modprobe", "-a", *names)


@pytest.fixture
def users() -> tuple[str, ...]:
    """What starts a command as nobody; the way to this Python is opened to all, in the guest's copy of the disk."""
    for path in (Path(sys.executable).resolve(), CHECKOUT):
        for directory in path.parents:
            if not directory.is_relative_to(CHECKOUT):
                directory.chmod(directory.stat().st_mode | 0o755)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def rule(text: str) -> None:
    Path("/etc/modprobe.d").mkdir(exist_ok=True)
    Path("/etc/modprobe.d/doctor-test.conf").write_text(f"# for a test\n{text}\n")


def opens(name: str) -> bool:
    try:
        socket.socket(*FAMILY[name]).close()
    except OSError:
        return False
    return True


# --- modules -----------------------------------------------------------------------------------------------------


def test_everything_is_there_at_first() -> None:
    for name in OWN:
        assert state(name).kernel is True, name
    found = state("AF_CAN/isotp")
    assert (found.state, [step.ok for step in found.steps]) == ("available", [True] * 4)
    assert any(line.startswith("can_isotp is loaded (/proc/modules), from kernel/net/can/can-isotp") for line in
               found.steps[1].evidence)  # fmt: skip
    assert "CONFIG_CAN_ISOTP=m (the kernel's configuration)" in found.steps[1].evidence
    assert found.steps[3].evidence == ("CAN interfaces that are up: vcan0",)


@pytest.mark.parametrize("name", OWN)
def test_a_module_that_is_not_loaded(name: str) -> None:
    unload(name)
    found = state(name)
    assert [step.ok for step in found.steps][1:] == [False, None, None]
    assert found.state == "not-loaded"
    module = OWN[name][-1] if name != "AF_VSOCK/stream" else "vsock_loopback"
    assert f"{module} not in /proc/modules" in " ".join(found.steps[1].evidence)
    do(found.fix[0] if found.python else next(fix for fix in found.fix if "modprobe" in fix))
    assert state(name).kernel is True


def test_asking_changes_nothing(users: tuple[str, ...]) -> None:
    unload(*OWN)
    before = loaded()
    probe()
    assert loaded() == before
    doctor(before=users)
    doctor("--constants", before=users)
    assert loaded() == before
    found = state("AF_CAN/isotp")
    assert "can-proto-6 in modules.alias" in " ".join(found.steps[1].evidence)
    assert opens("AF_CAN/isotp"), "what the doctor did not ask would have loaded it"
    assert "can_isotp" in loaded()


def test_asking_for_real_tells_what_it_loaded(users: tuple[str, ...]) -> None:
    unload("AF_CAN/isotp", "AF_QIPCRTR/dgram")
    assert any(fix.endswith("sockexplorer doctor --load can/isotp") for fix in state("AF_CAN/isotp").fix)
    (row,) = doctor("--load", "can/isotp", before=users)
    assert (row["state"], row["loaded"]) == ("available", ["can_isotp"])
    assert "qrtr" not in loaded(), "it was not asked for"
    assert (
        "asking for AF_QIPCRTR/dgram loaded: qrtr"
        in run(sys.executable, "-m", "sockexplorer", "doctor", "--load").stdout
    )


def test_where_no_alias_leads_to_the_module_asking_is_in_vain() -> None:
    """Debian takes the alias of rds away, upstream gives tipc none."""
    unload("AF_RDS/seqpacket", "AF_TIPC/stream")
    for name, alias in (("AF_RDS/seqpacket", "net-pf-21"), ("AF_TIPC/stream", "net-pf-30")):
        evidence = " ".join(state(name).steps[1].evidence)
        assert "failed: EAFNOSUPPORT" in evidence
        assert f"opening it does not load it: modules.alias has no {alias}" in evidence


def test_a_blacklisted_module() -> None:
    unload("AF_QIPCRTR/dgram")
    rule("blacklist qrtr")
    found = state("AF_QIPCRTR/dgram")
    assert found.state == "not-loaded"
    evidence = " ".join(found.steps[1].evidence)
    assert "failed: EAFNOSUPPORT" in evidence, "asking is safe, so it is asked"
    why = "blacklist qrtr (/etc/modprobe.d/doctor-test.conf line 2)"
    assert f"the kernel asks for qrtr (net-pf-42 in modules.alias), in vain: {why}" in evidence
    assert not opens("AF_QIPCRTR/dgram"), "the evidence is true: opening it does not load it"
    assert not any("just open it" in fix for fix in found.fix)
    do(found.fix[0])
    assert state("AF_QIPCRTR/dgram").state == "available"


def test_a_module_in_whose_place_a_command_is_run() -> None:
    unload("AF_CAN/isotp")
    rule("install can-isotp /bin/false")
    found = state("AF_CAN/isotp")
    assert found.state == "switched-off"
    evidence = " ".join(found.steps[1].evidence)
    why = "install can_isotp /bin/false (/etc/modprobe.d/doctor-test.conf line 2)"
    assert f"the kernel asks for can_isotp (can-proto-6 in modules.alias), in vain: {why}" in evidence
    assert not opens("AF_CAN/isotp")
    assert not any("just open it" in fix for fix in found.fix)
    assert run("modprobe", "can_isotp", check=False).returncode != 0, "loading it by name is no fix here"
    do(found.fix[0])
    assert state("AF_CAN/isotp").state == "available"


def test_a_kernel_that_asks_for_no_module() -> None:
    unload("AF_QIPCRTR/dgram")
    switch = Path("/proc/sys/kernel/modprobe")
    usual = switch.read_text()
    switch.write_text("\n")
    try:
        found = state("AF_QIPCRTR/dgram")
        assert found.state == "not-loaded"
        assert "kernel.modprobe is empty: the kernel loads no module by itself" in found.steps[1].evidence
        assert "EAFNOSUPPORT" in found.steps[1].evidence[0]
        do(found.fix[0])
        assert state("AF_QIPCRTR/dgram").state == "available"
    finally:
        switch.write_text(usual)


def test_a_module_that_is_not_installed() -> None:
    unload("AF_CAN/j1939")
    file = MODULES / "kernel/net/can/j1939/can-j1939.ko"
    text = file.read_bytes()
    file.unlink()
    run("depmod")
    try:
        found = state("AF_CAN/j1939")
        assert found.state == "not-in-kernel"
        assert any(line.endswith("has no module can or can_j1939") for line in found.steps[1].evidence)
        assert "CONFIG_CAN_J1939=m (the kernel's configuration)" in found.steps[1].evidence
        assert not any("modprobe" in fix for fix in found.fix)
        assert "linux-modules-extra" in found.fix[0]
    finally:
        file.write_bytes(text)
        run("depmod")
    assert state("AF_CAN/j1939").state == "not-loaded"


def test_what_was_never_built() -> None:
    found = state("AF_NETLINK/netfilter")
    assert found.kernel is False
    assert "CONFIG_NETFILTER_NETLINK is not set (the kernel's configuration)" in found.steps[1].evidence
    assert found.fix[-1] == "boot a kernel built with CONFIG_NETFILTER_NETLINK"


# --- rights ------------------------------------------------------------------------------------------------------

BECOME = f"os.setgroups([]); os.setresgid(*[{NOBODY}] * 3); os.setresuid(*[{NOBODY}] * 3)"


def test_a_right_that_is_missing_and_every_way_to_it(users: tuple[str, ...]) -> None:
    (row,) = doctor("packet/raw", before=users)
    assert row["state"] == "needs-privilege"
    python, kernel, allowed, device = row["steps"]
    assert [each["ok"] for each in (python, kernel, allowed, device)] == [True, True, False, None]
    assert "EPERM" in allowed["evidence"][0]
    assert "CAP_NET_RAW is not in this process's effective set" in allowed["evidence"][1]
    assert not any("setcap" in fix for fix in row["fix"])

    def follow(fix: str, before: tuple[str, ...], user: str) -> dict[str, Any]:
        environment = {**os.environ, "USER": user}
        done = run(*before, "sh", "-c", f"{explorer(fix)} doctor packet/raw --json", check=False, env=environment)
        return dict(json.loads(done.stdout)[0])

    root, ambient, namespace = row["fix"]
    assert follow(root, (), "root")["state"] == "available"
    there = follow(ambient, (), "nobody")
    assert there["state"] == "available"
    assert "CAP_NET_RAW is in this process's effective set" in " ".join(there["evidence"])
    assert follow(namespace, users, "nobody")["steps"][2]["ok"] is True


def test_a_right_in_a_namespace_that_does_not_own_the_network(users: tuple[str, ...]) -> None:
    (row,) = doctor("packet/raw", before=(*users, "unshare", "-r"))
    assert row["state"] == "needs-privilege"
    assert "counts only in the namespace that owns the network" in " ".join(row["evidence"])
    assert "this process is in a user namespace of its own (/proc/self/uid_map)" in row["evidence"]


def test_where_namespaces_are_forbidden_they_are_not_advised(users: tuple[str, ...]) -> None:
    switch = Path("/proc/sys/user/max_user_namespaces")
    usual = switch.read_text()
    switch.write_text("0\n")
    try:
        (row,) = doctor("packet/raw", before=users)
        assert "no user namespace can be made here: user.max_user_namespaces = 0" in row["evidence"]
        assert not any("unshare" in fix for fix in row["fix"])
        assert run(*users, "unshare", "-r", "true", check=False).returncode != 0, "the evidence is true"
    finally:
        switch.write_text(usual)


def test_rights_that_can_not_come_back(users: tuple[str, ...]) -> None:
    (row,) = doctor("packet/raw", before=("setpriv", "--bounding-set=-net_raw"))
    assert row["state"] == "needs-privilege"
    assert "CAP_NET_RAW is not in the bounding set either (CapBnd)" in " ".join(row["evidence"])
    assert any("--cap-add NET_RAW" in fix for fix in row["fix"])
    assert not any("sudo" in fix for fix in row["fix"])
    (row,) = doctor("packet/raw", before=(*users, "--no-new-privs"))
    assert "no_new_privs is set" in " ".join(row["evidence"])
    assert not any("sudo" in fix for fix in row["fix"])


def test_low_ports(users: tuple[str, ...]) -> None:
    switch = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    usual = switch.read_text()
    said = "net.ipv4.ip_unprivileged_port_start ="
    (row,) = doctor("inet/tcp", before=users)
    assert f"{said} 1024: to bind a port below takes CAP_NET_BIND_SERVICE, which this process lacks" in row["evidence"]
    switch.write_text("0\n")
    try:
        (row,) = doctor("inet6/udp", before=users)
        assert f"{said} 0: every port may be bound" in row["evidence"]
    finally:
        switch.write_text(usual)


# --- switches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "switch", "off"),
    [
        ("AF_INET/mptcp", "net/mptcp/enabled", "0"),
        ("AF_INET6/mptcp", "net/mptcp/enabled", "0"),
        ("AF_INET6/udp", "net/ipv6/conf/all/disable_ipv6", "1"),
        ("AF_INET/icmp", "net/ipv4/ping_group_range", "1 0"),
        ("AF_INET6/icmp", "net/ipv4/ping_group_range", "1 0"),
    ],
)
def test_switched_off(name: str, switch: str, off: str) -> None:
    path = Path("/proc/sys", switch)
    usual = path.read_text()
    path.write_text(off)
    try:
        found = state(name)
        assert found.state == "switched-off"
        assert [step.ok for step in found.steps][:3] == [True, True, False]
        assert f"{switch.replace('/', '.')} = {off}" in found.steps[2].evidence
        do(found.fix[0])
        assert state(name).state == "available"
    finally:
        path.write_text(usual)


# --- filters and namespaces --------------------------------------------------------------------------------------

FILTER = """
class Part(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("parts", ctypes.POINTER(Part))]
# Is it socket(), 41 on x86-64, with this family as its first argument? Then this errno, else as usual.
parts = (Part * 6)((0x20, 0, 0, 0), (0x15, 0, 3, 41), (0x20, 0, 0, 16), (0x15, 0, 1, FAMILY),
                   (0x06, 0, 0, 0x00050000 | ERRNO), (0x06, 0, 0, 0x7FFF0000))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, ctypes.byref(Program(6, parts)), 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP
"""


@pytest.mark.parametrize("code", [1, 13, 97], ids=["EPERM", "EACCES", "EAFNOSUPPORT"])
@pytest.mark.parametrize(("name", "family"), [("AF_TIPC/rdm", 30), ("AF_PACKET/raw", 17)])
def test_a_filter_that_answers_in_the_kernels_place(name: str, family: int, code: int) -> None:
    found = child(FILTER.replace("FAMILY", str(family)).replace("ERRNO", str(code)), name)
    assert found.state == "switched-off"
    assert found.usable is False
    assert "a seccomp filter is on this process (Seccomp: 2 in /proc/self/status)" in found.steps[2].evidence
    assert found.fix[0].startswith("start it where the filter is not")
    assert state(name).state == "available"


def test_a_filter_is_not_blamed_for_a_right_that_is_missing() -> None:
    found = child(FILTER.replace("FAMILY", "30").replace("ERRNO", "1") + BECOME, "AF_PACKET/raw")
    assert found.state == "needs-privilege"
    let_through = child(FILTER.replace("FAMILY", "30").replace("ERRNO", "1"), "AF_PACKET/raw")
    assert let_through.state == "available"
    assert any("lets this through" in line for line in let_through.steps[2].evidence)


OWN_NETWORK = "assert ctypes.CDLL(None).unshare(0x40000000) == 0"  # CLONE_NEWNET


def test_bluetooth_in_a_network_namespace() -> None:
    found = child(OWN_NETWORK, "AF_BLUETOOTH/l2cap")
    assert (found.kernel, found.usable) == (True, False)
    assert "L2CAP is in /proc/net/protocols: the kernel has it" in found.steps[1].evidence
    assert any("first network namespace only, and this one is another" in line for line in found.steps[2].evidence)
    assert found.state == ("switched-off" if found.python else "not-in-python")
    fix = next(fix for fix in found.fix if "nsenter" in fix)
    done = run("unshare", "-n", "sh", "-c", f"{explorer(fix)} doctor bluetooth/l2cap --json", check=False)
    (row,) = json.loads(done.stdout)
    assert row["steps"][2]["ok"] is True


# --- devices -----------------------------------------------------------------------------------------------------


def test_no_can_interface() -> None:
    """In a network of its own, for a device that a socket once used may take long to go."""
    found = child(OWN_NETWORK, "AF_CAN/raw")
    assert (found.state, [step.ok for step in found.steps]) == ("no-device", [True, True, True, False])
    made = child(f"{OWN_NETWORK}; {system(found.fix[0])}", "AF_CAN/raw")
    assert (made.state, made.steps[3].evidence) == ("available", ("CAN interfaces that are up: vcan0",))


def test_a_can_interface_that_is_down() -> None:
    there = f"{OWN_NETWORK}; assert os.system('ip link add can7 type vcan') == 0"
    found = child(there, "AF_CAN/j1939")
    assert (found.state, found.steps[3].evidence) == ("no-device", ("can7 is a CAN interface, but down",))
    assert child(f"{there}; {system(found.fix[0])}", "AF_CAN/j1939").state == "available"


def test_vsock_without_a_transport() -> None:
    unload("AF_VSOCK/stream")
    run("modprobe", "vsock")
    found = state("AF_VSOCK/stream")
    assert (found.state, found.steps[3].ok) == ("no-device", False)
    assert "own context id none (/dev/vsock)" in found.steps[3].evidence
    assert not any("vhost_vsock" in fix for fix in found.fix), "this kernel has no such module"
    do(found.fix[0])
    again = state("AF_VSOCK/stream")
    assert again.state == "available"
    assert "a transport reaches this machine itself (bind to CID 1 succeeded)" in again.steps[3].evidence


def test_bluetooth_without_a_controller() -> None:
    found = state("AF_BLUETOOTH/rfcomm")
    assert found.steps[3].ok is False
    assert found.state == ("no-device" if found.python else "not-in-python")
    assert "plug one in" in found.fix
    assert not any("btusb" in fix for fix in found.fix), "this kernel has no such module"
    with vhci.controllers(1):
        found = state("AF_BLUETOOTH/rfcomm")
        assert (found.steps[3].ok, found.steps[3].evidence) == (True, ("controllers in /sys/class/bluetooth: hci0",))
        assert found.state == ("available" if found.python else "not-in-python")


def test_a_network_without_an_interface_that_is_up() -> None:
    down = child(OWN_NETWORK, "AF_INET/udp")
    assert (down.state, down.fix) == ("no-device", ("sudo ip link set lo up",))
    up = child(f"{OWN_NETWORK}; {system(down.fix[0])}", "AF_INET/udp")
    assert (up.state, up.steps[3].evidence) == ("available", ("interfaces that are up: lo",))
