import json

import pytest
from helpers.support import stream_card, window_card

from edge.model.card import CardError, from_json


@pytest.mark.parametrize("card", [stream_card(), window_card()])
def test_a_card_survives_json(card: object) -> None:
    assert from_json(card.to_json()) == card  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", [0, 1, None, "2"])
def test_another_version_is_named_and_refused(version: object) -> None:
    fields = json.loads(stream_card().to_json()) | {"version": version}
    with pytest.raises(CardError, match=r"version .*, this program reads version 2"):
        from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1e999", '{"version": 1}', "[" * 100_000])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(CardError):
        from_json(text)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("front_end.n_fft", "2048", "card.front_end.n_fft must be a whole number, got '2048'"),
        ("front_end.n_fft", True, "card.front_end.n_fft must be a whole number, got True"),
        ("front_end.hop_length", 0, "hop_length 0"),
        ("front_end.surprise", 1, "surprise"),
        ("labels", [], "labels"),
        ("labels", ["a", "a"], "labels"),
        ("mode", "whole", 'mode must be "window" or "stream", got "whole"'),
        ("frames", 0, "frames must be from 1 to 100000, got 0"),
        ("normalisation.mean", [0.0], "5 means"),
        ("normalisation.scale", [1, 1, 1, 1, 0], "scale"),
        ("normalisation.scale", [1, 1, 1, 1, float("nan")], "scale"),
        ("thresholds.temperature", 0, "temperature"),
        ("front_end.center", True, "center"),
        ("not_music", ["noise"], "not_music"),
    ],
)
def test_a_wrong_field_is_named(path: str, value: object, sentence: str) -> None:
    fields = json.loads(stream_card().to_json())
    *parents, name = path.split(".")
    target = fields
    for parent in parents:
        target = target[parent]
    target[name] = value
    with pytest.raises(CardError, match=sentence):
        from_json(json.dumps(fields))


def test_a_window_of_another_length_than_its_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="doesn't hold 9 frames"):
        stream_card(mode="window", frames=9, window_samples=512 + 7 * 256)


@pytest.mark.parametrize("name", ["ripe_seconds", "change_seconds", "before_seconds"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e9])
def test_a_duration_of_zero_or_of_years_is_refused(name: str, seconds: float) -> None:
    fields = json.loads(stream_card().to_json())
    fields["thresholds"][name] = seconds
    with pytest.raises(CardError, match=name):
        from_json(json.dumps(fields))
