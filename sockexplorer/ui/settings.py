"""Settings: a TOML file in the platform's configuration directory; without one the defaults hold.

theme = "sockexplorer-dark"     # or sockexplorer-light, or any theme of Textual's
log_mib = 256                   # the log of each session, in MiB
refresh_hz = 20                 # how often the screen follows the traffic; less for a slow link
time = "absolute"               # or relative, delta: how rows tell their time
columns = ["number", "time", "direction", "peer", "length", "protocol", "summary"]

[keys]
send = "s"                      # an action's id (see the help) = a key, or several: "s,ctrl+s"

[[rule]]                        # rows in colour: of all rules the first that matches wins
filter = "dir==in len>100"
colour = "red"                  # or orange, yellow, green, cyan, blue, purple, pink, grey
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sockexplorer.capture.log import DEFAULT_LIMIT
from sockexplorer.ui.columns import COLUMNS, TIMES, Look
from sockexplorer.ui.rules import MOST, Rule, fault_of


@dataclass(frozen=True)
class Settings:
    """What a person may change. ``problems`` are sentences about what in the file was not understood."""

    theme: str = "sockexplorer-dark"
    log_bytes: int = DEFAULT_LIMIT
    refresh_hz: float = 20.0
    keys: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    look: Look = field(default_factory=Look)
    rules: tuple[Rule, ...] = ()
    file: Path | None = field(default=None, compare=False)
    """Where a choice that outlasts the program is kept; None keeps none."""

    def keep(self, look: Look) -> str:
        """Write how rows are shown into the file, whose other lines stay as they are; "" or what went wrong."""
        chosen = {"time": json.dumps(look.time), "columns": json.dumps(list(look.columns))}

        def changed(text: str) -> str:
            for name, value in chosen.items():
                text = _with_line(text, name, value)
            return text

        return self._write(changed)

    def keep_rules(self, rules: tuple[Rule, ...]) -> str:
        """Write the colour rules into the file, whose other tables stay as they are; "" or what went wrong."""
        return self._write(lambda text: _with_rules(text, rules))

    def _write(self, change: Callable[[str], str]) -> str:
        if self.file is None:
            return ""
        try:
            text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
            tomllib.loads(text)
            text = change(text)
            tomllib.loads(text)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            new = self.file.with_name(f"{self.file.name}.new")
            new.write_text(text, encoding="utf-8")
            new.replace(self.file)
        except (OSError, ValueError) as error:
            return f"{self.file.name} was left as it is: {error}"
        return ""


def _with_line(text: str, name: str, value: str) -> str:
    """A TOML text in which a name of the top level has this value. Its table headers come after the top level."""
    head, header, rest = text, "", ""
    if found := re.search(r"^[ \t]*\[", text, re.MULTILINE):
        head, header, rest = text[: found.start()], found[0], text[found.end() :]
    line = f"{name} = {value}"
    present = re.compile(rf"^[ \t]*{name}[ \t]*=[^#\n]*", re.MULTILINE)
    if present.search(head):
        head = present.sub(lambda _: line + " " if "#" in _[0] else line, head, count=1)
    else:
        head = f"{head.rstrip()}\n{line}\n".lstrip("\n") + ("\n" if header else "")
    return head + header + rest


_RULE = re.compile(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\].*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)


def _with_rules(text: str, rules: tuple[Rule, ...]) -> str:
    """A TOML text with these rules, behind all else. Raises ValueError where its old ones can't be told from the rest.

    What follows the header of a rule is the rule's up to the next header, comments included.
    """
    rest = _RULE.sub("", text)
    if tomllib.loads(rest) != {name: value for name, value in tomllib.loads(text).items() if name != "rule"}:
        raise ValueError("its rules are written in a way that is not understood here")
    tables = [
        f"[[rule]]\nfilter = {_quoted(each.filter)}\ncolour = {_quoted(each.colour)}\n" for each in rules
    ]  # fmt: skip
    return "\n".join(each for each in (rest.rstrip() + "\n" if rest.strip() else "", *tables) if each)


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rules(found: object, problems: list[str]) -> tuple[Rule, ...]:
    """The rules, also those that match nothing because they are wrong; what is wrong goes to ``problems``."""
    rules: list[Rule] = []
    for number, each in enumerate(found if isinstance(found, list) else [found], 1):
        if not isinstance(each, dict) or {*map(type, each.values())} != {str} or {*each} != {"filter", "colour"}:
            problems.append(f'rule {number}: write [[rule]] and below it the lines filter = "…" and colour = "…"')
        elif len(rules) == MOST:
            problems.append(f"rule {number}: there are {MOST} at most")
        else:
            rules.append(Rule(each["filter"], each["colour"]))
            if fault := fault_of(rules[-1]):
                problems.append(f"rule {number}: {fault}")
    return tuple(rules)


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
        return Settings(file=file)
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
    time = data.get("time", defaults.look.time)
    if time not in TIMES if isinstance(time, str) else True:
        problems.append(f"time = {time!r}: write one of {', '.join(TIMES)}")
        time = defaults.look.time
    columns = data.get("columns", list(defaults.look.columns))
    if not isinstance(columns, list) or not columns or any(each not in tuple(COLUMNS) for each in columns):
        problems.append(f"columns = {columns!r}: write a list of some of {', '.join(COLUMNS)}")
        columns = defaults.look.columns
    rules = _rules(data.get("rule", []), problems)
    known = {"theme", "log_mib", "refresh_hz", "keys", "time", "columns", "rule"}
    problems += [
        f"{name}: there is no such setting; there are {', '.join(sorted(known))}" for name in data.keys() - known
    ]
    return Settings(
        theme,
        int(number("log_mib", 1, 65536, defaults.log_bytes / 2**20) * 2**20),
        number("refresh_hz", 0.2, 60, defaults.refresh_hz),
        keys,
        tuple(problems),
        Look(time, tuple(dict.fromkeys(columns))),
        rules,
        file,
    )
