"""The command line: `sockexplorer.cli.group` has the verbs, one file each. Importing this loads click and no more."""

from sockexplorer.cli.group import main

__all__ = ["main"]
