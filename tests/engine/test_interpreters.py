"""The engine under other interpreters, and what it loads: the standard library and our own core."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import INTERPRETERS, PATIENCE, Desk, interpreter, udp

from sockexplorer.client.link import Link, start_process
from sockexplorer.client.via import Via, start

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = {"textual", "rich", "psutil", "click", "platformdirs", "lark"}


def test_the_engine_loads_no_foreign_package() -> None:
    # As client/link.py boots it, with the directory of those packages in reach.
    script = (
        "import json, sys; before = set(sys.modules); sys.path.append(sys.argv[1])\n"
        "import pkgutil, sockexplorer.engine, sockexplorer.core, sockexplorer.families\n"
        "from sockexplorer.engine.server import Engine\n"
        "from sockexplorer.families import all_families; all_families()\n"
        "for package in (sockexplorer.engine, sockexplorer.core, sockexplorer.families):\n"
        "    for info in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        if not info.name.endswith('__main__'): __import__(info.name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(ROOT)], check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    loaded = set(json.loads(done.stdout))
    assert "sockexplorer" in loaded
    assert not loaded & FOREIGN
    known = set(sys.stdlib_module_names) | {"sockexplorer", "__main__"}
    assert {name for name in loaded if name not in known and not name.startswith("_")} == set()


def test_a_thread_of_the_client_loads_it_no_other_way() -> None:
    script = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from sockexplorer.client.link import start_thread\n"
        "link = start_thread(); link.close()\n"
        f"assert not {FOREIGN!r} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", script, str(ROOT)], check=True, timeout=PATIENCE)


@pytest.mark.other_pythons
@pytest.mark.parametrize("carried", [False, True], ids=["files", "carried"])
@pytest.mark.parametrize("version", INTERPRETERS)
def test_other_interpreters_run_it(version: str, carried: bool, desks: Callable[[Callable[[], Link]], Desk]) -> None:
    """From our files, and out of memory as with ``--via``."""
    python = interpreter(version)
    desk = desks(lambda: start(Via.read(shlex.quote(python))) if carried else start_process(python))
    hello = desk.hub.client.call("hello")
    assert tuple(map(int, hello["python"].split(".")[:2])) >= (3, 11)
    session = desk.open("inet/udp", local=("127.0.0.1", 0))
    with udp() as peer:
        peer.sendto(b"ping", session.local)  # type: ignore[arg-type]
        frame = desk.incoming(session, 1)[0]
        assert frame.payload == b"ping"
        desk.send(session, b"pong", to=session.peers[frame.peer].address)
        assert peer.recv(10) == b"pong"
    with pytest.raises(Exception, match="EADDRINUSE"):
        desk.open("inet/udp", local=session.local)
