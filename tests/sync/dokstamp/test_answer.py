from itertools import product

import pytest

from sync.dokstamp.answer import Answer, Fault, Meaning, classify, not_understood

GET, POST, PATCH, PUT, DELETE = "GET", "POST", "PATCH", "PUT", "DELETE"
WRITES = (POST, PATCH, PUT)

TABLE = [
    # status, read, write, delete
    (200, Meaning.DONE, Meaning.DONE, Meaning.DONE),
    (201, Meaning.DONE, Meaning.DONE, Meaning.DONE),
    (204, Meaning.DONE, Meaning.DONE, Meaning.DONE),
    (100, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.UNCERTAIN),
    (302, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.UNCERTAIN),
    (308, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.UNCERTAIN),
    (400, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (401, Meaning.UNAUTHORISED, Meaning.UNAUTHORISED, Meaning.UNAUTHORISED),
    (402, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (403, Meaning.UNAUTHORISED, Meaning.UNAUTHORISED, Meaning.UNAUTHORISED),
    (404, Meaning.MISSING, Meaning.MISSING, Meaning.MISSING),
    (405, Meaning.MISSING, Meaning.MISSING, Meaning.MISSING),
    (408, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (409, Meaning.INVALID, Meaning.INVALID, Meaning.REFUSED),
    (410, Meaning.MISSING, Meaning.MISSING, Meaning.MISSING),
    (413, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (415, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (418, Meaning.INVALID, Meaning.INVALID, Meaning.INVALID),
    (422, Meaning.INVALID, Meaning.INVALID, Meaning.REFUSED),
    (429, Meaning.THROTTLED, Meaning.THROTTLED, Meaning.THROTTLED),
    (500, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.REFUSED),
    (502, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.REFUSED),
    (503, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.REFUSED),
    (504, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.REFUSED),
    (599, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.REFUSED),
    (600, Meaning.UNAVAILABLE, Meaning.UNCERTAIN, Meaning.UNCERTAIN),
]


@pytest.mark.parametrize(("status", "read", "write", "delete"), TABLE)
def test_a_status_means_what_the_contract_says(
    status: int, read: Meaning, write: Meaning, delete: Meaning
) -> None:
    assert classify(GET, status=status) is read
    assert [classify(method, status=status) for method in WRITES] == [write] * 3
    assert classify(DELETE, status=status) is delete


@pytest.mark.parametrize(
    ("status", "method", "meaning"),
    [
        (200, GET, Meaning.UNAVAILABLE),
        (201, POST, Meaning.UNCERTAIN),
        (200, PATCH, Meaning.UNCERTAIN),
        (200, DELETE, Meaning.UNCERTAIN),
        (404, GET, Meaning.UNAVAILABLE),
        (404, POST, Meaning.MISSING),
        (413, POST, Meaning.INVALID),
        (422, PATCH, Meaning.INVALID),
        (403, GET, Meaning.UNAUTHORISED),
        (429, GET, Meaning.THROTTLED),
        (503, GET, Meaning.UNAVAILABLE),
    ],
)
def test_a_page_in_place_of_json_proves_no_success_and_no_absence(
    status: int, method: str, meaning: Meaning
) -> None:
    assert classify(method, status=status, body_is_json=False) is meaning


@pytest.mark.parametrize("method", [GET, POST, PATCH, PUT, DELETE])
@pytest.mark.parametrize("fault", [Fault.CONNECT, Fault.TOKEN])
def test_what_was_never_sent_can_be_sent_again(method: str, fault: Fault) -> None:
    assert classify(method, status=None, fault=fault) is Meaning.UNAVAILABLE


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.RESET, Fault.PROTOCOL])
def test_a_lost_answer_leaves_a_write_uncertain(fault: Fault) -> None:
    meanings = {
        method: classify(method, status=None, fault=fault) for method in (GET, POST, DELETE)
    }

    assert meanings == {
        GET: Meaning.UNAVAILABLE,
        POST: Meaning.UNCERTAIN,
        DELETE: Meaning.UNCERTAIN,
    }


def test_methods_of_no_known_kind_count_as_writes() -> None:
    assert classify("purge", status=500) is Meaning.UNCERTAIN
    assert not_understood("PURGE") is Meaning.UNCERTAIN


def test_every_status_means_something_for_every_method() -> None:
    combinations = product((GET, POST, DELETE), range(-1, 1000), (True, False))

    meanings = {
        classify(method, status=status, body_is_json=is_json)
        for method, status, is_json in combinations
    }

    assert meanings == set(Meaning)


def test_an_answer_does_not_show_its_body() -> None:
    answer = Answer(Meaning.DONE, 200, {"data": {"email": "ana@example.org"}})

    assert "ana" not in repr(answer)
