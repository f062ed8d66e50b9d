"""The probe against the kernel that runs the tests."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support import descriptors

from sockexplorer.core.capability import WORDS, Capability
from sockexplorer.core.constant_table import by_name
from sockexplorer.core.constants import number
from sockexplorer.engine import probe_options
from sockexplorer.engine.probe import probe, probe_protocols
from sockexplorer.engine.probe_constants import probe_constants
from sockexplorer.engine.probe_homes import Home
from sockexplorer.families import all_families

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel asked is Linux")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root, or make a network namespace")


@pytest.fixture(scope="module")
def protocols() -> dict[str, Capability]:
    return {each.name: each for each in probe_protocols()}


@pytest.fixture(scope="module")
def constants(protocols: dict[str, Capability]) -> dict[str, Capability]:
    return {each.name: each for each in probe_constants(list(protocols.values()))}


def opens(family: int, kind: int, proto: int) -> int:
    try:
        socket.socket(family, kind, proto).close()
    except OSError as error:
        return error.errno or 0
    return 0


# --- protocols -------------------------------------------------------------------------------------------------


def test_every_declared_protocol_is_there_once(protocols: dict[str, Capability]) -> None:
    declared = [f"{family.constant}/{each.name}" for family in all_families() for each in family.protocols]
    assert list(protocols) == declared


def test_usable_is_what_socket_says(protocols: dict[str, Capability]) -> None:
    for family in all_families():
        for each in family.protocols:
            found = protocols[f"{family.constant}/{each.name}"]
            try:
                numbers = number(family.constant), number(each.type), number(each.proto)
            except KeyError:
                assert found.state in ("other-os", "not-in-python")
                continue
            if found.state == "other-os":
                continue
            code = opens(*numbers)
            if found.state == "available":
                assert code == 0, found
            if code in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
                assert found.usable is not True, found
                assert found.state in ("not-in-kernel", "not-loaded", "switched-off", "not-in-python"), found
            if code in (errno.EPERM, errno.EACCES):
                assert found.state in ("needs-privilege", "switched-off", "not-in-python"), found


def test_udp_is_available_with_proof(protocols: dict[str, Capability]) -> None:
    found = protocols["AF_INET/udp"]
    assert (found.python, found.kernel, found.usable, found.state) == (True, True, True, "available")
    (python, has), (kernel, proof), (allowed, _), (device, there) = ((s.ok, s.evidence) for s in found.steps)
    assert (python, kernel, allowed, device) == (True, True, True, True)
    assert has[0].endswith("has AF_INET = 2, SOCK_DGRAM = 2, IPPROTO_UDP = 17")
    assert proof[0] == "socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) succeeded"
    assert "interfaces that are up" in there[0]
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip()
    assert any(f"net.ipv4.ip_unprivileged_port_start = {first}" in line for line in found.evidence)
    assert found.fix == ()
    assert found.value == "2"


def test_a_protocol_without_name_in_python_is_asked_by_number(protocols: dict[str, Capability]) -> None:
    found = protocols["AF_NETLINK/generic"]
    assert found.python is hasattr(socket, "NETLINK_GENERIC")
    assert found.kernel is (opens(16, socket.SOCK_RAW, 16) == 0)
    if not found.python:
        assert any("no socket.NETLINK_GENERIC" in line for line in found.evidence)
        assert "use the number 16" in found.fix


def test_a_family_that_python_lacks_is_asked_and_opened_by_number(
    protocols: dict[str, Capability], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "AF_VSOCK")
    found = {each.name: each for each in probe_protocols()}["AF_VSOCK/stream"]
    whole = protocols["AF_VSOCK/stream"]
    assert (found.python, found.value, found.kernel, found.usable) == (False, "40", whole.kernel, whole.usable)
    if whole.kernel:
        assert found.state == "not-in-python"
        assert found.words == "not in this Python, but by number"
        assert any("by number" in line for line in found.fix)
    else:
        assert found.state == whole.state
    assert any(line.startswith("socket(AF_VSOCK, SOCK_STREAM, 0)") for line in found.evidence)
    assert any("opens it by number" in line for line in found.evidence)


def test_an_unexpected_error_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", broken)
    report = probe()
    udp = report["protocols"][0]
    assert udp["state"] == "unknown"
    assert udp["steps"][1][1][0] == "socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) failed: EMFILE Too many open files"


# --- constants -------------------------------------------------------------------------------------------------


def test_every_constant_of_socket_is_reported_with_its_value(constants: dict[str, Capability]) -> None:
    names = [name for name in dir(socket) if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)]
    names = [name for name in names if isinstance(getattr(socket, name), int | str)]
    assert len(names) > 200
    for name in names:
        value = getattr(socket, name)
        assert constants[name].python is True, name
        assert constants[name].value == (str(int(value)) if isinstance(value, int) else value), name
        assert constants[name].state not in ("not-in-python", "other-os"), name


def test_what_python_lacks_is_said_so(constants: dict[str, Capability]) -> None:
    for name, row in by_name().items():
        if not hasattr(socket, name):
            found = constants[name]
            assert found.python is False
            others = bool(row.platforms) and "Linux" not in row.platforms
            assert found.state == ("other-os" if others else "not-in-python"), name
            assert found.evidence, name


def test_states_and_evidence_agree(constants: dict[str, Capability], protocols: dict[str, Capability]) -> None:
    for found in (*constants.values(), *protocols.values()):
        assert found.state in WORDS
        assert found.evidence, found
        assert all(found.evidence), found
        assert not (found.state == "available" and found.kernel is False), found
        assert not (found.state == "available" and found.usable is False), found
        assert not any("setcap" in line for line in found.fix), found


def test_an_option_is_available_only_with_proof(constants: dict[str, Capability]) -> None:
    with socket.socket() as asking:
        asking.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    found = constants["TCP_INFO"]
    assert (found.state, found.kernel) == ("available", True)
    assert found.steps[0].evidence == (f"socket.TCP_INFO = {socket.TCP_INFO}",)
    assert "getsockopt(IPPROTO_TCP, TCP_INFO)" in found.steps[1].evidence[0]


def test_no_answer_is_no_proof_of_absence(constants: dict[str, Capability]) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking, pytest.raises(OSError, match=r".") as error:
        asking.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_NEXTHOP, 256)
    assert error.value.errno == errno.ENOPROTOOPT
    found = constants["IPV6_NEXTHOP"]
    assert (found.state, found.kernel) == ("unknown", None)
    assert any("set-only options" in line for line in found.evidence)


def test_membership_is_proven_without_joining(constants: dict[str, Capability]) -> None:
    for name in ("IP_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"):
        assert (constants[name].state, constants[name].kernel) == ("available", True)
        assert "setsockopt" in constants[name].steps[1].evidence[0]


def test_an_option_that_nobody_knows_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "TCP_NEVER_HEARD_OF", 0x7FFD, raising=False)
    home = Home("<x.h>", level="IPPROTO_TCP", ask=("tcp",))
    with probe_options.Asker() as asker:
        assert asker.ask("TCP_NEVER_HEARD_OF", 0x7FFD, home).state == "unknown"
        assert asker.ask("TCP_NODELAY", 1, home).state == "available"


def test_a_kernel_that_answers_anything_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_options, "_get", lambda *_: errno.EINVAL)
    home = Home("<x.h>", level="IPPROTO_TCP", ask=("tcp",))
    with probe_options.Asker() as asker:
        assert asker.ask("TCP_NODELAY", 1, home).state == "unknown"


def test_a_number_of_programs_needs_no_kernel(constants: dict[str, Capability]) -> None:
    found = constants["AI_PASSIVE"]
    assert (found.state, found.python, found.kernel) == ("available", True, None)
    assert found.steps[1].evidence == ("a number of <netdb.h>; nothing in the kernel to ask",)
    assert found.mark(found.steps[1]) == "–"


def test_constants_follow_their_family(constants: dict[str, Capability]) -> None:
    if opens(29, socket.SOCK_RAW, 1) != errno.EAFNOSUPPORT:
        pytest.skip("this kernel has AF_CAN")
    family = constants["AF_CAN"]
    for name in ("CAN_RAW", "CAN_RAW_FILTER", "CAN_BCM_TX_SEND", "J1939_NO_ADDR", "SCM_J1939_PRIO"):
        found = constants[name]
        assert found.state == family.state
        assert found.kernel is family.kernel
        assert set(family.evidence) & set(found.evidence)
        assert found.fix == family.fix


def test_a_missing_name_of_a_known_number_can_be_used_by_number(constants: dict[str, Capability]) -> None:
    if hasattr(socket, "IP_RECVERR"):
        pytest.skip("this Python has IP_RECVERR")
    found = constants["IP_RECVERR"]
    assert (found.state, found.python, found.kernel, found.value) == ("not-in-python", False, True, "11")
    assert "use the number 11" in found.fix
    assert any("3.14" in line for line in found.fix)


# --- the whole -------------------------------------------------------------------------------------------------


def capabilities(report: str) -> list[Capability]:
    """The protocols and the constants of a report in JSON."""
    read = json.loads(report)
    return [Capability.from_json(each) for part in ("protocols", "constants") for each in read[part]]


def test_the_report_is_json_and_can_be_read_back() -> None:
    report = probe()
    found = capabilities(json.dumps(report))
    assert json.dumps([each.to_json() for each in found]) == json.dumps([*report["protocols"], *report["constants"]])


def test_no_descriptor_stays_open() -> None:
    probe()
    before = descriptors(os.getpid())
    probe()
    assert descriptors(os.getpid()) == before


def in_a_child(prepare: str) -> dict[str, Capability]:
    """The report of a new process that changes itself by ``prepare`` once it has read what others may not read."""
    code = f"import ctypes, json, os, pathlib\nfrom sockexplorer.engine.probe import probe\nprobe()\n{prepare}\n"
    code += "print(json.dumps(probe()))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return {each.name: each for each in capabilities(ran.stdout)}


BECOME_NOBODY = "os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)"


@root_only
def test_an_unprivileged_user_needs_a_right() -> None:
    found = in_a_child(BECOME_NOBODY)
    for name in ("AF_PACKET/raw", "AF_INET/raw"):
        each = found[name]
        assert (each.state, each.kernel, each.usable) == ("needs-privilege", True, False)
        assert "EPERM" in each.steps[2].evidence[0]
        assert any(line.startswith("CAP_NET_RAW is not in") for line in each.steps[2].evidence)
        assert any("sudo" in line for line in each.fix)
    assert found["AF_PACKET"].state == "needs-privilege"
    assert found["PACKET_HOST"].state == "needs-privilege"
    assert found["IPPROTO_GRE"].state == "needs-privilege"
    assert found["IP_HDRINCL"].state == "needs-privilege"
    assert found["AF_INET/udp"].state == "available"
    assert any("CAP_NET_BIND_SERVICE, which this process lacks" in line for line in found["AF_INET/udp"].evidence)


OWN_NETWORK = "assert ctypes.CDLL(None).unshare(0x40000000) == 0"  # CLONE_NEWNET


def own_network(**switches: str) -> str:
    """Code that enters a new network namespace and sets sysctls there, which leaves this host's alone."""
    paths = {f"/proc/sys/{name.replace('__', '/')}": value for name, value in switches.items()}
    return "\n".join((OWN_NETWORK, *(f"pathlib.Path({path!r}).write_text({value!r})" for path, value in paths.items())))


