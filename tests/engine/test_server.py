"""The engine's loop: what it watches, and how long it sleeps."""

from __future__ import annotations

import os

from sockexplorer.capture.log import Log
from sockexplorer.core.endpoint import Endpoint
from sockexplorer.core.frames import SEEN
from sockexplorer.engine.server import Engine
from sockexplorer.engine.session import Session
from sockexplorer.engine.spool import Spool
from sockexplorer.families import find


def test_an_engine_that_waits_for_its_client_looks_again() -> None:
    """The client may catch up between two looks: the engine must not sleep with a socket that it does not watch."""
    incoming, outgoing = os.pipe()
    engine, log = Engine(incoming, outgoing), Log()
    assert log.store.descriptor is not None
    spool = Spool(os.dup(log.store.descriptor), room=0)
    endpoint = Endpoint("AF_INET", "tcp", "listen", ("127.0.0.1", 0))
    session = engine.sessions[1] = Session(1, endpoint, *find("inet/tcp"), None, spool)
    try:
        session.open(endpoint.local, None)
        while not spool.full:
            spool.add(bytes(2**20))
            spool.flush()
        spool.told = spool.end
        engine._watch()
        assert not engine._watched
        log.store.counters[SEEN] = spool.end
        assert engine._timeout([]) is not None
        engine._watch()
        assert engine._watched
        assert engine._timeout([]) is None, "with nothing held up it sleeps until something happens"
    finally:
        session.close()
        engine.stop()
        engine.run()
        log.close()
        os.close(incoming)
        os.close(outgoing)
