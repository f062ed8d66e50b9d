"""Fixtures of the whole suite, and the rule that nothing is skipped unseen where CI runs it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # for support.py: --import-mode=importlib adds no directories

from support import PATIENCE, Desk, namespace_python

from sockexplorer.client import link
from sockexplorer.client.hub import Hub
from sockexplorer.client.link import Link, start_process, start_thread

# A slow machine is no finding; examples are the same in every run, so that a failure can be met again.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test has failed, unless its marker says that this host may lack what it needs.

    The lab's kernel lacks nothing: there only other Pythons may be missing. What a host lacks is told to tests/run.py,
    which has the test done there.
    """
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if (
        skipped
        and (file := os.environ.get("SOCKEXPLORER_SKIPPED"))
        and item.get_closest_marker("optional_on_this_host")
    ):
        with Path(file).open("a") as lacks:
            lacks.write(f"{item.nodeid}\n")
    excuses = ["other_pythons"] if os.environ.get("SOCKEXPLORER_LAB") else ["other_pythons", "optional_on_this_host"]
    optional = any(item.get_closest_marker(each) is not None for each in excuses)
    if os.environ.get("CI") and skipped and not optional:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI without a marker that excuses it: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI while it was collected: {report.longrepr}"
    return report


@pytest.fixture
def desks() -> Iterator[Callable[[Callable[[], Link]], Desk]]:
    """Makes desks from ways to start an engine, and clears them away."""
    made: list[Desk] = []
    before = set(threading.enumerate())

    def make(start: Callable[[], Link] = start_thread) -> Desk:
        made.append(Desk(Hub(start)))
        return made[-1]

    yield make
    for each in made:
        each.hub.shut_down()
    # A hub waits less than a second; what an engine in a thread has open for longer is in the way of the next test.
    # One that was there before is a module's own, and goes on.
    for thread in set(threading.enumerate()) - before:
        if thread.name == "engine":
            thread.join(PATIENCE)


@pytest.fixture(scope="module")
def engines() -> Iterator[Callable[[str], Desk]]:
    """Gives a hub with an engine process of an interpreter, the same one throughout a module.

    To start one takes half a second in the lab. Whoever opens sessions leaves them at the end: `Desk.leave`.
    """
    made: dict[str, Desk] = {}

    def of(python: str) -> Desk:
        if python not in made:
            made[python] = Desk(Hub(lambda: start_process(python)))
        return made[python]

    yield of
    for each in made.values():
        each.hub.shut_down()


@pytest.fixture(params=[start_thread, start_process], ids=["thread", "process"])
def desk(request: pytest.FixtureRequest, desks: Callable[[Callable[[], Link]], Desk]) -> Desk:
    """A hub with an engine: once in a thread, once as a process."""
    return desks(request.param)


@pytest.fixture
def process_desk(desks: Callable[[Callable[[], Link]], Desk]) -> Desk:
    """A hub with an engine process."""
    return desks(start_process)


@pytest.fixture
def patient_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, an engine ends by itself, or not at all."""
    monkeypatch.setattr(link, "END_SECONDS", PATIENCE)


@pytest.fixture
def lab(desks: Callable[[Callable[[], Link]], Desk], tmp_path: Path) -> Desk:
    """A hub whose engine process lives in a network namespace of its own, with ``lo`` up and ping sockets allowed."""
    python = namespace_python(tmp_path)
    return desks(lambda: start_process(python))
