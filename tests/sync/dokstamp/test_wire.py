import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dokstamp.answer import Fault, Meaning, RateLimit
from sync.dokstamp.request import BodyValue, Request, path_of
from sync.dokstamp.wire import Incoming, encode_body, read_answer, retry_after_seconds, target

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_value_of_a_query_is_percent_encoded() -> None:
    query = (("where[email]", "a+b c@é.org"), ("page", "1"), ("x", "&=#?/%"))
    request = Request("GET", "/students", "/students", query=query)

    assert target(request) == (
        "/students?where%5Bemail%5D=a%2Bb%20c%40%C3%A9.org&page=1&x=%26%3D%23%3F%2F%25"
    )


def test_a_path_encodes_each_segment_whole() -> None:
    assert path_of("courses", "U 1/../x?y", "modules") == "/courses/U%201%2F..%2Fx%3Fy/modules"


@pytest.mark.parametrize("segments", [(), ("courses", ""), ("courses", ".."), (".",)])
def test_a_path_with_a_segment_that_names_nothing_is_refused(segments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="check the uuid"):
        path_of(*segments)


@pytest.mark.parametrize("path", ["U-7", "/a b", "/a?b=1", "/a#b", "//host/x", "/a\r\nX: y"])
def test_a_path_that_is_not_encoded_is_refused_without_being_shown(path: str) -> None:
    with pytest.raises(ValueError, match="path_of") as error:
        target(Request("GET", path, "/courses/{uuid}"))

    assert path not in str(error.value)


def test_decimals_keep_their_digits_on_the_way_out() -> None:
    body: dict[str, BodyValue] = {"grade": Decimal("8.70"), "tiny": Decimal("1E-7"), "name": "é"}

    assert encode_body(body) == '{"grade":8.70,"tiny":0.0000001,"name":"é"}'.encode()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_not_sent(text: str) -> None:
    with pytest.raises(TypeError):
        encode_body({"grade": Decimal(text)})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_decimals_come_back_as_they_went(number: Decimal) -> None:
    content = encode_body({"data": {"grade": number}})

    answer = read_answer("GET", Incoming(200, content), now=NOW)

    assert str(answer.body["data"]["grade"]) == str(number)


def test_numbers_with_a_fraction_are_decimals_and_others_integers() -> None:
    answer = read_answer("GET", Incoming(200, b'{"grade": 8.750, "size": 12}'), now=NOW)

    assert repr(answer.body) == "{'grade': Decimal('8.750'), 'size': 12}"


@pytest.mark.parametrize(
    ("method", "status", "content", "meaning", "fault"),
    [
        ("GET", 200, b"<html>", Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b"", Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b'{"data": [', Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b'{"x": NaN}', Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b"\xff\xfe\x00", Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b"[" * 200_000, Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("GET", 200, b"1" * 5_000, Meaning.UNAVAILABLE, Fault.NOT_JSON),
        ("POST", 201, b"<html>", Meaning.UNCERTAIN, Fault.NOT_JSON),
        ("POST", 200, b"", Meaning.DONE, ""),
        ("POST", 204, b"", Meaning.DONE, ""),
        ("DELETE", 204, b"", Meaning.DONE, ""),
        ("GET", 302, b"<html>", Meaning.UNAVAILABLE, Fault.REDIRECT),
        ("POST", 302, b"", Meaning.UNCERTAIN, Fault.REDIRECT),
        ("GET", 404, b"", Meaning.MISSING, ""),
        ("GET", 404, b"{}", Meaning.MISSING, ""),
        ("GET", 404, b"404: Not Found", Meaning.UNAVAILABLE, ""),
        ("POST", 413, b"<html>", Meaning.INVALID, ""),
        ("GET", 200, b"\xef\xbb\xbf{}", Meaning.DONE, ""),
    ],
)
def test_bytes_mean_what_the_contract_says(
    method: str, status: int, content: bytes, meaning: Meaning, fault: str
) -> None:
    answer = read_answer(method, Incoming(status, content), now=NOW)

    assert (answer.meaning, answer.fault) == (meaning, fault)


def test_a_broken_answer_keeps_its_status_and_fault() -> None:
    answer = read_answer("POST", Incoming(201, fault=Fault.INCOMPLETE), now=NOW)

    assert (answer.meaning, answer.status) == (Meaning.UNCERTAIN, 201)
    assert answer.fault == Fault.INCOMPLETE


def test_a_refusal_stands_even_when_its_text_is_lost() -> None:
    answer = read_answer("POST", Incoming(422, fault=Fault.INCOMPLETE), now=NOW)

    assert answer.meaning is Meaning.INVALID


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("-3", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("٣", None),
        ("99999999", 3600.0),
        ("9" * 400, None),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30.0),
        ("Sun, 01 Mar 2026 11:59:59 GMT", None),
        ("Sun, 01 Mar 2099 12:00:00 GMT", 3600.0),
        ("Sun, 99 Mar 2026 12:00:00 GMT", None),
    ],
)
def test_how_long_to_wait_is_taken_if_it_can_be_meant(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_seconds(header, now=NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_makes_the_reader_fail(text: str) -> None:
    seconds = retry_after_seconds(text, now=NOW)

    assert seconds is None or 0 <= seconds <= 3600


def test_a_rate_limit_is_read_part_by_part() -> None:
    reset = int((NOW + timedelta(seconds=20)).timestamp())
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}

    answer = read_answer("GET", Incoming(200, b"{}", headers), now=NOW)

    assert answer.rate_limit == RateLimit(None, 0, 20.0)
    assert read_answer("GET", Incoming(200, b"{}"), now=NOW).rate_limit is None


def test_a_reset_may_be_a_number_of_seconds() -> None:
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "x", "x-ratelimit-reset": "9"}

    answer = read_answer("GET", Incoming(200, b"{}", headers), now=NOW)

    assert answer.rate_limit == RateLimit(60, None, 9.0)


def test_nested_bodies_of_any_mapping_are_encoded() -> None:
    body: dict[str, BodyValue] = {"modules": [{"uuid": "U-1", "order": 1}], "empty": []}

    assert json.loads(encode_body(body)) == body
