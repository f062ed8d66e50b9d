"""What modprobe would load for a name, from tables and configuration as they lie on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockexplorer.engine.host_facts import HostFacts
from sockexplorer.engine.host_modules import Asking, Modules
from sockexplorer.engine.probe_modules import requested
from sockexplorer.engine.probe_refusals import missing_module

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
    asking = modules(root).asks(["net-pf-30"])
    assert asking.modules == loads
    assert evidence in " ".join(asking.evidence)


def test_a_file_of_the_administrators_hides_the_distributions(root: Path) -> None:
    write(root, "/lib/modprobe.d/tipc.conf", "blacklist tipc\n")
    assert modules(root).asks(["net-pf-30"]).modules == ()
    write(root, "/etc/modprobe.d/tipc.conf", "# allowed here\n")
    assert modules(root).asks(["net-pf-30"]).modules == ("tipc",)


def test_without_the_tables_nothing_is_told(tmp_path: Path) -> None:
    write(tmp_path, "/proc/modules", "can 20480 0 - Live 0x0\n")
    asking = modules(tmp_path).asks(["net-pf-30"])
    assert not asking.known
    assert f"{HERE} is not here" in asking.evidence[0]


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
    asking = modules(root).asks(["net-pf-30"])
    assert asking.evidence
    assert "\x1b" not in "".join(asking.evidence)
