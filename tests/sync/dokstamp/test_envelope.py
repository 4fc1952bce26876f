from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.envelope import (
    Pagination,
    as_record,
    pagination,
    record,
    refused_fields,
    refuses,
    rows,
)

ROW = {"uuid": "A-1", "name": "Algebra", "grade": Decimal("8.75")}
NOT_RECORDS: list[Any] = [None, "ok", 7, [], [ROW], {}, {"data": None}, {"data": []}, {"data": "x"}]
NOT_RECORDS += [{"data": {"name": "no uuid"}}, {"data": {"uuid": 7}}, {"data": {"uuid": " "}}]


def done(body: Any) -> Answer:
    return Answer(Meaning.DONE, 200, body)


def test_a_record_is_reached_beside_unknown_keys() -> None:
    answer = done({"success": True, "data": ROW})

    assert record(answer) == ROW
    assert as_record(answer, method="GET") is answer


def test_a_record_marked_deleted_counts_as_missing() -> None:
    answer = done({"data": ROW | {"deleted_at": "2026-01-01T00:00:00.000000Z"}})

    assert record(answer) is None
    assert as_record(answer, method="GET").meaning is Meaning.MISSING


def test_a_record_with_an_empty_deletion_date_is_live() -> None:
    answer = done({"data": ROW | {"deleted_at": None}})

    assert record(answer) is not None


@pytest.mark.parametrize("body", NOT_RECORDS)
def test_what_is_not_a_record_is_not_understood(body: Any) -> None:
    read = as_record(done(body), method="GET")
    write = as_record(done(body), method="POST")

    assert record(done(body)) is None
    assert (read.meaning, read.fault) == (Meaning.UNAVAILABLE, Fault.NOT_UNDERSTOOD)
    assert (write.meaning, write.status) == (Meaning.UNCERTAIN, 200)


def test_a_refusal_keeps_its_meaning_whatever_it_holds() -> None:
    answer = Answer(Meaning.INVALID, 422, {"data": ROW})

    assert record(answer) is None
    assert rows(answer) is None
    assert as_record(answer, method="POST") is answer


def test_rows_are_all_understood_or_none() -> None:
    assert rows(done({"data": [ROW]})) == (ROW,)
    assert rows(done({"data": []})) == ()
    assert rows(done({"data": [ROW, {"name": "no uuid"}]})) is None
    assert rows(done({"data": [ROW, "text"]})) is None
    assert rows(done({"data": ROW})) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": [], "meta": {"total": 3, "current_page": 1}}, Pagination(3, 1, None)),
        ({"data": [], "meta": {"total": "3", "last_page": "2"}}, Pagination(3, None, 2)),
        ({"data": [], "current_page": 2, "total": 9, "last_page": 3}, Pagination(9, 2, 3)),
        ({"data": [], "meta": {"total": True, "current_page": -1}}, Pagination()),
        ({"data": [], "meta": {"total": 1.5, "current_page": "x"}}, Pagination()),
        ({"data": []}, None),
        ({"data": [], "meta": "none"}, None),
        ("text", None),
    ],
)
def test_pagination_takes_what_it_understands(body: Any, expected: Pagination | None) -> None:
    assert pagination(done(body)) == expected


def test_the_fields_of_a_refusal_are_named_without_their_texts() -> None:
    errors = {"modules.0.uuid": ["…"], "email": ["ana@example.org is taken"], "not a name!": []}
    answer = Answer(Meaning.INVALID, 422, {"message": "…", "errors": errors})

    assert refused_fields(answer) == ("email", "modules.0.uuid")
    assert refuses(answer, "modules")
    assert refuses(answer, "email")
    assert not refuses(answer, "mail")
    assert not refuses(answer, "module")


def test_a_list_is_read_without_an_envelope_too() -> None:
    answer = done([ROW])

    assert rows(answer) == (ROW,)
    assert pagination(answer) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "meta", "errors", "uuid", "total", "current_page"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_body_makes_a_reader_fail(body: Any) -> None:
    answer = done(body)

    assert as_record(answer, method="GET").status == 200
    assert rows(answer) is None or isinstance(rows(answer), tuple)
    assert pagination(answer) is None or isinstance(pagination(answer), Pagination)
    assert isinstance(refused_fields(answer), tuple)
