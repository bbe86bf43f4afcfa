"""Data classes from parsed JSON or TOML, checked against the types of their fields."""

import dataclasses
import difflib
import math
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")
INT_LIMIT = 1 << 63  # Python's own integers have no limit, but larger ones don't all convert to float or text
TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def build(kind: type[T], fields: object, where: str, *, defaults: bool = False) -> T:
    """Make a data class from nested dicts and lists.

    Parameters
    ----------
    kind
        The data class.
    fields
        Its fields by name.
    where
        Name of the whole in errors; "" for none.
    defaults
        A field with a default may be missing, and keys have hyphens instead of underscores.

    Raises
    ------
    ValueError
        For a wrong type, an unknown key (with the most similar known one) or a missing one, in one sentence.
    """
    if not isinstance(fields, dict):
        raise ValueError(f"{where} must be a table of keys, got {fields!r:.60}")
    prefix = f"{where}." if where else ""
    hints = typing.get_type_hints(kind)
    known = {name.replace("_", "-") if defaults else name: name for name in hints}
    if unknown := sorted(str(key) for key in set(fields) - set(known)):
        nearest = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0)[0]
        raise ValueError(f"{prefix}{unknown[0]!s:.60}: unknown key; the most similar one is {nearest!r}")
    optional = {f.name for f in dataclasses.fields(kind) if defaults and f.default is not dataclasses.MISSING}  # type: ignore[arg-type]
    if missing := sorted(key for key, name in known.items() if key not in fields and name not in optional):
        raise ValueError(f"{prefix}{missing[0]} is missing")
    values = {known[key]: _value(hints[known[key]], fields[key], f"{prefix}{key}", defaults) for key in fields}
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{prefix}{error}") from None


def _value(kind: Any, value: Any, where: str, defaults: bool) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # X | None
        return None if value is None else _value(arguments[0], value, where, defaults)
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type, kind), value, where, defaults=defaults)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f"{where}[{i}]", defaults) for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _value(arguments[1], item, f"{where}.{key}", defaults) for key, item in value.items()}
    if type(value) is int and not -INT_LIMIT <= value < INT_LIMIT:
        raise ValueError(f"{where} is a number with more than 64 bits")
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind is str and isinstance(value, str) and "\0" in value:
        raise ValueError(f"{where} contains a NUL character: {value!r:.60}")
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise ValueError(f"{where} must be {TYPE_NAMES.get(kind, 'a list or table')}, got {value!r:.60}")
