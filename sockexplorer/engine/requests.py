"""What a client may ask of the engine, and the answers.

A message has an ``op`` and an ``id``; the reply carries ``re: id`` and either ``ok: true`` with results or
``ok: false`` with an ``error``.

    hello                                          who and where the engine is
    open    session endpoint [room]                → status; its descriptor is the spool
    send    session [peer] [to] [fields]  body: payload   → sent
    timeout session timeout                        from here on, as settimeout()
    option  session option                         → changed
    close   session [peer]
    check   family protocol address role [proto]   → verdict
    resolve family protocol address                → hosts
    check_line line                                → answer
    inventory what                                 → found
    probe   [families] [load]                      → protocols, constants, loaded
    stop
"""

from __future__ import annotations

import ast
import os
import platform
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sockexplorer.core import wire
from sockexplorer.core.endpoint import Endpoint, SetOption
from sockexplorer.core.literal import travelling_literal
from sockexplorer.engine.batch import answer
from sockexplorer.engine.failure import Failure, explain, simple
from sockexplorer.engine.session import Session
from sockexplorer.engine.spool import Spool
from sockexplorer.engine.verdict import judge
from sockexplorer.families import family as find_family

if TYPE_CHECKING:
    from sockexplorer.engine.server import Engine


def user_name() -> str:
    """The name of the effective user, or its number where none is known (getpwuid(3))."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


class Requests:
    """Answers messages on behalf of an engine; whatever a message holds, it never raises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, message: wire.Message) -> None:
        """Answer a message, at once or when what it asks for is done."""
        header = message.header
        handler: Callable[[dict[str, Any], bytes], dict[str, Any] | None] | None
        handler = getattr(self, f"_op_{header.get('op')}", None)
        try:
            if handler is None:
                raise simple(
                    "message", f"this engine knows no {header.get('op')!r}", "use the same version on both ends"
                )
            reply = handler(header, message.body)
        except Failure as failure:
            self._refuse(header, failure)
        except Exception as error:
            # Whatever it is, it must not take the other sessions along.
            self._refuse(header, simple("message", f"{type(error).__name__}: {error}"))
        else:
            if reply is not None:
                self._engine.channel.send({"re": header.get("id"), "ok": True, **reply})

    def _refuse(self, header: dict[str, Any], failure: Failure) -> None:
        self._engine.channel.send({"re": header.get("id"), "ok": False, "error": failure.to_json()})

    def _op_hello(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        return {
            "version": wire.VERSION,
            "python": platform.python_version(),
            "pid": os.getpid(),
            "uid": os.getuid(),
            "user": user_name(),
            "host": platform.node(),
            "kernel": f"{platform.system()} {platform.release()}",
            "executable": sys.executable,
        }

    def _op_open(self, header: dict[str, Any], body: bytes) -> None:
        # Whatever becomes of the message, its descriptor is not left to the next one.
        spool = Spool(self._engine.channel.descriptor(header), header.get("room"))
        try:
            session = self._make_session(header, spool)
        except BaseException:
            spool.close()
            raise
        self._engine.sessions[session.number] = session
        family, endpoint, resolver = session.family, session.endpoint, self._engine.resolver

        def local_found(local: object, error: OSError | None) -> None:
            if error is not None:
                self._give_up(header, session, session.explain("resolve", error))
                return

            def remote_found(remote: object, error: OSError | None) -> None:
                if error is not None:
                    self._give_up(header, session, session.explain("resolve", error))
                else:
                    self._open(header, session, local, remote)

            resolver.resolve(family, endpoint.remote, remote_found)

        resolver.resolve(family, endpoint.local, local_found)

    def _make_session(self, header: dict[str, Any], spool: Spool) -> Session:
        endpoint = Endpoint.from_json(header["endpoint"])
        family = find_family(endpoint.family)
        protocol = family.protocol(endpoint.protocol)
        number = int(header["session"])
        previous = self._engine.sessions.get(number)
        if previous is not None and previous.state != "closed":
            raise simple("open", f"session {number} is open already")
        return Session(number, endpoint, family, protocol, self._engine.stage, spool)

    def _open(self, header: dict[str, Any], session: Session, local: object, remote: object) -> None:
        """Open a session, now that the numbers of its hosts are known."""
        if self._engine.sessions.get(session.number) is not session or session.state != "opening":
            self._refuse(header, simple("open", "it was closed before its host name was found"))
            return
        try:
            session.open(local, remote)
        except Failure as failure:
            self._give_up(header, session, failure)
        except Exception as error:
            self._give_up(header, session, session.explain("open", error))
        else:
            self._engine.channel.send({"re": header.get("id"), "ok": True, **session.status()})

    def _give_up(self, header: dict[str, Any], session: Session, failure: Failure) -> None:
        """Forget a session that could not be opened."""
        session.state = "failed"
        self._engine.sessions.pop(session.number, None)
        session.spool.close()
        self._refuse(header, failure)

    def _op_send(self, header: dict[str, Any], body: bytes) -> None:
        session = self._session(header)
        to = ast.literal_eval(header["to"]) if header.get("to") is not None else None
        values = ast.literal_eval(header.get("fields") or "{}")

        def done(outcome: int | Failure) -> None:
            if isinstance(outcome, Failure):
                self._refuse(header, outcome)
                return
            # Whoever hears that it was sent may look for its row.
            self._engine.hand_over(session)
            self._engine.channel.send({"re": header.get("id"), "ok": True, "sent": outcome})

        if to is None or session.family.host_name(to) is None:
            session.sending.send(body, header.get("peer"), to, values, done)
            return

        def found(address: object, error: OSError | None) -> None:
            try:
                if error is not None:
                    raise session.explain("resolve", error)
                session.sending.send(body, None, address, values, done)
            except Failure as failure:
                done(failure)

        self._engine.resolver.resolve(session.family, to, found)

    def _op_timeout(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        session = self._session(header)
        try:
            session.patience.set_timeout(header["timeout"])
        except ValueError as error:
            raise simple("settimeout", str(error), "None blocks, 0 does not, seconds are a timeout") from None
        return {}

    def _op_option(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        from sockexplorer.engine.changing import change_option

        session = self._session(header)
        try:
            text = change_option(session, SetOption.from_json(header["option"]))
        finally:
            self._engine.hand_over(session)
        return {"changed": text}

    def _op_close(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        session = self._session(header)
        if header.get("peer") is not None:
            session.close_connection(int(header["peer"]))
            return {}
        session.close()
        self._engine.hand_over(session)
        del self._engine.sessions[session.number]
        session.spool.close()
        return session.status()

    def _op_check(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        family = find_family(header["family"])
        protocol = family.protocol(header["protocol"])
        address = travelling_literal(header["address"])
        return {"verdict": judge(family, protocol, address, header.get("role", "local"), header.get("proto")).to_json()}

    def _op_resolve(self, header: dict[str, Any], body: bytes) -> None:
        family = find_family(header["family"])
        protocol = family.protocol(header["protocol"])

        def found(hosts: list[str], error: OSError | None) -> None:
            if error is not None:
                self._refuse(header, explain(family, protocol, "resolve", error))
            else:
                self._engine.channel.send({"re": header.get("id"), "ok": True, "hosts": hosts})

        self._engine.resolver.hosts(family, travelling_literal(header["address"]), found)

    def _op_check_line(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        return {"answer": answer(header["line"])}

    def _op_inventory(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        from sockexplorer.engine.inventory import inventory

        return {"found": inventory(header["what"])}

    def _op_probe(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        from sockexplorer.engine.probe import probe

        return probe([find_family(each) for each in header.get("families") or ()], header.get("load") or ())

    def _op_stop(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        self._engine.stop()
        return {}

    def _session(self, header: dict[str, Any]) -> Session:
        try:
            return self._engine.sessions[int(header["session"])]
        except KeyError:
            raise simple("message", f"there is no session {header.get('session')}") from None
