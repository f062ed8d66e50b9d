"""Two themes of our own, dark and light: one accent, quiet borders, states told by glyph and colour together."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="sockexplorer-dark",
    primary="#5fb3d9",
    secondary="#8fa3b0",
    accent="#f0b65a",
    success="#7cc48d",
    warning="#e5b567",
    error="#ee7d77",
    foreground="#d6dde3",
    background="#14181c",
    surface="#1a1f24",
    panel="#242b32",
    dark=True,
    variables={
        "border": "#39434c",
        "border-blurred": "#39434c",
        "footer-key-foreground": "#f0b65a",
        "footer-background": "#1f252b",
        "input-selection-background": "#5fb3d9 35%",
        "block-cursor-text-style": "none",
    },
)
LIGHT = Theme(
    name="sockexplorer-light",
    primary="#0a6a94",
    secondary="#52626e",
    accent="#9a5a00",
    success="#1c7a3d",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#1d252b",
    background="#fbfbf9",
    surface="#f3f4f2",
    panel="#e4e8e8",
    dark=False,
    variables={
        "border": "#b9c2c8",
        "border-blurred": "#b9c2c8",
        "footer-key-foreground": "#9a5a00",
        "footer-background": "#e8ebeb",
        "input-selection-background": "#0a6a94 25%",
        "block-cursor-text-style": "none",
    },
)
