"""A run's request arrives at its runner letter by letter, whatever the journal masks."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.load.carried import carried, carry
from console.errors import UsageError
from console.store.bodies import pack, unpack
from tests.load.runs import request

SECRET = "a sign: password=hunter2, hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345\n\x1b[31m"


@given(st.text(max_size=80) | st.just(SECRET))
def test_a_prompt_comes_out_of_the_journal_as_it_was_typed(prompt: str) -> None:
    wanted = request("big", "small")
    edits = tuple(msgspec.structs.replace(one, prompt=prompt) for one in wanted.edits)
    wanted = msgspec.structs.replace(wanted, edits=edits)

    assert carried(unpack(pack(carry(wanted)))) == wanted


def test_a_plan_without_a_request_says_so() -> None:
    for options in ({}, {"load": 3}, {"exact": "zz"}):
        with pytest.raises(UsageError) as caught:
            carried(options)
        assert caught.value.code == "load.no-request"
