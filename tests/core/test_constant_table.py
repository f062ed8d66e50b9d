"""The table of constants against the running ``socket`` module, which is the truth."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest

from sockexplorer.core.constant_table import OTHER, Constant, by_name, everything, is_constant, table


def constants_of_socket() -> dict[str, int | str]:
    return {
        name: value
        for name, value in vars(socket).items()
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and isinstance(value, int | str)
    }


def test_names_are_unique_and_rows_are_whole() -> None:
    names = [row.name for row in table()]
    assert len(names) == len(set(names))
    assert len(names) == 611
    for row in table():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]+", row.name)
        assert row.group
        assert (2, 7) <= row.first <= (3, 15)
        assert set(row.platforms) <= {"Linux", "macOS", "Windows", "BSD"}
        assert row.value == row.value.strip()
        assert not row.name.isupper() or is_constant(row.name) == hasattr(socket, row.name)


def test_rows_of_a_group_stand_together() -> None:
    groups = [row.group for row in table()]
    starts = [group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group]
    assert len(starts) == len(set(starts))


@pytest.mark.skipif(sys.platform != "linux", reason="the table's values are those of Linux")
def test_values_are_those_of_this_python() -> None:
    differing = {
        row.name: (row.value, getattr(socket, row.name))
        for row in table()
        if row.value and isinstance(getattr(socket, row.name, None), int)
        if row.value != str(int(getattr(socket, row.name)))
    }
    # glibc raised the limit from 128 to 4096 in 2.32; the rest is the kernel's ABI.
    differing.pop("SOMAXCONN", None)
    assert differing == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have constants that the table gives to Linux alone")
def test_what_this_python_has_is_old_enough_and_of_this_system() -> None:
    for row in table():
        if hasattr(socket, row.name):
            assert row.first <= sys.version_info[:2], row
            assert "Linux" in row.platforms, row
            assert row.value, row


def test_everything_has_all_of_socket() -> None:
    listed = {row.name: row for row in everything()}
    assert set(constants_of_socket()) <= set(listed)
    assert len(listed) == len(everything())
    assert set(by_name()) <= set(listed)


def test_a_constant_that_the_table_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "IPV6_BRAND_NEW", 99, raising=False)
    monkeypatch.setattr(socket, "BRAND_NEW", "text", raising=False)
    monkeypatch.setattr(socket, "_PRIVATE", 1, raising=False)
    everything.cache_clear()
    try:
        found = {row.name: row for row in everything() if not row.listed}
    finally:
        everything.cache_clear()
    assert found["IPV6_BRAND_NEW"] == Constant(
        "IPV6_BRAND_NEW", by_name()["IPV6_V6ONLY"].group, (2, 7), None, (), "99", listed=False
    )
    assert (found["BRAND_NEW"].group, found["BRAND_NEW"].value) == (OTHER, "text")
    assert "_PRIVATE" not in found
    assert "has_ipv6" not in found


@pytest.mark.parametrize(
    ("name", "first", "platforms", "value"),
    [
        ("CAN_RAW_ERR_FILTER", (3, 3), ("Linux",), "2"),
        ("AF_BLUETOOTH", (2, 7), ("Linux", "Windows"), "31"),
        ("BDADDR_LOCAL", (2, 7), ("Linux", "Windows"), "00:00:00:FF:FF:FF"),
        ("HV_GUID_ZERO", (3, 12), ("Windows",), ""),
        ("EAI_FAIL", (2, 7), ("Linux", "macOS", "Windows"), "-4"),
        ("IP_RECVERR", (3, 14), ("Linux", "Windows"), "11"),
        ("AF_DIVERT", (3, 12), ("BSD",), ""),
    ],
)
def test_known_rows(name: str, first: tuple[int, int], platforms: tuple[str, ...], value: str) -> None:
    row = by_name()[name]
    assert (row.first, row.platforms, row.value) == (first, platforms, value)


def test_a_constant_that_went_away_has_a_last_version() -> None:
    assert by_name()["NETLINK_SKIP"].last == (3, 13)
    assert by_name()["NETLINK_ROUTE"].last is None


def test_loading_imports_no_resource_machinery() -> None:
    code = (
        "import sys, sockexplorer.core.constant_table as c; c.everything(); "
        "print('importlib.resources' in sys.modules, len(c.table()))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "611"]
