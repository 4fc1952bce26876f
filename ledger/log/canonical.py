"""One value, one sequence of bytes: JSON as RFC 8785 writes it, restricted.

Hashes outlive programs, so what two programs could write differently is refused rather
than written: floats (decimals go as strings), integers beyond ±2^53, keys that are not
in NFC, lone surrogates, and every type that JSON does not have.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

import orjson

from ledger.errors import EventError

INTEGER_MAX: Final = 2**53
DEPTH_MAX: Final = 64


def canonical_bytes(value: object) -> bytes:
    """Return the only bytes that this value has, or refuse it with EventError."""
    ordering_is_plain = _check(value, 0)
    try:
        if ordering_is_plain:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return orjson.dumps(_ordered(value))
    except orjson.JSONEncodeError:
        # Types and depth were checked: text that is not Unicode is all that remains. The
        # cause is not chained, because it may hold the text.
        message = "a text holds half of a surrogate pair; send well-formed Unicode"
    raise EventError(message)


def _check(value: object, depth: int) -> bool:
    """Refuse what has no canonical form; tell whether all keys sort as plain bytes."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    check = _CHECKS.get(kind)
    if check is None:
        message = f"{kind.__name__} has no canonical form; use text, integers, true, false, null"
        raise EventError(message)
    if depth >= DEPTH_MAX:
        message = f"values may be nested {DEPTH_MAX} deep at most; send a flatter one"
        raise EventError(message)
    return check(value, depth)


def _check_integer(value: int, _depth: int) -> bool:
    if -INTEGER_MAX <= value <= INTEGER_MAX:
        return True
    message = "an integer lies beyond ±2^53, where programs disagree; send it as a string"
    raise EventError(message)


def _check_float(_value: float, _depth: int) -> bool:
    message = "a float has no canonical form; send decimals as strings"
    raise EventError(message)


def _check_array(value: list[object] | tuple[object, ...], depth: int) -> bool:
    plain = True
    for item in value:
        if type(item) is not str:
            plain &= _check(item, depth + 1)
    return plain


def _check_object(value: dict[object, object], depth: int) -> bool:
    plain = True
    for key, item in value.items():
        if type(key) is not str:
            message = f"an object has a key of type {type(key).__name__}; use text"
            raise EventError(message)
        if not key.isascii():
            plain = False
            _check_normalised(key)
        # Text is by far the most common: not calling for it nearly halves the time.
        if type(item) is not str:
            plain &= _check(item, depth + 1)
    return plain


def _check_normalised(key: str) -> None:
    if not unicodedata.is_normalized("NFC", key):
        message = "a key is not in Unicode normalisation form C; normalise it first"
        raise EventError(message)


def _ordered(value: object) -> object:
    """Return the value with its keys in the order of their UTF-16 code units.

    Sorting UTF-8 bytes, as orjson does, differs from it beyond the basic plane.
    """
    match value:
        case dict():
            return {key: _ordered(value[key]) for key in sorted(value, key=_code_units)}
        case list() | tuple():
            return [_ordered(item) for item in value]
        case _:
            return value


def _code_units(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


# Exact types only: a subclass may print itself in its own way.
_CHECKS: Final[dict[type, Callable[..., bool]]] = {
    int: _check_integer,
    float: _check_float,
    list: _check_array,
    tuple: _check_array,
    dict: _check_object,
}
