"""Verbs as processes, for every test of the command line."""

from __future__ import annotations

from verbs import done, run

__all__ = ["done", "run"]
