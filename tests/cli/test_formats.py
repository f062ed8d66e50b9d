"""The formats of frames: ``watch``, ``open`` and ``convert`` have the same ones, and print the same."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import udp

from sockexplorer.cli import convert, shown
from sockexplorer.client.formats import ENDINGS, PCAPNG, TEXTS, by_ending, with_ending

Run = Callable[..., Any]
Done = Callable[..., subprocess.CompletedProcess[str]]
PAYLOAD = b"hello\x00\xff*/'"


def recorded(run: Run, path: Path, *options: str) -> list[str]:
    """Have ``watch`` record a datagram; what it printed."""
    watch = run("watch", "inet/udp", "--bind", "127.0.0.1:0", "--write", str(path), "--count", "1", *options)
    address = watch.address()
    with udp() as sock:
        sock.sendto(PAYLOAD, address)
        assert watch.end() == 0
    return list(watch.out)


def test_every_verb_has_every_format() -> None:
    assert set(shown.FORMATS) == set(TEXTS)
    assert set(convert.FORMATS) == {PCAPNG, *TEXTS} == set(ENDINGS.values())


@pytest.mark.parametrize("kind", TEXTS)
def test_watch_open_and_convert_print_the_same(run: Run, done: Done, tmp_path: Path, kind: str) -> None:
    capture = tmp_path / "w.pcapng"
    printed = recorded(run, capture, "--format", kind)
    opened = done("open", str(capture), "--format", kind)
    assert opened.returncode == 0, opened.stderr
    name = with_ending(str(tmp_path / "out"), kind)
    converted = done("convert", str(capture), name)
    assert converted.returncode == 0, converted.stderr
    assert Path(name).read_text() == opened.stdout
    assert Path(name).stat().st_mode & 0o777 == 0o600
    if kind == "jsonl":
        row = json.loads(opened.stdout)
        assert row.pop("socket") == "inet/udp"
        assert [row] == [json.loads(each) for each in printed]
    else:
        assert opened.stdout.splitlines() == [
            # A file may have frames of several sockets, and says whose each is.
            each.replace("  127.0.0.1:", "  inet/udp 127.0.0.1:").replace("Z from", "Z inet/udp from")
            for each in printed
        ]


def test_the_bytes_are_the_bytes(run: Run, done: Done, tmp_path: Path) -> None:
    capture = tmp_path / "w.pcapng"
    recorded(run, capture)
    said = {kind: done("open", str(capture), "--format", kind).stdout for kind in TEXTS}
    assert bytes.fromhex(said["hex"]) == PAYLOAD
    assert ast.literal_eval(said["python"].partition("frame_1 = ")[2]) == PAYLOAD
    assert "0x68, 0x65" in said["c"]
    assert "68 65 6c 6c 6f 00 ff 2a  2f 27" in said["hexdump"]
    assert said["c"].count("*/") == 1, "what came can not end the comment"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["open", "x", "--json", "--hex-dump"], "leave --hex-dump out"),
        (["open", "x", "--json", "--format", "c"], "leave --json out"),
        (["watch", "inet/udp", "--hex-dump", "--format", "c"], "leave --hex-dump out"),
        (["watch", "inet/udp", "--quiet", "--format", "c"], "--quiet prints nothing"),
        (["watch", "inet/udp", "--write", "-", "--format", "text"], "--write - has stdout for itself"),
        (["convert", "x", "y.zip"], "pcapng, jsonl, text, hexdump, hex, python, c"),
        (["convert", "x"], "--to says what to write"),
    ],
)
def test_what_can_not_be_asked_for_is_told(done: Done, arguments: list[str], told: str) -> None:
    result = done(*arguments)
    assert result.returncode == 2
    assert told in " ".join(result.stderr.split())


def test_endings() -> None:
    assert by_ending("a/b.c/x") is None
    assert by_ending("X.JSONL") == "jsonl"
    assert with_ending("a.b/x.pcapng", "text") == "a.b/x.txt"
    assert with_ending("x.log", "text") == "x.log", "an ending that means it stays"
    assert with_ending("v1.5", "hex") == "v1.5.hex", "an ending that means nothing is part of the name"
    assert with_ending("", PCAPNG) == ".pcapng"
