"""What the other stages ask a resource about: keys, lanes, matches, retirement."""

from collections.abc import Mapping
from typing import Any

import pytest

from ledger.reference import Json, SourceRef
from sync.resources import Match, Reference, resource
from sync.resources.former import Former
from tests.sync.resources.records import CERTIFICATE, COURSE, ENROLLMENT, STUDENT, TARGETS


@pytest.mark.parametrize(
    ("entity", "data", "key"),
    [
        ("institution", {"name": "U", "tax_id": "1-A "}, ("institution", "tax_id", "1-a")),
        ("institution", {"name": " U"}, ("institution", "name", "u")),
        ("organization", {"institution_id": "I", "name": "N"}, ("organization", "I", "name", "n")),
        ("course", COURSE, ("course", "I", "code", "law-1")),
        ("course", {"institution_id": "I", "name": "Law"}, ("course", "I", "name", "law")),
        ("module", {"institution_id": "I", "name": "N", "code": "X"}, ("module", "I", "code", "x")),
        ("module_group", {"course_id": "C", "name": "Year A"}, ("module_group", "C", "Year A")),
        ("course_module", {"course_id": "C", "module_id": "M"}, ("course_module", "C", "M")),
        ("cohort", {"course_id": "C", "code": "2026A"}, ("cohort", "2026a")),
        ("student", STUDENT, ("student", "ana@example.edu")),
        ("enrollment", ENROLLMENT, ("enrollment", "S", "C", "K")),
        ("enrollment", {"student_id": "S", "course_id": "C"}, ("enrollment", "S", "C", "")),
        ("certificate", CERTIFICATE, None),
        ("student", {}, None),
    ],
)
def test_the_natural_key_is_what_a_record_is_found_by(
    entity: str, data: Mapping[str, Json], key: tuple[str, ...] | None
) -> None:
    assert resource(entity).natural_key("X", data) == key


def test_only_keys_that_dokstamp_keeps_unique_are_claimed() -> None:
    claimed: dict[str, dict[str, Json]] = {
        "module": {"institution_id": "I", "name": "N", "code": "X"},
        "course_module": {"course_id": "C", "module_id": "M"},
        "cohort": {"course_id": "C", "code": "2026A"},
        "student": STUDENT,
    }
    free: dict[str, dict[str, Json]] = {
        "course": COURSE,
        "module": {"institution_id": "I", "name": "N"},
        "enrollment": ENROLLMENT,
        "certificate": CERTIFICATE,
    }

    for entity, data in claimed.items():
        assert resource(entity).claimed_key("X", data) == resource(entity).natural_key("X", data)
    for entity, data in free.items():
        assert resource(entity).claimed_key("X", data) is None


@pytest.mark.parametrize(
    ("entity", "data", "lane"),
    [
        ("student", STUDENT, ("student", "ana@example.edu")),
        ("course", COURSE, ("course", "I", "code", "law-1")),
        ("module_group", {"course_id": "C", "name": "A"}, ("course", "C")),
        ("course_module", {"course_id": "C", "module_id": "M"}, ("course", "C")),
        ("enrollment", ENROLLMENT, ("enrollment", "S", "C")),
        ("certificate", CERTIFICATE, ("certificate", "S")),
        ("certificate", {"reason_code": "withdrawn"}, ("certificate", "record", "X")),
        ("student", {}, ("student", "record", "X")),
    ],
)
def test_the_lane_is_as_wide_as_what_is_not_atomic(
    entity: str, data: Mapping[str, Json], lane: tuple[str, ...]
) -> None:
    assert resource(entity).lane("X", data) == lane


def test_personal_events_belong_to_their_student() -> None:
    assert resource("student").person("S-9", None) == "student:S-9"
    assert resource("enrollment").person("E", ENROLLMENT) == "student:S"
    assert resource("certificate").person("Z", CERTIFICATE) == "student:S"
    assert resource("certificate").person("Z", {"reason_code": "withdrawn"}) == ""
    assert resource("enrollment").person("E", None) == ""
    assert resource("course").person("C", COURSE) == ""
    assert [e for e in ("course", "student", "cohort") if resource(e).is_personal] == ["student"]


def test_references_come_in_the_order_of_the_fields() -> None:
    named = resource("certificate").references(CERTIFICATE)

    assert named[0] == Reference("institution_id", SourceRef("institution", "I"))
    assert [each.field for each in named] == [
        "institution_id",
        "course_id",
        "student_id",
        "cohort_id",
        "enrollment_id",
    ]


def test_parents_are_what_never_changes() -> None:
    assert resource("course").parents == {"institution_id"}
    assert resource("cohort").parents == {"course_id"}
    assert resource("enrollment").parents == {"student_id", "course_id"}
    assert resource("course_module").parents == frozenset()


