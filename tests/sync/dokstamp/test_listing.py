from random import Random
from typing import Any

import pytest

from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Complete, Doubt, Listing, Unknown
from tests.sync.dokstamp.lister import Lister, answer_with, people, run


def uuids(listing: Listing) -> list[str]:
    assert isinstance(listing, Complete), listing
    return sorted(row["uuid"] for row in listing.rows)


def expected(count: int) -> list[str]:
    return sorted(row["uuid"] for row in people(count))


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 101, 151])
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"has_last_page": True},
        {"per_page_max": 15},
        {"has_total": False},
        {"has_total": False, "has_last_page": True},
        {"has_meta": False},
    ],
    ids=str,
)
def test_every_row_is_found_however_the_list_is_paged(count: int, switches: dict[str, Any]) -> None:
    lister = Lister(people(count), **switches)

    assert uuids(run(lister)) == expected(count)


@pytest.mark.parametrize(
    ("count", "switches", "calls"),
    [
        (0, {}, 1),
        (50, {}, 1),
        (51, {}, 2),
        (30, {"per_page_max": 15}, 2),
        (50, {"has_total": False, "has_last_page": True}, 1),
        (30, {"has_total": False}, 2),
        (49, {"has_meta": False}, 1),
        (50, {"has_meta": False}, 2),
        (80, {"has_meta": False}, 1),
    ],
)
def test_no_page_is_asked_for_needlessly(count: int, switches: dict[str, Any], calls: int) -> None:
    lister = Lister(people(count), **switches)

    run(lister)

    assert len(lister.queries) == calls


def test_page_and_page_size_are_always_sent_and_filters_by_column() -> None:
    lister = Lister(people(3))

    run(lister, filters=(("code", "C1"),))

    assert lister.queries == [{"where[code]": "C1", "page": "1", "per_page": "50"}]


def test_an_ignored_page_is_told_from_the_page_number() -> None:
    lister = Lister(people(80), page_is_honoured=False)

    listing = run(lister)

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.PAGE_IGNORED


def test_an_ignored_page_is_told_from_its_rows() -> None:
    first = people(50)

    listing = run(lambda _query, _number: answer_with({"data": first, "meta": {"total": 80}}))

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.PAGE_IGNORED


def test_an_ignored_page_does_no_harm_to_a_list_of_one_page() -> None:
    assert uuids(run(Lister(people(40), page_is_honoured=False))) == expected(40)


def test_rows_that_come_twice_count_once_whatever_their_letter_case() -> None:
    pages = {"1": people(3), "2": [{"uuid": "u-0002"}, {"uuid": "U-0003"}]}

    listing = run(
        lambda query, _: answer_with({"data": pages[query["page"]], "meta": {"total": 4}})
    )

    assert len(uuids(listing)) == 4


def test_a_list_that_grows_while_it_is_read_is_read_again() -> None:
    lister = Lister(people(60))

    def respond(query: dict[str, str], number: int) -> Answer:
        if number == 1:
            lister.records.insert(0, {"uuid": "NEW", "code": "C"})
        return lister(query, number)

    assert uuids(run(respond)) == sorted(["NEW", *expected(60)])
    assert len(lister.queries) == 4


def test_a_row_that_vanished_while_the_list_was_read_is_not_reported() -> None:
    lister = Lister(people(60))

    def respond(query: dict[str, str], number: int) -> Answer:
        if number == 1:
            del lister.records[0]
        return lister(query, number)

    assert uuids(run(respond)) == expected(60)[1:]


def test_a_list_that_never_stands_still_is_unknown() -> None:
    lister = Lister(people(60))

    def respond(query: dict[str, str], number: int) -> Answer:
        lister.records.append({"uuid": f"NEW-{number}", "code": "C"})
        return lister(query, number)

    listing = run(respond)

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.UNSTEADY


@pytest.mark.parametrize("seed", range(20))
def test_an_order_that_changes_on_every_call_is_overcome_by_sorting(seed: int) -> None:
    lister = Lister(people(120), shuffles=Random(seed))

    assert uuids(run(lister)) == expected(120)


@pytest.mark.parametrize("seed", range(20))
def test_an_order_that_cannot_be_fixed_never_loses_a_row_in_silence(seed: int) -> None:
    lister = Lister(people(120), shuffles=Random(seed), sort_is_refused=True)

    listing = run(lister)

    assert isinstance(listing, Unknown) or uuids(listing) == expected(120)


def test_a_total_larger_than_the_rows_is_never_absence() -> None:
    listing = run(lambda _query, _number: answer_with({"data": [], "meta": {"total": 3}}))

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.UNSTEADY


