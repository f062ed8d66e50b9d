"""What every dialog over the panes has in common."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen with the keys that work everywhere: beneath it those of the main screen do not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "app.theme", "Dark or light", show=False, id="theme")]
