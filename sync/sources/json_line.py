"""One line of JSON, decoded without losing anything: exact decimals, no repeated keys."""

import json
from decimal import Decimal
from typing import Final, NoReturn

from sync.resources.definition import Fault

FIELD: Final = "line"
DIGITS_MAX: Final = 40
EXPONENT_MAX: Final = 40
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_MESSAGES: Final = {
    "encoding": "the line is not UTF-8; save the file as UTF-8",
    "surrogate": "a text holds half of a surrogate pair; send well-formed Unicode",
    "json": "the line is not JSON; write one whole event per line",
    "not_an_object": "the line is JSON but not an object; write one event per line, without a list",
    "duplicate_key": "a key comes twice in one object; keep one of the two values",
    "number": "a number is not finite or has too many digits; send a plain decimal",
    "too_deep": "the values are nested too deep; send a flatter event",
}


class _Refusal(Exception):  # noqa: N818 - it leaves this module only as a value
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def line_fault(code: str) -> Fault:
    """Return the fault of a line that cannot be decoded."""
    return Fault(FIELD, code, _MESSAGES[code])


def decode(line: bytes) -> dict[str, object] | Fault:
    """Return the object that the line holds, or why it holds none."""
    try:
        value = _DECODER.decode(line.decode("utf-8"))
        if b"\\u" in line:
            _check_texts(value)
    except UnicodeDecodeError:
        return line_fault("encoding")
    except RecursionError:
        return line_fault("too_deep")
    except _Refusal as refusal:
        return line_fault(refusal.code)
    except ValueError:
        return line_fault("json")
    return value if type(value) is dict else line_fault("not_an_object")


def _check_texts(value: object) -> None:
    """Refuse lone surrogates, which only an escape can bring in."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise _Refusal("surrogate") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refusal("duplicate_key")
    return value


def _decimal(text: str) -> Decimal:
    if len(text) > DIGITS_MAX:
        raise _Refusal("number")
    value = Decimal(text)
    # A short text may name a number of a billion digits, which must never be written out.
    if not -EXPONENT_MAX <= value.adjusted() <= EXPONENT_MAX:
        raise _Refusal("number")
    return value


def _integer(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise _Refusal("number")
    return int(text)


def _constant(_text: str) -> NoReturn:
    raise _Refusal("number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_constant,
)
