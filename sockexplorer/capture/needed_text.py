"""Texts that are in whatever matches a regular expression: they are found fast, ahead of the expression itself."""

from __future__ import annotations

import re

LEAST, MOST = 2, 3
"""Characters that are worth to be searched for, and texts."""
_TOKEN = re.compile(
    r"""
      \\(?P<quoted>[^\w\s])
    | (?P<plain>[^\\\[\](){}*+?|^$.])
    | (?P<open>\((?!\?)|\(\?(?::|=|!|<=|<!|P?<[A-Za-z_]\w*>))
    | (?P<close>\))
    | (?P<optional>(?:[*?]|\{\d*,?\d*\})[?+]?)
    | (?P<either>\|)
    | (?P<other>[.^$]|\+[?+]?|\\[dDwWsSbBAZnrtfv]|\[\^?\]?(?:[^\]\\\[]|\\[dDwWsSnrtfv]|\\[^\w\s])*\])
    """,
    re.VERBOSE,
)
"""What is none of these, such as flags or a fuzzy match, may have any meaning."""


def needed(pattern: str) -> list[str]:
    """Texts of ASCII in lower case that are all in every match in any case, the longest first.

    Nothing is known of groups and alternatives. The syntax is that of the package regex. They need not be in a match by
    letters beyond Latin-1 that are some of ASCII in another case, such as the long s.
    """
    texts, at, depth = [""], 0, 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return []
        at, kind = token.end(), token.lastgroup
        if kind in ("quoted", "plain") and not depth and token[kind].isascii():
            texts[-1] += token[kind].lower()
            continue
        if kind == "optional":
            texts[-1] = texts[-1][:-1]
        elif kind == "either" and not depth:
            return []
        depth += (kind == "open") - (kind == "close")
        texts.append("")
    return sorted({each for each in texts if len(each) >= LEAST}, key=len, reverse=True)[:MOST]
