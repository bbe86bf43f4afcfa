import dataclasses

import pytest

from edge.answer import STATE_TEXTS, STATES, Answer

MUSIC = Answer(12.50049, "music", "jazz", 0.912345, (("jazz", 0.912345), ("blues", 0.05), ("rock", 0.02)))


def test_the_json_object_has_the_documented_keys_rounded() -> None:
    assert MUSIC.to_dict(top_k=2) == {
        "t": 12.5,
        "state": "music",
        "label": "jazz",
        "confidence": 0.9123,
        "top": [["jazz", 0.9123], ["blues", 0.05]],
    }


def test_lost_time_and_the_note_are_there_only_if_they_are_set() -> None:
    lost = Answer(3.0, "lost", lost=1.50049, note="unplugged")
    assert lost.to_dict(3) == {
        "t": 3.0,
        "state": "lost",
        "label": None,
        "confidence": 0.0,
        "top": [],
        "lost": 1.5,
        "note": "unplugged",
    }


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_a_description(state: str) -> None:
    answer = Answer(1.0, state, "jazz" if state == "music" else None, 0.914)
    assert answer.describe() == ("jazz 91%" if state == "music" else STATE_TEXTS[state])


def test_an_answer_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MUSIC.label = "blues"  # type: ignore[misc]