def test_the_list_of_a_course_lies_under_the_course() -> None:
    group = {"course_id": "C", "name": "A"}

    assert resource("module_group").collection(group, TARGETS) == "/courses/c-uuid/modules/groups"
    assert resource("course").collection(COURSE, {}) == "/courses"


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("institution", {"status": "inactive"}),
        ("organization", None),
        ("course", {"status": "archived"}),
        ("module", {"is_active": False}),
        ("module_group", {"is_active": False}),
        ("course_module", None),
        ("cohort", None),
        ("student", None),
        ("enrollment", {"completion_status": "dropped"}),
        ("certificate", None),
    ],
)
def test_trap_22_each_entity_is_retired_in_its_own_word(
    entity: str, body: dict[str, Json] | None
) -> None:
    assert resource(entity).retired_body() == body


@pytest.mark.parametrize(
    ("entity", "data", "restored"),
    [
        ("institution", {"name": "U", "country": "Brazil"}, {"status": "active"}),
        ("course", COURSE, {"status": "active"}),
        ("course", {**COURSE, "status": "archived"}, {}),
        ("module", {"institution_id": "I", "name": "N"}, {"is_active": True}),
        ("module", {"institution_id": "I", "name": "N", "is_active": False}, {}),
        ("module_group", {"course_id": "C", "name": "A"}, {"is_active": True}),
        ("enrollment", ENROLLMENT, {"completion_status": "enrolled"}),
        ("student", STUDENT, {}),
    ],
)
def test_what_was_retired_and_comes_back_is_made_active_again(
    entity: str, data: dict[str, Json], restored: dict[str, Json]
) -> None:
    assert resource(entity).changes(data, data, TARGETS, is_retired=True) == restored


@pytest.mark.parametrize(
    ("entity", "data", "filters"),
    [
        ("institution", {"name": "U"}, (("name", "U"),)),
        ("course", COURSE, (("code", "LAW-1"),)),
        ("student", STUDENT, (("email", "Ana@Example.edu"),)),
        ("cohort", {"course_id": "C", "code": "2026A"}, (("code", "2026A"),)),
        ("module_group", {"course_id": "C", "name": "A"}, ()),
        ("enrollment", ENROLLMENT, (("course_uuid", "c-uuid"), ("student_uuid", "s-uuid"))),
        ("certificate", CERTIFICATE, (("course_uuid", "c-uuid"), ("student_uuid", "s-uuid"))),
    ],
)
def test_a_search_is_narrowed_by_documented_columns(
    entity: str, data: Mapping[str, Json], filters: tuple[tuple[str, str], ...]
) -> None:
    assert resource(entity).filters(data, TARGETS) == filters


INSTITUTION_SHOWN = {"institution": {"uuid": "I-UUID", "name": "U"}}


PERSON_SHOWN = {"email": " ana@example.EDU", "name": "ANA  de Souza", "date_of_birth": "2000-01-31"}


PLACE_SHOWN = {"student": {"uuid": "s-uuid"}, "course": {"uuid": "c-uuid"}}


UNCODED: dict[str, Json] = {"institution_id": "I", "name": "Law"}


GROUP: dict[str, Json] = {"course_id": "C", "name": "Year A"}


COHORT: dict[str, Json] = {"course_id": "C", "code": "2026A"}


@pytest.mark.parametrize(
    ("entity", "data", "row", "verdict"),
    [
        ("course", COURSE, {"code": "law-1 ", **INSTITUTION_SHOWN}, Match.SAME),
        ("course", COURSE, {"code": "law-1", "institution_uuid": "i-uuid"}, Match.SAME),
        ("course", COURSE, {"code": "LAW-1", "institution": {"uuid": "j"}}, Match.OTHER),
        ("course", COURSE, {"code": "LAW-2", **INSTITUTION_SHOWN}, Match.OTHER),
        ("course", COURSE, {"code": "LAW-1"}, Match.NOT_SHOWN),
        ("course", COURSE, {"code": "LAW-2"}, Match.OTHER),
        ("course", UNCODED, {"name": "law", **INSTITUTION_SHOWN}, Match.SAME),
        ("course", UNCODED, {"name": "Law", "code": "X", **INSTITUTION_SHOWN}, Match.OTHER),
        ("institution", {"name": "U"}, {"name": "U", "tax_id": "1"}, Match.SAME),
        ("institution", {"name": "U", "tax_id": "2"}, {"name": "U", "tax_id": "1"}, Match.OTHER),
        ("module_group", GROUP, {"name": "Year A"}, Match.SAME),
        ("module_group", GROUP, {"name": "year a"}, Match.OTHER),
        ("module_group", GROUP, {"name": "Year A", "course": {"uuid": "d"}}, Match.OTHER),
        ("cohort", COHORT, {"code": "2026a", "course": {"uuid": "c-uuid"}}, Match.SAME),
        ("cohort", COHORT, {"code": "2026A", "course": {"uuid": "d"}}, Match.OTHER_COURSE),
        ("cohort", COHORT, {"code": "2026A"}, Match.NOT_SHOWN),
        ("cohort", COHORT, {"code": "2026B", "course": {"uuid": "d"}}, Match.OTHER),
        ("student", STUDENT, PERSON_SHOWN, Match.SAME),
        ("student", STUDENT, {**PERSON_SHOWN, "email": "bob@example.edu"}, Match.OTHER),
        ("student", STUDENT, {**PERSON_SHOWN, "name": "Ana Souza"}, Match.OTHER_PERSON),
        ("student", STUDENT, {**PERSON_SHOWN, "date_of_birth": None}, Match.OTHER_PERSON),
        ("student", STUDENT, {**PERSON_SHOWN, "deleted_at": "2026-01-01"}, Match.OTHER),
        ("enrollment", ENROLLMENT, {**PLACE_SHOWN, "cohort": {"uuid": "K-UUID"}}, Match.SAME),
        ("enrollment", ENROLLMENT, {**PLACE_SHOWN, "cohort": None}, Match.OTHER),
        ("enrollment", ENROLLMENT, {"cohort_uuid": "k-uuid"}, Match.NOT_SHOWN),
        ("certificate", CERTIFICATE, {**PLACE_SHOWN}, Match.OTHER),
        ("course", COURSE, {}, Match.OTHER),
    ],
)
def test_trap_04_a_row_counts_only_if_its_whole_key_agrees(
    entity: str, data: Mapping[str, Json], row: dict[str, Any], verdict: Match
) -> None:
    assert resource(entity).match(data, row, TARGETS) is verdict