def can_make_networks() -> bool:
    ran = subprocess.run([sys.executable, "-c", f"import ctypes; {OWN_NETWORK}"], capture_output=True, check=False)
    return ran.returncode == 0


@root_only
def test_switches_are_seen() -> None:
    if not can_make_networks():
        pytest.skip("no network namespace can be made here")
    if not Path("/proc/sys/net/mptcp/enabled").exists() or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this kernel has no MPTCP or no IPv6")
    found = in_a_child(
        own_network(
            net__mptcp__enabled="0",
            net__ipv6__conf__all__disable_ipv6="1",
            net__ipv4__ping_group_range="0 2147483647",
        )
    )
    mptcp = found["AF_INET/mptcp"]
    assert mptcp.state == "switched-off"
    assert "net.mptcp.enabled = 0" in mptcp.steps[2].evidence
    assert mptcp.fix == ("sudo sysctl net.mptcp.enabled=1",)
    ipv6 = found["AF_INET6/udp"]
    assert ipv6.state == "switched-off"
    assert "net.ipv6.conf.all.disable_ipv6 = 1" in ipv6.steps[2].evidence
    icmp = found["AF_INET/icmp"]
    assert (icmp.usable, icmp.state) == (True, "no-device"), "nothing is up in a new network"
    assert icmp.fix == ("sudo ip link set lo up",)


@root_only
def test_the_ping_range_is_told() -> None:
    if not can_make_networks():
        pytest.skip("no network namespace can be made here")
    nobody = in_a_child(own_network(net__ipv4__ping_group_range="1 0"))["AF_INET/icmp"]
    assert nobody.state == "switched-off"
    others = in_a_child(own_network(net__ipv4__ping_group_range="4000 4001"))["AF_INET/icmp"]
    assert others.state == "needs-privilege"
    assert "net.ipv4.ping_group_range = 4000 4001" in others.evidence


def test_the_engine_side_needs_the_standard_library_only() -> None:
    code = (
        "import sys; from sockexplorer.engine.probe import probe; probe(); "
        "print([n for n in ('textual', 'rich', 'psutil', 'click', 'lark') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
