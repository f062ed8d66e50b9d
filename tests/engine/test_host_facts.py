"""Host facts read from a tree of files as ``/proc`` and ``/lib/modules`` have them, and from this host."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

from sockexplorer.core.advice import rights
from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.host_modules import Asking
from sockexplorer.engine.probe_refusals import absent, missing_module
from sockexplorer.engine.probe_rights import fitting

STATUS = "Name:\tpython\nCapEff:\t0000000000002000\nSeccomp:\t2\n"


def write(root: Path, path: str, text: str | bytes) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    modules = "/lib/modules/6.12-test"
    write(tmp_path, "/proc/modules", "can_raw 20480 0 - Live 0x0\nnf_tables 4096 0 - Live 0x0\n")
    write(
        tmp_path,
        f"{modules}/modules.dep",
        "kernel/net/can/can.ko.xz:\nkernel/net/can/can-raw.ko.xz: kernel/net/can/can.ko.xz\nkernel/net/tipc/tipc.ko:\n",
    )
    write(tmp_path, f"{modules}/modules.builtin", "kernel/net/ipv6/ipv6.ko\n")
    write(tmp_path, f"{modules}/modules.alias", "alias net-pf-30 tipc\nalias net-pf-29 can\nalias usb:v1 hub\n")
    write(tmp_path, "/proc/self/status", STATUS)
    write(tmp_path, "/proc/sys/net/ipv4/ping_group_range", "0\t2147483647\n")
    config = "CONFIG_NET=y\n# CONFIG_X25 is not set\nCONFIG_TIPC=m\n"
    compress = zlib.compressobj(wbits=31)
    write(tmp_path, "/proc/config.gz", compress.compress(config.encode()) + compress.flush())
    return tmp_path


def facts(root: Path) -> HostFacts:
    return HostFacts(str(root), "6.12-test")


def test_locked_modules_are_never_loaded(root: Path) -> None:
    write(root, "/proc/sys/kernel/modules_disabled", "1\n")
    found = facts(root)
    assert found.modules.asks(["net-pf-30"]).modules == ()
    missing = missing_module(("tipc",), found)
    assert missing is not None
    assert missing.state == "not-loaded"
    assert "modprobe" not in " ".join(missing.fix)


def test_the_process_and_the_kernel(root: Path) -> None:
    found = facts(root)
    assert found.has_capability("CAP_NET_RAW") is True
    assert found.has_capability("CAP_NET_ADMIN") is False
    assert found.has_capability("CAP_UNHEARD_OF") is None
    assert found.filtered
    assert found.sysctl("net.ipv4.ping_group_range") == "0 2147483647"
    assert found.sysctl("net.no.such") is None
    assert [found.option(f"CONFIG_{name}") for name in ("NET", "X25", "TIPC", "UNKNOWN")] == ["y", "n", "m", "n"]


def test_nothing_to_read_is_an_answer(tmp_path: Path) -> None:
    found = HostFacts(str(tmp_path), "none")
    assert not found.modules.possible
    assert found.protocols is None
    assert found.in_user_namespace is None
    assert found.in_first_network is None
    assert not found.filtered
    assert found.option("CONFIG_NET") is None
    assert found.has_capability("CAP_NET_RAW") is None
    assert found.modules.asks(["net-pf-30"]) == Asking()


def test_a_module_that_is_on_disk_is_not_loaded(root: Path) -> None:
    found = absent("AF_TIPC", "0", ("tipc",), facts(root), whole_family=True)
    assert found.state == "not-loaded"
    assert found.fix == ("sudo modprobe tipc",)
    assert any("kernel/net/tipc/tipc.ko" in line for line in found.evidence)


def test_only_what_is_missing_is_to_be_loaded(root: Path) -> None:
    found = missing_module(("can", "can_raw"), facts(root))
    assert found is not None
    assert found.fix == ("sudo modprobe can",)


def test_a_family_without_module_is_not_in_the_kernel(root: Path) -> None:
    found = absent("AF_X25", "0", ("x25",), facts(root), whole_family=True)
    assert found.state == "not-in-kernel"
    assert "CONFIG_X25 is not set (the kernel's configuration)" in found.evidence
    assert found.fix == ("boot a kernel built with CONFIG_X25",)


def test_a_filter_answers_for_a_family_that_the_kernel_has(root: Path) -> None:
    found = absent("AF_NFTEST", "0", ("nf_tables",), facts(root), whole_family=True)
    assert found.state == "switched-off"
    assert any("seccomp" in line for line in found.allowed)


def test_what_linux_removed_is_told(tmp_path: Path) -> None:
    """Linux 7.1 can't be run here: only the release and the answer are its own."""
    for proto, name, last, first in (("IPPROTO_UDPLITE", "UDP-Lite", "7.0.9", "7.1.0-rc1"),
                                     ("IPPROTO_DCCP", "DCCP", "6.15.2", "6.16")):  # fmt: skip
        found = absent("AF_INET", proto, ("x",), HostFacts(str(tmp_path), first), whole_family=False)
        assert found.state == "not-in-kernel"
        assert any(f"later have no {name}; this is {first}" in line for line in found.evidence)
        assert found.fix[0].startswith("boot a kernel before Linux")
        before = absent("AF_INET", proto, ("x",), HostFacts(str(tmp_path), last), whole_family=False)
        assert not any("later have no" in line for line in before.evidence)


def test_rights_that_can_not_be_had_are_not_advised(root: Path) -> None:
    fixes = rights("CAP_NET_RAW")
    write(root, "/proc/self/uid_map", "0 0 4294967295\n")
    write(root, "/proc/self/status", "CapEff:\t0\nCapBnd:\t2000\nNoNewPrivs:\t0\n")
    assert fitting(fixes, "CAP_NET_RAW", facts(root)) == ((), fixes)
    write(root, "/proc/self/status", "CapEff:\t0\nCapBnd:\t2000\nNoNewPrivs:\t1\n")
    evidence, left = fitting(fixes, "CAP_NET_RAW", facts(root))
    assert "no_new_privs" in evidence[0]
    assert not any("sudo" in each for each in left)
    write(root, "/proc/self/status", "CapEff:\t0\nCapBnd:\t0\nNoNewPrivs:\t0\n")
    write(root, "/proc/sys/user/max_user_namespaces", "0\n")
    evidence, left = fitting(fixes, "CAP_NET_RAW", facts(root))
    assert any("bounding set" in each for each in evidence)
    assert any("max_user_namespaces = 0" in each for each in evidence)
    assert any("--cap-add NET_RAW" in each for each in left)
    assert not any("sudo" in each or "unshare" in each for each in left)


def test_a_container_sends_to_the_host(tmp_path: Path) -> None:
    write(tmp_path, "/proc/modules", "")
    found = absent("AF_CAN", "0", ("can",), HostFacts(str(tmp_path), "6.12-test"), whole_family=True)
    assert found.state == "not-in-kernel"
    assert found.fix[0] == "on the host of the container: sudo modprobe can"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_this_host() -> None:
    found = HostFacts()
    assert found.release == os.uname().release
    assert found.has_capability("CAP_NET_RAW") is not None
    assert os.getegid() in found.groups
