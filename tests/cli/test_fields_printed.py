"""What decoders read in a frame is told without the screen as well: each field with its bytes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import udp

Done = Callable[..., subprocess.CompletedProcess[str]]
LOG = "(1436509052.249713) vcan0 123#DEADBEEF\n(1436509053.000000) vcan0 18F00401#0011223344556677\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (path := tmp_path / "a.log").write_text(LOG)
    return path


def every(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield field
    for each in field.get("fields", ()):
        yield from every(each)


def test_as_json_with_their_bytes(done: Done, log: Path) -> None:
    rows = [json.loads(line) for line in done("open", str(log), "--json", "--fields").stdout.splitlines()]
    first, second = ({each["name"]: each for each in every(row["fields"])} for row in rows)
    assert first["can"]["value"] == "123#DEADBEEF"
    assert (first["can_id"]["value"], first["can_id"]["number"]) == ("123", 0x123)
    data = first["data"]
    assert bytes.fromhex(rows[0]["payload"])[data["start"] : data["end"]] == bytes.fromhex("DEADBEEF")
    assert "EEC1" in second["pgn"]["value"]
    plain = [json.loads(line) for line in done("open", str(log), "--json").stdout.splitlines()]
    assert plain == [{key: value for key, value in row.items() if key != "fields"} for row in rows]


@pytest.mark.parametrize("kind", ["text", "hexdump", "jsonl"])
def test_convert_writes_what_open_prints(done: Done, log: Path, kind: str) -> None:
    printed = done("open", str(log), "--fields", "--format", kind)
    assert done("convert", str(log), "--fields", "--to", kind).stdout == printed.stdout
    if kind != "jsonl":
        without = done("open", str(log), "--format", kind).stdout.splitlines()
        more = [line for line in printed.stdout.splitlines() if line not in without]
        assert [line.strip() for line in more[:2]] == ["can  123#DEADBEEF  [0:16]", "can_id  123  [0:4]"]
        assert set(without) <= set(printed.stdout.splitlines())


def test_of_a_socket_that_is_watched(run: Callable[..., Any]) -> None:
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--json", "--fields", "--count", "1")
    address = watch.address()
    with udp() as sock:
        sock.sendto(b"hello", address)
        assert watch.end() == 0
    assert json.loads(watch.out[0])["fields"] == {"name": "payload", "value": "", "start": 0, "end": 5}


@pytest.mark.parametrize(
    "arguments",
    [["open", "x", "--format", "hex"], ["convert", "x", "y.pcapng"], ["watch", "inet/udp", "--format", "c"]],
)
def test_a_format_without_room_for_them_is_refused(done: Done, arguments: list[str]) -> None:
    result = done(*arguments, "--fields")
    assert result.returncode == 2
    assert "--fields goes with jsonl, text, hexdump" in " ".join(result.stderr.split())
