"""Provokes an errno of the kernel through the product's engine, and looks at the explanation that comes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import Desk, rows

from sockexplorer.client.client import Problem, Refused
from sockexplorer.client.session import Session
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.general_advice import general_advice
from sockexplorer.families import find


@dataclass(frozen=True)
class Case:
    """What a person does, and the failure that must come: its call, its errno, and words of its explanation."""

    path: str
    stage: str
    errno: str
    says: str
    local: Any = None
    remote: Any = None
    operation: str = "bind"
    options: tuple[SetOption, ...] = ()
    proto: int | None = None
    send: tuple[bytes, ...] = ()
    to: Any = None
    fields: dict[str, Any] | None = None
    twice: bool = False
    """Whether a socket opened in the same way stays open, which is then in the way."""
    general: bool = False
    """Whether the explanation is the one for every family: there is nothing more to say."""
    timeout: float | None = None

    @property
    def id(self) -> str:
        return f"{self.path.replace('/', '-')}-{self.stage}-{self.errno}-{self.says.replace(' ', '_')}"


def provoke(desk: Desk, case: Case) -> Problem:
    """Do what the case says; the failure, wherever it came: as an answer, or as an event of the session."""
    sessions: list[Session] = []
    try:
        for _ in range(1 + case.twice):
            sessions.append(
                desk.open(
                    case.path,
                    case.operation,
                    case.local,
                    case.remote,
                    case.options,
                    proto=case.proto,
                    timeout=case.timeout,
                )
            )
        for data in case.send:
            more: dict[str, Any] = {} if case.to is None else {"to": case.to}
            if case.fields is not None:
                more["fields"] = case.fields
            desk.send(sessions[-1], data, **more)
        found = desk.until(lambda: failures(sessions[-1]), f"{case.errno} as an event")
    except Refused as refused:
        return refused.problem
    else:
        return found[0]
    finally:
        for each in sessions:
            desk.close(each)


def failures(session: Session) -> list[Problem]:
    """What the session's events tell of failures."""
    return [Problem.from_json(each.meta["failure"]) for each in rows(session) if (each.meta or {}).get("failure")]


def check(desk: Desk, case: Case) -> None:
    """The case's failure comes, and its explanation is that of its family, protocol and call. AssertionError."""
    problem = provoke(desk, case)
    assert (problem.stage, problem.name) == (case.stage, case.errno), problem
    explained(case.path, problem, case.says, general=case.general)


def explained(path: str, problem: Problem, says: str, *, general: bool = False) -> None:
    """The explanation says what it must, gives something to try, and is none for just any family."""
    assert says in problem.what, problem
    assert problem.what.endswith(".")
    assert problem.fixes, problem
    family, protocol = find(path)
    anybody = general_advice(family.constant, protocol, problem.stage, problem.name, family.modules + protocol.modules)
    assert (problem.what == anybody.what) is general, problem.what


def without_rights(directory: Path) -> str:
    """An interpreter, as a path, that runs without a single capability, root or not. Skips where that can't be had."""
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if os.geteuid() == 0 else []
    held = subprocess.run([*drop, "grep", "CapEff", "/proc/self/status"], capture_output=True, text=True, check=False)
    if held.stdout.split()[1:] != ["0" * 16]:
        pytest.skip(f"capabilities can't be given up here: {held.stdout}{held.stderr}")
    wrapper = directory / "python-without-rights"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(drop)} "{sys.executable}" "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)
