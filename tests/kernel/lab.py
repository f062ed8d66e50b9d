#!/usr/bin/env python3
"""Runs a command in a Linux kernel that has every socket family, without root and without KVM.

    python tests/kernel/lab.py run -- .venv/bin/python -m pytest tests/engine
    python tests/kernel/lab.py run --tty -- sockexplorer
    python tests/kernel/lab.py shell
    python tests/kernel/lab.py build

The kernel is built when it is first needed (five minutes) and kept in ~/.cache/sockexplorer-lab. The guest sees the
host's files at the same paths; only the checkout, and what --writable names, can be changed. Output and exit status
are the command's. ``vcan0`` and ``lo`` are up; SOCKEXPLORER_LAB=1 is set. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import boot
import build

CHECKOUT = Path(__file__).resolve().parents[2]
UNAVAILABLE = 69
"""Exit status where there is no kernel (sysexits.h, EX_UNAVAILABLE)."""


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for; the exit status."""
    command: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    making = verbs.add_parser("build", help="build the kernel if it is not there, and print its path")
    making.add_argument("--check", action="store_true", help="build nothing: exit status 69 where it is not there")
    runs = [verbs.add_parser("run", help="run a command, given after --"), verbs.add_parser("shell", help="a shell")]
    for each in runs:
        each.add_argument("--writable", action="append", default=[], type=Path, metavar="DIRECTORY")
        each.add_argument("--read-only", action="store_true", help="keep the checkout as it is, too")
        each.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
        each.add_argument("--append", action="append", default=[], metavar="TEXT", help="for the kernel's command line")
        each.add_argument("--memory", type=int, default=1536, metavar="MIB")
        each.add_argument("--timeout", type=float, default=1800, metavar="SECONDS", help="exit status 124 after that")
    runs[0].add_argument("--tty", action="store_true", help="give the command this terminal")
    runs[0].add_argument("--stdin", action="store_true", help="let the command read our stdin, byte for byte")
    options = parser.parse_args(arguments)
    if options.verb == "run" and not command:
        parser.error("run needs a command after --")
    if options.verb == "build" and options.check:
        return 0 if build.built() else UNAVAILABLE
    try:
        kernel = build.kernel()
    except build.BuildError as error:
        build.say(str(error))
        return UNAVAILABLE
    if options.verb == "build":
        print(kernel)
        return 0
    shell = options.verb == "shell"
    job = boot.Job(
        command=[os.environ.get("SHELL", "/bin/sh")] if shell else command,
        writable=[*options.writable, *([] if options.read_only else [CHECKOUT])],
        environment=dict(each.partition("=")[::2] for each in options.env),
        terminal=shell or options.tty,
        stdin=options.verb == "run" and options.stdin,
        arguments=options.append,
        memory=options.memory,
        seconds=options.timeout,
    )
    return boot.run(kernel, job)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
