"""Data classes from what was read from a file, as strictly as the types of their fields say."""

import dataclasses
import difflib
import math
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST_INT = 1 << 63  # of what a file says; Python's own have no end, and don't all become floats or text


def build(kind: type[T], fields: object, where: str, *, defaults: bool = False) -> T:
    """Make a data class from nested dicts and lists; `where` names it in errors, "" leaves that to the caller.

    With `defaults` a key may be missing if its field has a default, and is written with hyphens instead of underscores.
    Raise ValueError, in one sentence, for a wrong type, an unknown key (naming the nearest known one) or a missing one.
    """
    if not isinstance(fields, dict):
        raise ValueError(f"{where} is {fields!r:.60}, which is no table of keys")
    inside = f"{where}." if where else ""
    hints = typing.get_type_hints(kind)
    known = {name.replace("_", "-") if defaults else name: name for name in hints}
    if unknown := sorted(str(key) for key in set(fields) - set(known)):
        nearest = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0)[0]
        raise ValueError(f"{inside}{unknown[0]!s:.60}: there is no such key; the nearest that there is: {nearest!r}")
    optional = {f.name for f in dataclasses.fields(kind) if defaults and f.default is not dataclasses.MISSING}  # type: ignore[arg-type]
    if missing := sorted(key for key, name in known.items() if key not in fields and name not in optional):
        raise ValueError(f"{inside}{missing[0]}: is missing")
    values = {known[key]: _value(hints[known[key]], fields[key], f"{inside}{key}", defaults) for key in fields}
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{inside}{error}") from None


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
    if type(value) is int and not -LARGEST_INT <= value < LARGEST_INT:
        raise ValueError(f"{where} is a number of more than 64 bits")
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind is str and isinstance(value, str) and "\0" in value:
        raise ValueError(f"{where} is {value!r:.60}, which holds a NUL")
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise ValueError(f"{where} is {value!r:.60}, which is no {getattr(kind, '__name__', kind)}")
