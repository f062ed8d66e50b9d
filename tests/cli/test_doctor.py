"""``doctor``: lines, JSON and statuses, with an answer of the test's own and with this host's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from sockexplorer.cli import doctor
from sockexplorer.cli.group import cli

ANSWER = {
    "protocols": [
        {"name": "AF_INET/udp", "group": "AF_INET", "value": "2", "python": True, "kernel": True, "usable": True,
         "state": "available", "evidence": ["socket() succeeded"], "fix": []},
        {"name": "AF_INET/raw", "group": "AF_INET", "value": "2", "python": True, "kernel": True, "usable": False,
         "state": "needs-privilege", "evidence": ["EPERM \x1b[31m"], "fix": ["sudo sockexplorer"]},
        {"name": "AF_INET6/udp", "group": "AF_INET6", "value": "10", "python": True, "kernel": False, "usable": False,
         "state": "not-in-kernel", "evidence": ["EAFNOSUPPORT"], "fix": []},
    ],
    "constants": [
        {"name": "SO_REUSEADDR", "group": "Options (SO_*)", "value": "2", "python": True, "kernel": True,
         "usable": None, "state": "available", "evidence": [], "fix": []},
    ],
}  # fmt: skip


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what the engine says."""
    monkeypatch.setattr(doctor, "probe", lambda *families: ANSWER)


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["doctor", *arguments])


@pytest.mark.usefixtures("answer")
def test_a_no_has_its_proof_and_its_fix() -> None:
    result = invoke()
    assert result.exit_code == 0
    assert "  ● udp              available\n  ◐ raw              needs a right\n" in result.stdout
    assert "      EPERM \\x1b[31m\n      try: sudo sockexplorer\n" in result.stdout
    assert "succeeded" not in result.stdout
    assert "succeeded" in invoke("--verbose").stdout


@pytest.mark.usefixtures("answer")
@pytest.mark.parametrize(
    ("scope", "status", "rows"),
    [("inet", 0, 2), ("inet/udp", 0, 1), ("AF_INET/raw", 1, 1), ("inet6", 1, 1), ("inet6/udp", 1, 1)],
)
def test_the_status_answers_for_what_was_named(scope: str, status: int, rows: int) -> None:
    result = invoke(scope, "--json")
    assert result.exit_code == status
    found = json.loads(result.stdout)
    assert len(found) == rows
    assert list(found[0]) == ["family", "protocol", "value", "state", "evidence", "fix"]


@pytest.mark.usefixtures("answer")
def test_constants() -> None:
    assert "SO_REUSEADDR" in invoke("--constants").stdout
    assert json.loads(invoke("--constants", "reuse", "--json").stdout)[0]["name"] == "SO_REUSEADDR"
    nothing = invoke("--constants", "NO_SUCH")
    assert nothing.exit_code == 1
    assert "NO_SUCH" in nothing.stderr


def test_wrong_usage() -> None:
    assert invoke("nothing").exit_code == 2
    assert invoke("inet/nothing").exit_code == 2
    assert invoke("inet", "--constants", "x").exit_code == 2


def test_this_host(done: Any) -> None:
    result = done("doctor", "--json")
    assert result.returncode == 0, result.stderr
    states = {f"{row['family']}/{row['protocol']}": row["state"] for row in json.loads(result.stdout)}
    assert states["AF_UNIX/stream"] == "available"
    assert done("doctor", "unix/stream").returncode == 0
