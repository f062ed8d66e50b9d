"""``doctor``: lines, JSON and statuses, with an answer of the test's own and with this host's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from sockexplorer.cli import doctor
from sockexplorer.cli.group import cli

YES, UNTOLD = [True, []], [None, []]
ANSWER = {
    "protocols": [
        {"name": "AF_INET/udp", "group": "AF_INET", "value": "2", "state": "available", "fix": [],
         "steps": [YES, [True, ["socket() succeeded"]], YES, [True, ["lo"]]]},
        {"name": "AF_INET/raw", "group": "AF_INET", "value": "2", "state": "needs-privilege",
         "steps": [YES, YES, [False, ["EPERM \x1b[31m", "CapEff"]], UNTOLD], "fix": ["sudo sockexplorer"]},
        {"name": "AF_INET6/udp", "group": "AF_INET6", "value": "10", "state": "not-in-kernel", "fix": [],
         "steps": [YES, [False, ["EAFNOSUPPORT"]], UNTOLD, UNTOLD]},
    ],
    "constants": [
        {"name": "SO_REUSEADDR", "group": "Options (SO_*)", "value": "2", "state": "available", "fix": [],
         "steps": [YES, YES, UNTOLD, UNTOLD]},
    ],
    "loaded": {},
}  # fmt: skip


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what the engine says."""
    monkeypatch.setattr(doctor, "probe", lambda more, load: ANSWER | {"loaded": {each: ["m"] for each in load}})


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["doctor", *arguments])


@pytest.mark.usefixtures("answer")
def test_a_no_has_its_proof_and_its_fix() -> None:
    result = invoke()
    assert result.exit_code == 0
    assert "  ● udp              available\n  ◐ raw              needs a right\n" in result.stdout
    assert (
        "      Python ✓ → kernel ✓ → allowed ✗ → device ?\n"
        "      allowed: EPERM \\x1b[31m\n"
        "               CapEff\n"
        "      try: sudo sockexplorer\n"
    ) in result.stdout
    assert "succeeded" not in result.stdout
    verbose = invoke("--verbose").stdout
    assert "  ● udp              available\n      Python ✓\n      kernel ✓   socket() succeeded\n" in verbose
    assert "      allowed ✗  EPERM \\x1b[31m\n                 CapEff\n      device ?\n" in verbose


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
    assert list(found[0]) == ["family", "protocol", "value", "state", "evidence", "fix", "steps"]
    assert [each["step"] for each in found[0]["steps"]] == ["python", "kernel", "allowed", "device"]
    assert found[0]["evidence"] == [line for each in found[0]["steps"] for line in each["evidence"]]


@pytest.mark.usefixtures("answer")
def test_constants() -> None:
    assert "SO_REUSEADDR" in invoke("--constants").stdout
    assert json.loads(invoke("--constants", "reuse", "--json").stdout)[0]["name"] == "SO_REUSEADDR"
    nothing = invoke("--constants", "NO_SUCH")
    assert nothing.exit_code == 1
    assert "NO_SUCH" in nothing.stderr


@pytest.mark.usefixtures("answer")
def test_what_asking_for_real_loaded_is_told() -> None:
    assert invoke("inet6/tcp", "--load").stdout.startswith("asking for AF_INET6/tcp loaded: m\n")
    (row,) = json.loads(invoke("inet6/udp", "--load", "--json").stdout)
    assert row["loaded"] == ["m"]
    assert len(invoke("--load").stdout.split("loaded: m")) > 40, "every protocol is asked for"


def test_wrong_usage() -> None:
    assert invoke("--load", "--constants", "x").exit_code == 2
    assert invoke("nothing").exit_code == 2
    assert invoke("inet/nothing").exit_code == 2
    assert invoke("inet", "--constants", "x").exit_code == 2


def test_this_host(done: Any) -> None:
    result = done("doctor", "--json")
    assert result.returncode == 0, result.stderr
    states = {f"{row['family']}/{row['protocol']}": row["state"] for row in json.loads(result.stdout)}
    assert states["AF_UNIX/stream"] == "available"
    assert done("doctor", "unix/stream").returncode == 0
