"""``check --jsonl``: a question a line on stdin, an answer a line on stdout, each as soon as it is known."""

from __future__ import annotations

import json
import sys

import click


def run() -> None:
    """Answer until the end of stdin. Raises `Failed` when the engine dies."""
    from sockexplorer.cli.questions import engine
    from sockexplorer.client.link import start_thread

    with engine(start_thread) as client:
        for number, raw in enumerate(sys.stdin.buffer, 1):
            try:
                line = raw.decode()
            except UnicodeDecodeError:
                answer: dict[str, object] = {"error": "the line is not UTF-8"}
            else:
                answer = client.call("check_line", line=line)["answer"]
            if "error" in answer:
                answer["line"] = number
            click.echo(json.dumps(answer))
