"""What the screen asks of the engine as a whole: what its host can do, where it runs, another one when it has died."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual import on
from textual.app import SuspendNotSupported
from textual.content import Content
from textual.widgets import Static

from sockexplorer.client.client import Problem, StartError
from sockexplorer.client.place import place
from sockexplorer.core.capability import Capability
from sockexplorer.core.text import escape
from sockexplorer.ui.panes.capabilities import CapabilitiesPane
from sockexplorer.ui.panes.families import FamiliesPane
from sockexplorer.ui.screens.address_duties import AddressDuties


class EngineDuties(AddressDuties):
    """A screen whose panes show what the engine tells; ``#banner`` says that it died, ``#place`` where it is."""

    buried = ""
    """Why the engine died, once that is told."""

    @property
    def families(self) -> FamiliesPane:
        return self.query_one(FamiliesPane)

    @property
    def capabilities(self) -> CapabilitiesPane:
        return self.query_one(CapabilitiesPane)

    def tell_death(self) -> None:
        """Say that the engine has died, or that there is another."""
        dead = self.hub.client.dead
        if dead != self.buried:
            self.buried = dead
            banner = self.query_one("#banner", Static)
            banner.display = bool(dead)
            # Three lines of a narrow terminal hold it all.
            why = escape(dead.rstrip("."), 120)
            text = f"✗ {why}. Its sockets are closed, what was recorded is kept. Press R to start another."
            banner.update(Content(text))
            self.refresh_bindings()

    @on(CapabilitiesPane.ProbeAgain)
    def probe(self) -> None:
        """Ask what the engine's host can do; the panes show it when it is known."""

        def probed(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if result is None:
                return
            protocols = [Capability.from_json(each) for each in result["protocols"]]
            constants = [Capability.from_json(each) for each in result["constants"]]
            self.families.know(protocols)
            self.address.know(protocols)
            self.capabilities.know(protocols, constants)
            if (draft := self.address.draft) is not None:
                self.capabilities.point_at(f"{draft.family.constant}/{draft.protocol.name}")

        self.hub.client.request("probe", probed)
        self.soon()

    def action_restart(self) -> None:
        if failed := self._restart_with_terminal():
            text = "\n".join(escape(line) for line in failed)
            self.notify(text, title="The engine can't be started", severity="error", timeout=15, markup=False)
            return
        self.hub.poll()
        self.tell_death()
        self.ask_place()
        self.probe()
        self.address.check_again()

    def _restart_with_terminal(self) -> list[str]:
        """Restart; a command that may ask for a password has the terminal meanwhile. Why it failed; empty if not."""
        via = self.hub.client.link.via
        if via:
            # Without a terminal there is nobody to be asked.
            with suppress(SuspendNotSupported), self.app.suspend():
                print(escape(f"sockexplorer: starting another engine via {via}"), flush=True)
                # Textual comes back only from a block that ends well.
                return self._restart()
        return self._restart()

    def _restart(self) -> list[str]:
        try:
            self.hub.restart()
        except StartError as error:
            return list(error.problem.lines())
        except OSError as error:
            return [str(error)]
        except KeyboardInterrupt:
            return ["it was interrupted"]
        return []

    def ask_place(self) -> None:
        """Ask where an engine runs that is not here; it stands in a line of its own."""
        via = self.hub.client.link.via
        if not via:
            return

        def told(result: dict[str, Any] | None, problem: Problem | None) -> None:
            if result is not None:
                self.query_one("#place", Static).update(Content(place(result, via)))

        self.hub.client.request("hello", told)
        self.soon()
