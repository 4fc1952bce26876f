"""Requests as bytes and bytes as answers: what the one door sends, and what it got back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import orjson

from sync.dokstamp.answer import Answer, Fault, RateLimit, classify
from sync.dokstamp.request import Body, Request, Upload

ANSWER_BYTES_MAX: Final = 32 * 2**20
RETRY_AFTER_SECONDS_MAX: Final = 3600.0
"""Longer waits than this are taken for a mistake; what is refused again says so again."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_COUNT: Final = re.compile(r"[0-9]{1,12}")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_EPOCH_SECONDS_MIN: Final = 1_000_000_000
"""A reset larger than this is a moment, not a number of seconds to wait."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request, complete but for what the connection adds."""

    method: str
    url: str = field(repr=False)
    """Already percent-encoded: to be sent as it is."""
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came back for one HTTP request; without a status, `fault` says what went wrong."""

    status: int | None
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By their names in lower case."""
    fault: str = ""


def target(request: Request) -> str:
    """Return path and query, with every value of the query percent-encoded.

    A blank becomes `%20` and a plus sign `%2B`, which no server reads in two ways (API 7.2).
    """
    if not _PATH.fullmatch(request.path):
        message = f"the path of {request.route} is not percent-encoded; build it with path_of"
        raise ValueError(message)
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query
    )
    return f"{request.path}?{query}" if query else request.path


def encode_body(body: Body) -> bytes:
    """Return a body as JSON, in which a decimal is a number with the same digits."""
    return orjson.dumps(body, default=_encode_value)


def _encode_value(value: object) -> object:
    if isinstance(value, Decimal):
        if not value.is_finite():
            message = "a number of a request body is not finite; correct the payload"
            raise ValueError(message)
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def read_answer(method: str, incoming: Incoming, *, now: datetime) -> Answer:
    """Return what came back, decoded and classified."""
    body, is_json = _decode(incoming.content) if not incoming.fault else (None, False)
    is_success = incoming.status is not None and incoming.status // 100 == 2
    if not incoming.content and not incoming.fault:
        # A read that succeeds has something to say; everything else may be silent.
        is_json = method != "GET" or not is_success
    meaning = classify(method, status=incoming.status, body_is_json=is_json, fault=incoming.fault)
    return Answer(
        meaning,
        incoming.status,
        body,
        retry_after_seconds=retry_after_seconds(incoming.headers.get("retry-after"), now=now),
        fault=incoming.fault or _fault(incoming.status, is_json=is_json, is_success=is_success),
        rate_limit=_rate_limit(incoming.headers, now),
    )


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """Return how long a `Retry-After` asks to wait, or None if it cannot be taken seriously."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_SECONDS_MAX)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is in UTC, as every date of HTTP.
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(seconds, RETRY_AFTER_SECONDS_MAX) if seconds >= 0 else None


def _decode(content: bytes) -> tuple[Any, bool]:
    """Return the JSON value that bytes hold, and whether they hold one."""
    try:
        # Decimals keep their digits, and NaN and Infinity are not JSON.
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse), True
    except (ValueError, RecursionError, ArithmeticError):
        return None, False


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _fault(status: int | None, *, is_json: bool, is_success: bool) -> str:
    if status is not None and status // 100 == 3:
        return Fault.REDIRECT
    return "" if is_json or not is_success else Fault.NOT_JSON


def _rate_limit(headers: Mapping[str, str], now: datetime) -> RateLimit | None:
    limit = _count(headers.get("x-ratelimit-limit"))
    remaining = _count(headers.get("x-ratelimit-remaining"))
    reset = _count(headers.get("x-ratelimit-reset"))
    if (limit, remaining, reset) == (None, None, None):
        return None
    return RateLimit(limit, remaining, _reset_seconds(reset, now))


def _count(header: str | None) -> int | None:
    text = (header or "").strip()
    return int(text) if _COUNT.fullmatch(text) else None


def _reset_seconds(reset: int | None, now: datetime) -> float | None:
    if reset is None:
        return None
    seconds = reset - now.timestamp() if reset >= _EPOCH_SECONDS_MIN else float(reset)
    return min(max(0.0, seconds), RETRY_AFTER_SECONDS_MAX)
