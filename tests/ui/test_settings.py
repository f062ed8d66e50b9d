"""The settings file: what is right holds, what is wrong keeps its default and is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockexplorer.ui.columns import Look
from sockexplorer.ui.rules import Rule
from sockexplorer.ui.settings import Settings, load, path


def read(directory: Path, text: str) -> Settings:
    file = directory / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()
    assert read(tmp_path, "") == Settings()


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path, 'theme = "nord"\nlog_mib = 64\nrefresh_hz = 2.5\n[keys]\nsend = "ctrl+s"\nquit = "q,ctrl+q"\n'
    )
    assert settings == Settings("nord", 64 * 2**20, 2.5, {"send": "ctrl+s", "quit": "q,ctrl+q"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("log_mib = 0", "log_mib = 0: write a number from 1 to 65536"),
        ('log_mib = "much"', "log_mib = 'much': write a number"),
        ("log_mib = true", "log_mib = True: write a number"),
        ("log_mib = nan", "log_mib = nan: write a number"),
        ("log_mib = inf", "log_mib = inf: write a number"),
        ("refresh_hz = 1000", "refresh_hz = 1000: write a number from 0.2 to 60"),
        ("refresh_hz = -1", "refresh_hz = -1"),
        ("theme = 3", "theme = 3: write a theme's name in quotes"),
        ('time = "local"', "time = 'local': write one of absolute, relative, delta"),
        ("time = 3", "time = 3: write one of"),
        ('columns = ["colour"]', "columns = ['colour']: write a list of some of number, time"),
        ("columns = []", "columns = []: write a list"),
        ("columns = [[1]]", "columns = [[1]]: write a list"),
        ("keys = 3", "[keys] takes lines such as"),
        ("[keys]\nsend = 3", "[keys] takes lines such as"),
        ("colour = 1", "colour: there is no such setting; there are columns, keys, log_mib, refresh_hz, rule, theme"),
        ("theme = ", "settings.toml can't be read"),
        ("\x00", "settings.toml can't be read"),
    ],
)
def test_what_is_wrong_keeps_its_default_and_is_told(tmp_path: Path, text: str, told: str) -> None:
    settings = read(tmp_path, text)
    assert len(settings.problems) == 1
    assert told in settings.problems[0]
    assert settings == Settings(problems=settings.problems)


def test_one_mistake_does_not_cost_the_rest(tmp_path: Path) -> None:
    settings = read(tmp_path, 'theme = "nord"\nlog_mib = -1\nnonsense = 1\n[keys]\nsend = "f2"\n')
    assert (settings.theme, settings.keys, settings.log_bytes) == ("nord", {"send": "f2"}, Settings().log_bytes)
    assert len(settings.problems) == 2


def test_a_file_that_is_no_text_or_no_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert "can't be read" in load(file).problems[0]
    assert "can't be read" in load(tmp_path).problems[0]


def test_a_variable_names_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOCKEXPLORER_CONFIG", str(tmp_path / "mine.toml"))
    assert path() == tmp_path / "mine.toml"
    monkeypatch.delenv("SOCKEXPLORER_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert path().name == "settings.toml"


@given(st.text(max_size=200) | st.from_regex(r"\A(theme|log_mib|refresh_hz|keys) = [-0-9a-z\"\[\]{}.=]{0,20}\Z"))
def test_no_text_breaks_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    settings = load(file)
    assert settings.log_bytes >= 2**20
    assert 0.2 <= settings.refresh_hz <= 60
    assert all(isinstance(each, str) for each in settings.keys.values())


def test_how_rows_are_shown_is_kept_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    text = '# mine\ntheme = "nord"  # blue\ntime = "delta"   # why\n\n[keys]\ntime = "T"\n'
    file = tmp_path / "deep" / "settings.toml"
    look = Look("relative", ("time", "summary"))
    assert load(file).keep(look) == "", "a file that is not there is made"
    assert load(file) == Settings(look=look)
    file.write_text(text)
    assert load(file).keep(look) == ""
    assert load(file) == Settings("nord", look=look, keys={"time": "T"})
    kept = file.read_text()
    assert kept.startswith('# mine\ntheme = "nord"  # blue\ntime = "relative"')
    assert "# why" in kept
    assert load(file).keep(look) == ""
    assert file.read_text() == kept, "twice is once"


def test_a_file_that_is_wrong_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("theme = ")
    assert "was left as it is" in Settings(file=file).keep(Look("delta"))
    assert file.read_text() == "theme = "
    assert "was left as it is" in Settings(file=tmp_path).keep(Look("delta"))


RULES = (Rule('"a # \\ \x7f" or /[[x]/', "red"), Rule("grüße", "pink"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        '# mine\ntheme = "nord"\n\n[keys]\nsend = "s"  # why\n',
        '[[rule]]\nfilter = "old"\ncolour = "red"\n# of the rule\n[keys]\nsend = "s"\n',
        '[keys]\nsend = "s"\n\n[[ rule ]]\nfilter = "old"\ncolour = "red"\n\n[[rule]]\nfilter = "x"\ncolour = "red"',
    ],
)
def test_rules_are_kept_and_the_rest_of_the_file_stays(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    before = load(file)
    for rules in (RULES, (), RULES[:1]):
        assert load(file).keep_rules(rules) == ""
        assert load(file) == replace(before, rules=rules)
        assert ("# why" in file.read_text()) is ("# why" in text)
        once = file.read_text()
        assert load(file).keep_rules(rules) == ""
        assert file.read_text() == once, "twice is once"
    assert load(file).keep(Look("delta")) == ""
    assert load(file).rules == RULES[:1]


@pytest.mark.parametrize(
    "text", ['rule = [{ filter = "x", colour = "red" }]', '[[rule]]\nfilter = """\n[x\n"""\ncolour = "red"\n']
)
def test_rules_that_can_not_be_told_from_the_rest_are_left(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    assert "was left as it is" in load(file).keep_rules(RULES)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule = 3", "rule 1: write [[rule]]"),
        ("[rule]\nfilter = 'x'", "rule 1: write [[rule]]"),
        ("[[rule]]", "rule 1: write [[rule]]"),
        ("[[rule]]\nfilter = 3\ncolour = 'red'", "rule 1: write [[rule]]"),
        ("[[rule]]\nfilter = 'x'\ncolour = 'reddish'", "'reddish' is no colour here; there are red, orange"),
        ("[[rule]]\nfilter = ''\ncolour = 'red'", "a rule needs a filter"),
        ("[[rule]]\nfilter = 'n>'\ncolour = 'red'", "rule 1: "),
        ("[[rule]]\nfilter = 'n>1'\ncolour = 'red'\n" * 21, "rule 21: there are 20 at most"),
    ],
)
def test_a_rule_that_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    settings = read(tmp_path, text)
    assert len(settings.problems) == 1
    assert told in settings.problems[0]
