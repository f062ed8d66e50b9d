"""A draft with verdicts: only those on what it holds now count."""

from __future__ import annotations

from sockexplorer.core.draft import Draft
from sockexplorer.core.judged import Judged
from sockexplorer.core.verdict import Verdict
from sockexplorer.families import find


def test_a_verdict_on_what_was_typed_before_does_not_count() -> None:
    judged = Judged(Draft.fresh(*find("inet/udp")))
    assert judged.possible("bind"), "nobody refused it yet"
    address = judged.draft.address("local")
    judged.take("local", Verdict(False, "cpython", "OSError", "no", address=address))
    assert not judged.possible("bind")
    assert judged.verdicts() == {"local": judged.verdict("local")}
    judged.draft.texts["local"]["port"] = "7"
    assert judged.verdict("local") is None
    assert judged.possible("bind")
    judged.draft.texts["local"]["port"] = "x"
    assert judged.verdicts() == {}
    assert not judged.possible("bind"), "the declaration refuses it"
    assert not judged.possible("connect"), "no remote port"


def test_a_draft_takes_over_what_is_pasted() -> None:
    draft = Draft.fresh(*find("inet/tcp"))
    draft.adopt(("127.0.0.1", 1), ("127.0.0.2", 2))
    assert (draft.address("local"), draft.address("remote")) == (("127.0.0.1", 1), ("127.0.0.2", 2))
    assert draft.bind_first
    draft.adopt(("127.0.0.3", 3), None, either=True)
    assert draft.address("local") == draft.address("remote") == ("127.0.0.3", 3)
    assert not draft.bind_first
    draft = Draft.fresh(*find("inet/raw"))
    draft.adopt(("127.0.0.1", 0), None, proto=17)
    assert draft.proto == "IPPROTO_UDP"
    assert draft.endpoint("bind").proto == 17


def test_the_host_that_would_be_looked_up() -> None:
    draft = Draft.fresh(*find("inet/tcp"))
    assert draft.named_host("remote") is None
    draft.texts["remote"]["host"] = " localhost "
    draft.texts["remote"]["port"] = "nonsense"
    assert draft.named_host("remote") == ("localhost", 0)
    assert Draft.fresh(*find("netlink/route")).named_host("local") is None