def test_a_conflict_carries_its_reason_code() -> None:
    assert [each.value for each in Match if each.is_conflict] == [
        "code_under_another_course",
        "identity_differs",
        "key_not_shown",
    ]


CONSISTENT: dict[SourceRef, Mapping[str, Json]] = {
    SourceRef("course", "C"): {"institution_id": "I"},
    SourceRef("organization", "O"): {"institution_id": "I"},
    SourceRef("module", "M"): {"institution_id": "I"},
    SourceRef("module_group", "G"): {"course_id": "C"},
    SourceRef("cohort", "K"): {"course_id": "C"},
    SourceRef("enrollment", "E"): {"student_id": "S", "course_id": "C"},
}


NAMING: dict[str, dict[str, Json]] = {
    "certificate": CERTIFICATE,
    "enrollment": ENROLLMENT,
    "course": {**COURSE, "organization_id": "O"},
    "course_module": {"course_id": "C", "module_id": "M", "module_group_id": "G"},
}


@pytest.mark.parametrize("entity", NAMING)
def test_records_that_agree_or_are_not_known_are_consistent(entity: str) -> None:
    assert resource(entity).inconsistencies(NAMING[entity], CONSISTENT) == ()
    assert resource(entity).inconsistencies(NAMING[entity], {}) == ()


@pytest.mark.parametrize(
    ("entity", "wrong", "field"),
    [
        ("certificate", {SourceRef("course", "C"): {"institution_id": "J"}}, "course_id"),
        ("certificate", {SourceRef("cohort", "K"): {"course_id": "D"}}, "cohort_id"),
        ("certificate", {SourceRef("enrollment", "E"): {"student_id": "T"}}, "enrollment_id"),
        ("certificate", {SourceRef("enrollment", "E"): {"course_id": "D"}}, "enrollment_id"),
        ("enrollment", {SourceRef("cohort", "K"): {"course_id": "D"}}, "cohort_id"),
        ("course", {SourceRef("organization", "O"): {"institution_id": "J"}}, "organization_id"),
        ("course_module", {SourceRef("module_group", "G"): {"course_id": "D"}}, "module_group_id"),
        ("course_module", {SourceRef("module", "M"): {"institution_id": "J"}}, "module_id"),
    ],
)
def test_records_that_contradict_one_another_are_found(
    entity: str, wrong: dict[SourceRef, Mapping[str, Json]], field: str
) -> None:
    faults = resource(entity).inconsistencies(NAMING[entity], {**CONSISTENT, **wrong})

    assert [(fault.field, fault.code) for fault in faults] == [(f"data.{field}", "inconsistent")]


def test_a_person_is_looked_for_under_every_address_told_before() -> None:
    told = [{**STUDENT, "email": each, "name": "Another"} for each in ("b@x.edu", "B@X.edu ")]

    found = resource("student").formerly(STUDENT, [*told, STUDENT, {}])

    assert found == tuple(
        Former({**STUDENT, "email": each}, tuple(told)) for each in ("b@x.edu", "B@X.edu ")
    )


def test_a_course_is_not_looked_for_under_a_code_it_had_before() -> None:
    assert resource("course").formerly(COURSE, [{**COURSE, "code": "OLD"}]) == ()
