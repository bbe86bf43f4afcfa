from dataclasses import dataclass

import pytest

from edge.strict_dataclass import build


@dataclass(frozen=True)
class Inner:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"size {self.size}: must be at least 0")


@dataclass(frozen=True)
class Outer:
    name: str
    ratio: float
    inner: Inner
    flags: tuple[bool, ...]
    versions: dict[str, str]
    long_name: str | None = None


FIELDS = {"name": "a", "ratio": 1, "inner": {"size": 2}, "flags": [True, False], "versions": {"x": "1"}}


def test_nested_values_are_built_and_converted() -> None:
    expected = Outer("a", 1.0, Inner(2), (True, False), {"x": "1"})
    assert build(Outer, FIELDS | {"long_name": None}, "card") == expected
    assert build(Outer, FIELDS, "", defaults=True) == expected


def test_without_defaults_every_field_must_be_there() -> None:
    with pytest.raises(ValueError, match=r"^card\.long_name is missing$"):
        build(Outer, FIELDS, "card")


def test_with_defaults_keys_have_hyphens() -> None:
    assert build(Outer, FIELDS | {"long-name": "b"}, "", defaults=True).long_name == "b"
    with pytest.raises(ValueError, match=r"^long_name: unknown key; the most similar one is 'long-name'$"):
        build(Outer, FIELDS | {"long_name": "b"}, "", defaults=True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": 3}, "card.name must be text, got 3"),
        ({"name": "a\0"}, "card.name contains a NUL character: 'a\\x00'"),
        ({"ratio": "1"}, "card.ratio must be a number, got '1'"),
        ({"ratio": True}, "card.ratio must be a number, got True"),
        ({"ratio": float("inf")}, "card.ratio must be a number, got inf"),
        ({"ratio": 10**30}, "card.ratio is a number with more than 64 bits"),
        ({"inner": {"size": 1.5}}, "card.inner.size must be a whole number, got 1.5"),
        ({"inner": {"size": -1}}, "card.inner.size -1: must be at least 0"),
        ({"inner": 3}, "card.inner must be a table of keys, got 3"),
        ({"flags": [True, 1]}, "card.flags[1] must be true or false, got 1"),
        ({"flags": "no"}, "card.flags must be a list or table, got 'no'"),
        ({"versions": {"x": 1}}, "card.versions.x must be text, got 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^card") as caught:
        build(Outer, FIELDS | {"long_name": None} | change, "card")
    assert str(caught.value) == sentence


def test_something_else_than_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^card must be a table of keys, got \[\]$"):
        build(Outer, [], "card")
