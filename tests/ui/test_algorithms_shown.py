"""AF_ALG at the screen: the key in the form, the fields of a message in the composer, the result as a row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from person import Person
from support import needs
from textual.widgets import Input

from sockexplorer.core.text import preview

People = Callable[..., Person]
pytestmark = pytest.mark.optional_on_this_host("kernels are built without AF_ALG")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_digest(people: People, size: tuple[int, int]) -> None:
    needs("alg/hash")
    async with people(size) as person:
        session = await person.open("alg/hash", "bind", local_name="sha256")
        await person.compose("hello")
        await person.until(lambda: session.log.received, "the digest")
        digest = hashlib.sha256(b"hello").digest()
        await person.sees(preview(digest)[:12])
        assert [each.payload for each in person.rows if not each.event] == [b"hello", digest]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_cipher_there_and_back(people: People, size: tuple[int, int]) -> None:
    needs("alg/skcipher")
    async with people(size) as person:
        session = await person.open("alg/skcipher", "bind")
        person.main.traffic.view.focus()
        await person.press("s")
        await person.sees("op encrypt", "iv 00 01 02", "16 bytes with op, iv")
        await person.compose("sixteen letters.")
        await person.until(lambda: session.log.received == 1, "the secret")
        secret = next(each.payload for each in person.rows if not each.event and not each.outgoing)
        fields = person.app.screen.query_one("#composer-fields")
        next(each for each in fields.query(Input) if each.name == "op").value = "nonsense"
        await person.sees("✗", "op 'nonsense'")
        next(each for each in fields.query(Input) if each.name == "op").value = "decrypt"
        await person.compose(secret.hex(), hexadecimal=True)
        await person.until(lambda: session.log.received == 2, "the text")
        await person.sees("← skcipher:cbc(aes)", "sixteen letters.")
        assert [each.payload for each in person.rows if not each.event][-1] == b"sixteen letters."


async def test_a_key_of_the_wrong_length_is_told_in_the_form(people: People) -> None:
    needs("alg/skcipher")
    async with people((80, 24)) as person:
        await person.choose("alg/skcipher")
        await person.fill("option.ALG_SET_KEY", "00 11")
        await person.press("enter")
        await person.sees("setsockopt: EINVAL")
        await person.fill("option.ALG_SET_KEY", "zz")
        await person.sees("is no hexadecimal digit")
