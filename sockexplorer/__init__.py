"""sockexplorer: every family of Python's ``socket``, with its address, its traffic and its place on this host."""

__version__ = "0.1.0"
