"""``python -m sockexplorer``."""

from sockexplorer.cli import main

main()
