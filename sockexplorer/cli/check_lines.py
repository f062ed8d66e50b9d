"""``check --jsonl``: a question a line on stdin, an answer a line on stdout, each as soon as it is known."""

from __future__ import annotations

import json
import sys

import click


def run() -> None:
    """Answer until the end of stdin. Raises `Failed` when the engine dies."""
    from sockexplorer.cli.report import Failed, refused
    from sockexplorer.client.client import Client, Refused
    from sockexplorer.client.link import start_thread

    client = Client(start_thread())
    try:
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
    except Refused as error:
        raise refused(error.problem) from None
    except TimeoutError as error:
        raise Failed(str(error)) from None
    finally:
        client.close()
