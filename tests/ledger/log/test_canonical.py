import enum
import json
import math
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import EventError
from ledger.log.canonical import DEPTH_MAX, INTEGER_MAX, canonical_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# Characters on both sides of the surrogates sort differently as UTF-8 and as UTF-16.
KEYS = st.text(st.sampled_from('aZ"\\\x00\x1f\x7f/é\u20ac\ue000\uffee\U0001f600\U00010000'))
LEAVES = st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=30
)


def slow_reference(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(map(escaped, value)) + '"'
        case list() | tuple():
            return "[" + ",".join(map(slow_reference, value)) + "]"
        case dict():
            keys = sorted(value, key=lambda key: list(key.encode("utf-16-be")))
            members = (slow_reference(key) + ":" + slow_reference(value[key]) for key in keys)
            return "{" + ",".join(members) + "}"
    raise AssertionError


def escaped(character: str) -> str:
    short = {
        '"': '\\"',
        "\\": "\\\\",
        "\b": "\\b",
        "\t": "\\t",
        "\n": "\\n",
        "\f": "\\f",
        "\r": "\\r",
    }
    if character in short:
        return short[character]
    return f"\\u{ord(character):04x}" if character < " " else character


def shuffled(value: object, rng: random.Random) -> object:
    if isinstance(value, list):
        return [shuffled(item, rng) for item in value]
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return value


@given(VALUES)
def test_canonical_bytes_equal_a_slow_reference(value: object) -> None:
    assert canonical_bytes(value).decode() == slow_reference(value)


@given(VALUES)
def test_canonical_bytes_read_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical_bytes(value)) == value


@given(VALUES, st.integers(0, 2**32))
def test_the_order_of_insertion_changes_nothing(value: object, seed: int) -> None:
    mixed = shuffled(value, random.Random(seed))

    assert canonical_bytes(mixed) == canonical_bytes(value)


def test_every_character_is_written_as_the_reference_writes_it() -> None:
    everything = "".join(chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000)

    assert canonical_bytes(everything).decode() == slow_reference(everything)


def test_keys_sort_by_code_units_of_utf_16() -> None:
    keys = {"\uffee": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "\r": 5, "\u00f6": 6, "\u0080": 7}

    written = list(json.loads(canonical_bytes(keys)))

    assert written == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\uffee"]


def test_a_tuple_is_an_array() -> None:
    assert canonical_bytes({"b": (1, 2), "a": ()}) == b'{"a":[],"b":[1,2]}'


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (1.0, "decimals as strings"),
        (math.nan, "decimals as strings"),
        ({"grade": [1.5]}, "decimals as strings"),
        (INTEGER_MAX + 1, "send it as a string"),
        (-INTEGER_MAX - 1, "send it as a string"),
        (2**80, "send it as a string"),
        ({1: "a"}, "use text"),
        ({"cafe\u0301": 1}, "normalise it first"),
        ("\ud800", "well-formed Unicode"),
        ({"\udfff": 1}, "well-formed Unicode"),
        ({"é": "\ud83d"}, "well-formed Unicode"),
        (Decimal("1.5"), "no canonical form"),
        (b"bytes", "no canonical form"),
        ({1, 2}, "no canonical form"),
        (Colour.RED, "no canonical form"),
    ],
)
def test_what_has_no_single_form_is_refused(value: object, advice: str) -> None:
    with pytest.raises(EventError, match=advice):
        canonical_bytes(value)


def test_the_largest_integers_are_taken() -> None:
    written = canonical_bytes([INTEGER_MAX, -INTEGER_MAX])

    assert written == b"[9007199254740992,-9007199254740992]"


def test_depth_is_bounded() -> None:
    value: object = "leaf"
    for _ in range(DEPTH_MAX):
        value = [value]

    assert canonical_bytes(value).count(b"[") == DEPTH_MAX
    with pytest.raises(EventError, match="nested 64 deep"):
        canonical_bytes([value])


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)

    with pytest.raises(EventError, match="nested"):
        canonical_bytes(loop)


def test_a_refusal_repeats_nothing_of_the_value() -> None:
    with pytest.raises(EventError) as refusal:
        canonical_bytes({"name": "Maria\ud800", "e-mail": "maria@example.com"})

    assert "Maria" not in str(refusal.value)
    assert refusal.value.__context__ is None
