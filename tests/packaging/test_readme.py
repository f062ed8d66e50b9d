"""The README tells the truth. ``.venv/bin/python tests/packaging/test_readme.py`` writes its table of families anew."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockexplorer.families import all_families

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TABLE = re.compile(r"(<!-- families[^>]*-->\n).*?(<!-- /families -->)", re.DOTALL)


def family_table() -> str:
    """Every declared family, as a Markdown table; † marks those that Linux can't have."""
    lines = ["| Family | | Protocols | An address |", "|---|---|---|---|"]
    for each in all_families():
        protocols = ", ".join(protocol.name for protocol in each.protocols)
        mark = " †" if each.systems and "linux" not in each.systems else ""
        lines.append(f"| `{each.constant}`{mark} | {each.title} | {protocols} | `{each.example(each.protocols[0])}` |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """The README with the table as it should be."""
    return TABLE.sub(lambda found: f"{found[1]}{family_table()}{found[2]}", text)


def bindings() -> Iterator[tuple[str, str]]:
    """Id and key of everything in the interface that can be remapped."""
    from textual.binding import Binding
    from textual.dom import DOMNode

    import sockexplorer.ui

    for info in pkgutil.walk_packages(sockexplorer.ui.__path__, "sockexplorer.ui."):
        module = importlib.import_module(info.name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__ == info.name:
                for binding in kind.__dict__.get("BINDINGS", ()):
                    if isinstance(binding, Binding) and binding.id:
                        yield binding.id, binding.key_display or binding.key.partition(",")[0]


def commands() -> list[list[str]]:
    """The words of every ``sockexplorer …`` line in the README's examples."""
    examples = "\n".join(re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL))
    lines = re.findall(r"^sockexplorer .*", examples, re.MULTILINE)
    # What a pipe leads to is another program's.
    every = [shlex.split(line.partition(" | ")[0], comments=True)[1:] for line in lines]
    # --via COMMAND may stand ahead of the verb, and is all that the explorer needs.
    return [words for each in every if (words := each[2:] if each[:1] == ["--via"] else each)]


def test_the_family_table_is_what_the_declarations_say() -> None:
    text = README.read_text()
    assert TABLE.search(text)
    assert text == with_table(text), "run: .venv/bin/python tests/packaging/test_readme.py"


def test_what_was_never_run_on_its_system_is_marked_and_told() -> None:
    text = README.read_text()
    assert {line.split("`")[1] for line in text.splitlines() if "` † |" in line} == {
        "PF_SYSTEM", "AF_HYPERV", "AF_DIVERT",
    }  # fmt: skip
    assert "† Never run on its system" in text


@pytest.mark.parametrize(("name", "key"), sorted(set(bindings())), ids=lambda value: value)
def test_every_key_that_has_an_id_is_in_the_table(name: str, key: str) -> None:
    shown = {"escape": "esc", "down": "↓", "f1": "F1"}.get(key, key)
    rows = [line for line in README.read_text().splitlines() if line.startswith("|") and line.count("|") == 5]
    if name.startswith("pane-"):
        name = "pane-1"
    assert any(f"`{name}`" in row and f"`{shown}" in row for row in rows), f"`{shown}` … `{name}`"


def test_every_verb_has_an_example_and_every_example_is_accepted() -> None:
    import click

    from sockexplorer.cli.group import VERBS, cli

    assert {words[0] for words in commands()} | {"completion"} == set(VERBS)
    for verb, *words in commands():
        words = words[: words.index("&&")] if "&&" in words else words
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        command.make_context(verb, list(words))


def test_the_settings_are_the_defaults(tmp_path: Path) -> None:
    from sockexplorer.ui.rules import Rule
    from sockexplorer.ui.settings import Settings, load

    found = re.search(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    file = tmp_path / "settings.toml"
    file.write_text(found[1])
    assert load(file) == Settings(keys={"send": "s,ctrl+s"}, rules=(Rule("dir==in len>100", "red"),))


def test_what_it_links_to_exists() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!\w+:)([^)#]*)", (ROOT / name).read_text()):
            assert not target or (ROOT / target).exists(), f"{name}: {target}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
