"""Widgets that know nothing of sockets, or only how one thing looks."""
