"""Settings: a TOML file in the platform's configuration directory; without one the defaults hold.

theme = "sockexplorer-dark"     # or sockexplorer-light, or any theme of Textual's
log_mib = 256                   # the log of each session, in MiB
refresh_hz = 20                 # how often the screen follows the traffic; less for a slow link

[keys]
send = "s"                      # an action's id (see the help) = a key, or several: "s,ctrl+s"
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from sockexplorer.capture.log import DEFAULT_LIMIT


@dataclass(frozen=True)
class Settings:
    """What a person may change. ``problems`` are sentences about what in the file was not understood."""

    theme: str = "sockexplorer-dark"
    log_bytes: int = DEFAULT_LIMIT
    refresh_hz: float = 20.0
    keys: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def path() -> Path:
    """Where the settings live; ``SOCKEXPLORER_CONFIG`` names another file."""
    if named := os.environ.get("SOCKEXPLORER_CONFIG"):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("sockexplorer", appauthor=False) / "settings.toml"


def load(file: Path | None = None) -> Settings:
    """Read the settings; what is wrong in the file keeps its default and is told in ``problems``."""
    file = file or path()
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(problems=(f"{file.name} can't be read: {error}",))
    problems: list[str] = []
    defaults = Settings()

    def number(name: str, low: float, high: float, default: float) -> float:
        value = data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            problems.append(f"{name} = {value!r}: write a number from {low:g} to {high:g}")
            return default
        return value

    theme = data.get("theme", defaults.theme)
    if not isinstance(theme, str):
        problems.append(f"theme = {theme!r}: write a theme's name in quotes")
        theme = defaults.theme
    keys = data.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        problems.append('[keys] takes lines such as send = "s"')
        keys = {}
    known = {"theme", "log_mib", "refresh_hz", "keys"}
    problems += [
        f"{name}: there is no such setting; there are {', '.join(sorted(known))}" for name in data.keys() - known
    ]
    return Settings(
        theme,
        int(number("log_mib", 1, 65536, defaults.log_bytes / 2**20) * 2**20),
        number("refresh_hz", 0.2, 60, defaults.refresh_hz),
        keys,
        tuple(problems),
    )
