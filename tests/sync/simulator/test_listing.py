"""Pages, filters and order of lists."""

import pytest

from sync.simulator import FOREIGN_TENANT
from tests.sync.simulator.practice import Practice, decoded


def _students(practice: Practice, count: int) -> None:
    for number in range(count):
        practice.student(f"s{number:02}@example.org", f"Student {number % 3}")


def _emails(practice: Practice, *query: tuple[str, str]) -> list[str]:
    response = practice.call("GET", "/students", query=query)
    return [row["email"] for row in decoded(response)["data"]]


def test_a_page_holds_fifteen_unless_told_otherwise() -> None:
    practice = Practice()
    _students(practice, 17)

    body = practice.get("/students")

    assert len(body["data"]) == 15
    assert body["meta"] == {"current_page": 1, "per_page": 15, "total": 17}


def test_pages_cover_everything_once_in_order_of_creation() -> None:
    practice = Practice()
    _students(practice, 7)

    pages = [_emails(practice, ("page", str(page)), ("per_page", "3")) for page in range(1, 5)]

    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [email for page in pages for email in page] == [
        f"s{number:02}@example.org" for number in range(7)
    ]


@pytest.mark.parametrize("value", ["", "0", "-1", "ten", "9999999999999"])
def test_a_page_size_that_is_no_number_falls_back(value: str) -> None:
    meta = Practice().get("/students", per_page=value)["meta"]

    assert meta["per_page"] == 15


def test_filters_must_all_hold() -> None:
    practice = Practice()
    institution = practice.institution()
    practice.course(institution, "A", status="active")
    practice.course(institution, "B", status="active")

    query = (("where[code]", "A"), ("where[status]", "active"))
    both = decoded(practice.call("GET", "/courses", query=query))
    query = (("where[code]", "A"), ("where[status]", "draft"))
    neither = decoded(practice.call("GET", "/courses", query=query))

    assert both["meta"]["total"] == 1
    assert neither == {"data": [], "meta": {"current_page": 1, "per_page": 15, "total": 0}}


@pytest.mark.parametrize(
    ("column", "value", "count"),
    [
        ("is_active", "true", 1),
        ("is_active", "0", 1),
        ("workload", "40", 1),
        ("level", "open", 1),
        ("level", "null", 0),
        ("description", "", 0),
    ],
)
def test_filters_compare_what_a_query_can_spell(column: str, value: str, count: int) -> None:
    practice = Practice()
    institution = practice.institution()
    practice.module(institution, "A", workload=40, is_active=False)
    practice.module(institution, "B", level="open")

    assert len(practice.find("/modules", column, value)) == count


def test_a_filter_by_uuid_finds_one() -> None:
    practice = Practice()
    student = practice.student()
    practice.student("two@example.org")

    assert [row["uuid"] for row in practice.find("/students", "uuid", student.upper())] == [student]


def test_an_unknown_filter_returns_everything() -> None:
    practice = Practice()
    _students(practice, 2)

    assert len(practice.find("/students", "colour", "red")) == 2


def test_rows_are_sorted_both_ways_and_ascending_by_default() -> None:
    practice = Practice()
    _students(practice, 3)

    down = _emails(practice, ("sort[column]", "email"), ("sort[order]", "desc"))
    up = _emails(practice, ("sort[column]", "email"))

    assert down == up[::-1]
    assert up == sorted(up)


def test_equal_rows_keep_the_order_of_creation() -> None:
    practice = Practice()
    _students(practice, 6)

    first = _emails(practice, ("sort[column]", "name"))[:2]

    assert first == ["s00@example.org", "s03@example.org"]


def test_deleted_and_foreign_rows_are_in_no_list() -> None:
    practice = Practice()
    practice.call("DELETE", f"/students/{practice.student()}")
    practice.student("two@example.org")
    practice.speak_as(FOREIGN_TENANT)
    practice.student("three@example.org")

    assert _emails(practice) == ["three@example.org"]
    assert practice.find("/students", "email", "one@example.org") == []


def test_new_rows_show_late_when_the_search_lags() -> None:
    practice = Practice()
    practice.simulator.set_search_lag(5)
    student = practice.student()

    before = practice.find("/students", "email", "one@example.org")
    direct = practice.call("GET", f"/students/{student}").status
    practice.wait(5)
    after = practice.find("/students", "email", "one@example.org")

    assert (before, direct, len(after)) == ([], 200, 1)


def test_shuffled_rows_are_the_same_rows() -> None:
    practice = Practice(default_order="shuffled")
    _students(practice, 10)

    assert sorted(_emails(practice)) == [f"s{number:02}@example.org" for number in range(10)]


def test_the_full_style_tells_the_last_page_and_links() -> None:
    practice = Practice(meta_style="laravel")
    _students(practice, 5)

    body = practice.get("/students", per_page="2", page="2")

    assert body["meta"]["last_page"] == 3
    assert (body["meta"]["from"], body["meta"]["to"]) == (3, 4)
    assert body["links"]["next"].endswith("/students?page=3")
