"""What modprobe would load for a name, from tables and configuration as they lie on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.host_modules import Asking, Modules
from sockexplorer.engine.probe_modules import asking, requested
from sockexplorer.engine.probe_refusals import algorithms, missing_module, not_asked
from sockexplorer.families import family as find_family

HERE = "/lib/modules/6.12-test"
DEP = """kernel/net/can/can.ko.xz:
kernel/net/can/can-raw.ko.xz: kernel/net/can/can.ko.xz
kernel/net/tipc/tipc.ko:
kernel/net/vmw_vsock/vsock_loopback.ko:
kernel/net/vmw_vsock/hv_sock.ko:
"""
ALIAS = """alias net-pf-30 tipc
alias net-pf-29 can
alias can-proto-1 can-raw
alias net-pf-40 vsock_loopback
alias net-pf-40 hv_sock
alias usb:v1 hub
"""


def write(root: Path, path: str, text: str) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "/proc/modules", "can 20480 0 - Live 0x0\n")
    write(tmp_path, f"{HERE}/modules.dep", DEP)
    write(tmp_path, f"{HERE}/modules.builtin", "kernel/net/ipv6/ipv6.ko\n")
    write(tmp_path, f"{HERE}/modules.alias", ALIAS)
    return tmp_path


def modules(root: Path) -> Modules:
    return HostFacts(str(root), "6.12-test").modules


def test_the_tables(root: Path) -> None:
    found = modules(root)
    assert found.possible
    assert found.loaded == {"can"}
    assert found.files["can_raw"] == "kernel/net/can/can-raw.ko.xz"
    assert found.built_in == {"ipv6"}
    assert found.aliases == {
        "net-pf-30": ("tipc",), "net-pf-29": ("can",), "can-proto-1": ("can_raw",),
        "net-pf-40": ("vsock_loopback", "hv_sock"),
    }  # fmt: skip


def test_what_a_socket_would_load(root: Path) -> None:
    found = modules(root)
    assert found.asks(requested(30, 1, 0)).modules == ("tipc",)
    assert found.asks(requested(40, 1, 0)).modules == ("vsock_loopback", "hv_sock"), "all that answer to the name"
    assert found.asks(requested(29, 3, 1)).modules == ("can_raw",), "can is loaded"
    assert found.asks(requested(29, 2, 6)) == Asking(), "no file, no alias"
    assert found.asks(requested(5, 1, 0)) == Asking()


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        (2, ("net-pf-2", "net-pf-2-proto-132-type-1", "net-pf-2-proto-132")),
        (10, ("net-pf-10", "net-pf-10-proto-132-type-1", "net-pf-10-proto-132")),
        (16, ("net-pf-16", "net-pf-16-proto-132")),
        (29, ("net-pf-29", "can-proto-132")),
        (31, ("net-pf-31", "bt-proto-132")),
        (42, ("net-pf-42",)),
    ],
)
def test_the_names_that_the_kernel_asks_for(domain: int, names: tuple[str, ...]) -> None:
    assert requested(domain, 1, 132) == names


@pytest.mark.parametrize(
    ("path", "text", "loads", "evidence"),
    [
        ("/etc/modprobe.d/a.conf", "# why\nblacklist tipc\n", (), "blacklist tipc (/etc/modprobe.d/a.conf line 2)"),
        ("/run/modprobe.d/a.conf", "install tipc /bin/false\n", (), "install tipc /bin/false (/run/modprobe.d/a.conf"),
        ("/usr/lib/modprobe.d/a.conf", "install tipc \\\n  /bin/true\n", (), "(/usr/lib/modprobe.d/a.conf line 1)"),
        ("/lib/modprobe.d/a.conf", "alias net-pf-30 off\n", (), ""),
        ("/lib/modprobe.d/a.conf", "alias net-pf-* can-raw\n", ("can_raw",), "alias net_pf_* can-raw (/lib/modprobe.d"),
        ("/etc/modprobe.d/a.conf", "install tipc modprobe -i tipc && logger tipc\n", ("tipc",), "net-pf-30 in"),
        ("/etc/modprobe.d/a.disabled", "blacklist tipc\n", ("tipc",), "net-pf-30 in modules.alias"),
        ("/proc/cmdline", "quiet modprobe.blacklist=can,tipc\n", (), "modprobe.blacklist=tipc (/proc/cmdline)"),
        ("/proc/cmdline", "module_blacklist=tipc\n", (), "module_blacklist=tipc (/proc/cmdline)"),
        ("/proc/sys/kernel/modprobe", "\n", (), "kernel.modprobe is empty"),
        ("/proc/sys/kernel/modules_disabled", "1\n", (), "kernel.modules_disabled = 1"),
    ],
)
def test_what_stands_in_the_way(root: Path, path: str, text: str, loads: tuple[str, ...], evidence: str) -> None:
    write(root, path, text)
    would = modules(root).asks(["net-pf-30"])
    assert would.modules == loads
    assert evidence in " ".join(would.evidence)


def test_a_file_of_the_administrators_hides_the_distributions(root: Path) -> None:
    write(root, "/lib/modprobe.d/tipc.conf", "blacklist tipc\n")
    assert modules(root).asks(["net-pf-30"]).modules == ()
    write(root, "/etc/modprobe.d/tipc.conf", "# allowed here\n")
    assert modules(root).asks(["net-pf-30"]).modules == ("tipc",)


def test_without_the_tables_nothing_is_told(tmp_path: Path) -> None:
    write(tmp_path, "/proc/modules", "can 20480 0 - Live 0x0\n")
    would = modules(tmp_path).asks(["net-pf-30"])
    assert not would.known
    assert f"{HERE} is not here" in would.evidence[0]


def test_the_fix_goes_around_what_stands_in_the_way(root: Path) -> None:
    def fix() -> tuple[str, ...]:
        found = missing_module(("tipc",), HostFacts(str(root), "6.12-test"))
        assert found is not None
        return (found.state, *found.fix)

    assert fix() == ("not-loaded", "sudo modprobe tipc")
    write(root, "/etc/modprobe.d/a.conf", "blacklist tipc\n")
    assert fix() == ("not-loaded", "sudo modprobe tipc")
    write(root, "/etc/modprobe.d/a.conf", "install tipc /bin/false\n")
    assert fix()[:2] == ("switched-off", "sudo modprobe --ignore-install tipc")
    write(root, "/proc/cmdline", "module_blacklist=tipc\n")
    assert fix() == ("switched-off", "boot without module_blacklist=tipc")


def test_names_from_files_can_not_act_on_the_terminal(root: Path) -> None:
    write(root, "/etc/modprobe.d/\x1b[31m.conf", "install tipc /bin/false \x1b[2J\n")
    would = modules(root).asks(["net-pf-30"])
    assert would.evidence
    assert "\x1b" not in "".join(would.evidence)


# --- what is not asked, or not told by socket() ------------------------------------------------------------------


def test_in_a_container_nothing_is_loaded_on_its_host(tmp_path: Path) -> None:
    """The kernel's modprobe runs on the host, whose modules are not to be seen here: what it would load is unknown."""
    write(tmp_path, "/proc/modules", "veth 20480 0 - Live 0x0\n")
    write(tmp_path, "/proc/net/protocols", "protocol  size sockets\nUDP 1 1\n")
    facts = HostFacts(str(tmp_path), "6.12-test")
    can = find_family("AF_CAN")
    raw = can.protocol("raw")
    would = asking("AF_CAN", (29, 3, 1), "CAN_RAW", facts)
    assert not would.known
    found = not_asked(can, raw, would, facts)
    assert (found.state, found.kernel) == ("unknown", None)
    assert "it is not in /proc/net/protocols" in found.evidence
    assert found.fix[0] == "on the host of the container: sudo modprobe can_raw"
    assert found.fix[1].endswith("sockexplorer doctor --load can/raw")
    assert asking("AF_INET", (2, 2, 17), "IPPROTO_UDP", facts).known, "what the kernel has may be asked for"
    for built, state in (("CONFIG_CAN=m", "not-loaded"), ("# CONFIG_CAN is not set", "not-in-kernel")):
        write(tmp_path, "/boot/config-6.12-test", f"{built}\n")
        assert not_asked(can, raw, would, HostFacts(str(tmp_path), "6.12-test")).state == state


@pytest.mark.parametrize(
    ("option", "files", "state"),
    [
        ("=y", "", None),
        ("=m", "kernel/crypto/algif_rng.ko:\n", "not-loaded"),
        (" is not set", "", "not-in-kernel"),
        ("=m", "", None),
    ],
)
def test_a_type_of_algorithm(tmp_path: Path, option: str, files: str, state: str | None) -> None:
    """socket(AF_ALG) says nothing of the types, and bind() would load what is missing."""
    name = "CONFIG_CRYPTO_USER_API_RNG"
    write(tmp_path, "/proc/modules", "")
    write(tmp_path, f"{HERE}/modules.dep", files)
    write(tmp_path, "/boot/config-6.12-test", f"{'# ' if option.startswith(' ') else ''}{name}{option}\n")
    found = algorithms(find_family("AF_ALG").protocol("rng"), HostFacts(str(tmp_path), "6.12-test"))
    assert (found.state if found is not None else None) == state
    if state == "not-loaded":
        assert found is not None
        assert found.fix == ("sudo modprobe algif_rng",)