def test_a_total_smaller_than_the_rows_is_not_believed() -> None:
    listing = run(lambda _query, _number: answer_with({"data": people(3), "meta": {"total": 1}}))

    assert isinstance(listing, Unknown)


def test_an_ignored_filter_brings_the_whole_list() -> None:
    lister = Lister(people(80), filter_is="ignored")

    assert uuids(run(lister, filters=(("code", "C7"),))) == expected(80)


@pytest.mark.parametrize("filter_is", ["422", "500"])
def test_a_refused_filter_is_left_out(filter_is: str) -> None:
    lister = Lister(people(80), filter_is=filter_is)

    assert uuids(run(lister, filters=(("code", "C7"),))) == expected(80)
    assert "where[code]" not in lister.queries[-1]


def test_a_refused_filter_is_not_sent_twice() -> None:
    lister = Lister(people(8), filter_is="422")

    run(lister, filters=(("code", "C7"),))

    assert len(lister.queries) == 2


def test_a_single_failure_does_not_cost_the_filter() -> None:
    lister = Lister(people(80))

    def respond(query: dict[str, str], number: int) -> Answer:
        return answer_with(None, 500) if number == 0 else lister(query, number)

    assert uuids(run(respond, filters=(("code", "C7"),))) == ["U-0007"]
    assert len(lister.queries) == 1


def test_a_refused_page_size_falls_back_to_the_documented_one() -> None:
    lister = Lister(people(40), per_page_max=30, per_page_is_refused=True)

    listing = run(lister, filters=(("code", "C7"),))

    assert uuids(listing) == ["U-0007"]
    assert lister.queries[-1]["per_page"] == "15"


def test_a_list_that_is_refused_in_every_way_is_unknown() -> None:
    listing = run(lambda _query, _number: answer_with({}, 422), filters=(("code", "C7"),))

    assert isinstance(listing, Unknown)
    assert (listing.reason, listing.answer.status) == (Doubt.REFUSED, 422)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 502, 503])
def test_a_page_that_does_not_come_makes_the_list_unknown_at_once(status: int) -> None:
    lister = Lister(people(80))

    def respond(query: dict[str, str], number: int) -> Answer:
        return answer_with(None, status) if number == 1 else lister(query, number)

    listing = run(respond)

    assert isinstance(listing, Unknown)
    assert (listing.reason, listing.answer.status) == (Doubt.UNANSWERED, status)
    assert len(lister.queries) == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        "text",
        [{"code": "no uuid"}],
        {},
        {"data": {}},
        {"data": [{"code": "no uuid"}], "meta": {"total": 1}},
        {"data": ["text"], "meta": {"total": 1}},
    ],
)
def test_what_is_not_a_list_of_records_is_not_understood(body: Any) -> None:
    listing = run(lambda _query, _number: answer_with(body))

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.NOT_UNDERSTOOD


def test_a_later_page_without_meta_is_not_understood() -> None:
    def respond(query: dict[str, str], _number: int) -> Answer:
        meta = {"meta": {"total": 80}} if query["page"] == "1" else {}
        return answer_with({"data": people(50), **meta})

    listing = run(respond)

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.NOT_UNDERSTOOD


def test_a_list_cut_at_the_page_size_without_meta_is_unknown() -> None:
    def respond(query: dict[str, str], _number: int) -> Answer:
        return answer_with({"data": people(500)[: int(query["per_page"])]})

    listing = run(respond)

    assert isinstance(listing, Unknown)


def test_a_list_of_more_pages_than_allowed_is_unknown() -> None:
    lister = Lister(people(80))

    listing = run(lister, page_size=10, pages_max=5)

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.TOO_LONG
    assert len(lister.queries) == 5


def test_rows_are_kept_only_if_wanted_but_all_are_counted() -> None:
    lister = Lister(people(120))

    listing = run(lister, keep=lambda row: row["code"] == "C77")

    assert uuids(listing) == ["U-0077"]


def test_rows_marked_deleted_are_dropped() -> None:
    records = people(3)
    records[1]["deleted_at"] = "2026-01-01T00:00:00.000000Z"

    assert len(uuids(run(Lister(records)))) == 2


def test_a_listing_does_not_show_its_rows() -> None:
    listing = run(Lister([{"uuid": "U-1", "code": "ana@example.org"}]))

    assert "ana" not in repr(listing)
    assert listing != Unknown(Doubt.REFUSED, Answer(Meaning.DONE, 200))
