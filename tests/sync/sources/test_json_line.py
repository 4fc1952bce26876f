from decimal import Decimal

import pytest

from sync.resources.definition import Fault
from sync.sources.json_line import decode


def test_decimals_stay_exact() -> None:
    assert decode(b'{"grade": 8.10, "big": 1234567890123456789}') == {
        "grade": Decimal("8.10"),
        "big": 1234567890123456789,
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"data": {"name": "x", "name": "x"}}', "duplicate_key"),
        (b'{"a": NaN}', "number"),
        (b'{"a": -Infinity}', "number"),
        (b'{"a": 1e999999999}', "number"),
        (b'{"a": 0.' + b"1" * 5000 + b"}", "number"),
        (b'{"a": ' + b"1" * 5000 + b"}", "number"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a": "\xff"}', "encoding"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": {"\\udfff": 1}}', "surrogate"),
        (b"[{}]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"a": 1} {"b": 2}', "json"),
        (b'{"a": ', "json"),
        (b"{'a': 1}", "json"),
    ],
)
def test_a_line_that_would_lose_something_is_refused(line: bytes, code: str) -> None:
    fault = decode(line)

    assert isinstance(fault, Fault)
    assert (fault.field, fault.code) == ("line", code)
    assert fault.message


def test_escapes_beyond_the_basic_plane_are_taken() -> None:
    assert decode(b'{"a": "\\ud83d\\ude00 \\u00e9", "d": 1.5}') == {
        "a": "\U0001f600 é",
        "d": Decimal("1.5"),
    }
