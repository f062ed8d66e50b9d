"""The line over the traffic. Where it is short, whole parts of it give way by their worth, and no word is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from sockexplorer.client.session import OVER, Session
from sockexplorer.core.seconds import mode
from sockexplorer.ui.clock import amount, count, frames, rate, size

MUTED = "$foreground-muted"
GAP = "  "


def is_over(session: Session) -> bool:
    """Whether no more rows will come."""
    return session.state in ("closed", "failed", "ended") or not session.live


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line in its forms, the longest first, each with its worth: the least worth gives way first.

    The last form of a part that ``stays`` never does.
    """

    style: str
    forms: tuple[tuple[int, str], ...]
    stays: bool = False


def fitted(parts: Sequence[Part], width: int) -> Content:
    """As much of the parts, in their order, as fits into so many cells."""
    at = [0] * len(parts)

    def texts() -> list[str]:
        return [part.forms[form][1] if form < len(part.forms) else "" for part, form in zip(parts, at, strict=True)]

    def fits() -> bool:
        return cell_len(GAP.join(filter(None, texts()))) <= width

    given: list[int] = []
    while not fits():
        yielding = [
            (part.forms[at[number]][0], number)
            for number, part in enumerate(parts)
            if at[number] + part.stays < len(part.forms)
        ]
        if not yielding:
            break
        given.append(min(yielding)[1])
        at[given[-1]] += 1
    # The last to give way may have left more room than was missing.
    for number in reversed(given[:-1]):
        at[number] -= 1
        if not fits():
            at[number] += 1
    shown = [(text, part.style) for text, part in zip(texts(), parts, strict=True) if text]
    return Content(GAP).join(Content.styled(text, style) for text, style in shown)


def status_text(
    session: Session, rate_now: float, paused_at: int | None, *, following: bool, behind: int = 0,
    passed: int | None = None, width: int,
) -> Content:  # fmt: skip
    """What was lost, the state, whether the view follows, counts, rate; in ``width`` cells.

    ``rate_now`` in frames a second; ``passed`` counts rows that the filter let through, ``behind`` those that it has
    still to look at.
    """
    lost = loss(session)
    parts = [lost, _state(session)] if lost is not None else [_state(session)]
    if lost is None:
        parts.append(Part(MUTED, ((90, "0 dropped"),), stays=True))
    parts += _view(session, paused_at, following=following)
    if session.waits and session.state not in ("listening", *OVER):
        parts.append(Part("$text-warning", ((50, session.waits),)))
    if passed is not None:
        rows = "row passes" if passed == 1 else "rows pass"
        parts.append(Part("$text-success", ((32, f"{count(passed)} {rows}"), (42, f"{amount(passed)} pass"))))
    parts += _counts(session)
    parts += _circumstances(session)
    # What comes and goes and changes its width stands last, so that the others rest.
    if rate_now:
        parts.append(Part("$text-accent", ((40, rate(rate_now)),)))
    if behind:
        parts.append(
            Part(
                MUTED,
                (
                    (16, f"filtering, {count(behind)} to go"),
                    (29, f"filtering, {amount(behind)} to go"),
                    (35, "filtering"),
                ),
            )
        )
    return fitted(parts, width)


def loss(session: Session) -> Part | None:
    """What a session lost, and who lost it; None where nothing was."""
    trimmed, unkept = session.log.dropped - session.log.unkept, session.log.unkept
    of_file = session.state == "file"
    by = "when it was captured" if of_file else "by the kernel"
    terse = "{} dropped" if of_file or session.log.dropped else "kernel dropped {}"
    of_log = "log {}" if session.drops else "log dropped {}"
    causes = [
        (session.drops, f"{{}} dropped {by}", terse, "{} dropped"),
        (trimmed, "{} dropped from the log", of_log, of_log),
        (unkept, "{} could not be kept", "{} not kept", "{} not kept"),
    ]
    found = [each for each in causes if each[0]]
    if not found:
        return None
    long = ", ".join(words.format(count(number)) for number, words, _, _ in found)
    short = ", ".join(words.format(count(number)) for number, _, words, _ in found)
    least = ", ".join(words.format(amount(number)) for number, _, _, words in found)
    worth = 29 if len(found) == 1 else 6
    return Part("$text-warning", ((worth, f"⚠ {long}"), (38, f"⚠ {short}"), (95, f"⚠ {least}")), stays=True)


def _state(session: Session) -> Part:
    # The bar of sessions has a sign for it.
    worth = 45 if session.state in OVER and not session.growing else 26
    return Part("bold", ((worth, session.growing or session.state),))


def _view(session: Session, paused_at: int | None, *, following: bool) -> Iterator[Part]:
    if session.progress < 1:
        yield Part("$text-accent", ((60, f"reading, {session.progress:.0%}"),))
    if paused_at is not None:
        more = count(session.log.end - paused_at)
        # Nothing that happens will end it.
        key = ": p" if is_over(session) else ""
        yield Part("bold $text-accent", ((30, f"‖ paused, {more} more{key}"), (70, f"‖ paused{key}")))
    elif not following and not is_over(session):
        yield Part("$text-accent", ((30, "▲ not following: G"), (65, "▲ G follows")))


def _counts(session: Session) -> Iterator[Part]:
    log = session.log
    of_file = session.state == "file"
    if of_file:
        yield Part("", ((80, frames(len(log))),))
    received, sent = log.received, log.sent
    # Of a file they are in the frames already.
    came = ((15, f"← {count(received)}"), (28 if of_file else 80, f"← {amount(received)}"))
    if sent:
        yield Part("", came)
        yield Part("", ((14, f"→ {count(sent)}"), (27 if of_file else 48, f"→ {amount(sent)}")))
    else:
        yield Part("", ((5, f"← {count(received)}{GAP}→ 0"), *came))
    if log.dropped:
        yield Part("", ((12, f"kept {count(received + sent - log.dropped)}"),))
    if not of_file and log.size >= 2**20:
        yield Part(MUTED, ((41, size(log.size)),))


def _circumstances(session: Session) -> Iterator[Part]:
    """How the socket was made: what is so most of the time is worth the least."""
    if session.state not in OVER:
        if session.timeout is None:
            yield Part(MUTED, ((1, mode(None)),))
        else:
            yield Part("$text-accent", ((18, mode(session.timeout)),))
    if session.endpoint.private:
        yield Part(MUTED, ((3, "in a namespace of its own"),))
    if session.by_number:
        yield Part(MUTED, ((2, "by number"),))
