"""The command as a whole: help, the default verb, what is loaded when, completion."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support import PATIENCE

from sockexplorer import __version__
from sockexplorer.cli.group import VERBS, cli


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_an_example(verb: str) -> None:
    result = invoke(verb, "--help")
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout
    assert f"sockexplorer {verb}" in result.stdout
    short = cli.get_command(None, verb)  # type: ignore[arg-type]
    assert short
    assert not short.get_short_help_str(60).endswith("...")


def test_help_and_version(done: Any) -> None:
    assert all(f"  {verb} " in invoke("--help").stdout for verb in VERBS)
    assert done("--version").stdout.endswith(f" {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "needs a terminal"),
        (["inet/udp"], "needs a terminal"),
        (["inet/udp", "127.0.0.1:9999"], "needs a terminal"),
        (["inet/udp", "nonsense"], "has no host and port"),
        (["inet/nothing"], "it has udp"),
        (["wach"], "did you mean watch?"),
        ([__file__], "is a file; a capture is shown by: sockexplorer open"),
        (["nothing/udp"], "there are inet"),
        (["--nothing"], "--nothing"),
    ],
)
def test_wrong_usage_without_a_verb(done: Any, arguments: list[str], reason: str) -> None:
    result = done(*arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert result.stdout == ""


EXPLORE = """
import sys, types
ui = types.ModuleType("sockexplorer.ui")
ui.run = lambda path, address, start, keeping, directory: print("run", path, address) or 7
sys.modules["sockexplorer.ui"] = ui
from sockexplorer.cli import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ([], "run None None"),
        (["AF_INET/UDP"], "run inet/udp None"),
        (["unix"], "run unix/stream None"),
        (["explore", "inet/udp", "127.0.0.1:9"], "run inet/udp 127.0.0.1:9"),
    ],
)
def test_the_explorer_starts_in_a_terminal(arguments: list[str], called: str) -> None:
    outer, inner = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", EXPLORE, *arguments], stdin=inner, stdout=inner, stderr=subprocess.DEVNULL
        )
        assert process.wait(PATIENCE) == 7
        assert os.read(outer, 1000).decode().strip() == called
    finally:
        os.close(outer)
        os.close(inner)


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from sockexplorer.cli.group import cli; cli.main(['--version'], standalone_mode=False)\n"
        "heavy = 'textual', 'rich', 'psutil', 'lark', 'numpy'\n"
        "print([name for name in sys.modules if name.partition('.')[0] in heavy"
        " or name.startswith(('sockexplorer.families', 'sockexplorer.client', 'sockexplorer.engine'))])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("[]\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert f"_SOCKEXPLORER_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected", "unexpected"),
    [
        ("sockexplorer ", "watch", "--json"),
        ("sockexplorer ", "inet/udp", "--json"),
        ("sockexplorer watch inet/u", "inet/udplite", "inet/tcp"),
        ("sockexplorer check AF_IN", "AF_INET/tcp", "unix"),
        ("sockexplorer doctor net", "netlink/route", "inet"),
        ("sockexplorer watch inet/udp --c", "--count", "--bind"),
        ("sockexplorer completion ", "fish", "watch"),
    ],
)
def test_completion_answers(words: str, expected: str, unexpected: str) -> None:
    incomplete = words.rpartition(" ")[2]
    code = "from sockexplorer.cli.group import cli; cli.main(prog_name='sockexplorer')"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "_SOCKEXPLORER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.partition(",")[2] for line in result.stdout.splitlines()]
    assert expected in found, (incomplete, result)
    assert not any(each.startswith(unexpected) for each in found)


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-"])
@pytest.mark.parametrize(
    "verb",
    [
        "check inet/udp 127.0.0.1:9",
        "send inet/udp --to 127.0.0.1:9",
        "watch inet/udp --bind 127.0.0.1:0 --for 0.1",
    ],
)
def test_a_closed_stream_is_no_traceback(verb: str, stream: str) -> None:
    command = f"'{sys.executable}' -m sockexplorer {verb} {stream}"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result


@pytest.mark.parametrize(
    "verb",
    ["check inet/udp 127.0.0.1:9", "code inet/udp", "send inet/udp --to 127.0.0.1:9 --text x --json"],
)
def test_a_full_disk_is_a_failure(verb: str) -> None:
    command = [sys.executable, "-m", "sockexplorer", *verb.split()]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.endswith("Error: stdout can't be written: No space left on device\n")


def test_a_reader_who_left_is_no_traceback() -> None:
    command = f"'{sys.executable}' -m sockexplorer --help | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert result.stderr == ""
