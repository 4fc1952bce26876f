"""What is sent, and a comparison that is deaf to format but hears every real change."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.reference import Json, SourceRef, TargetId
from sync.resources import check, resource
from tests.sync.resources.records import CERTIFICATE, COURSE, ENROLLMENT, STUDENT, TARGETS
from tests.sync.resources.samples import EVENT_TYPE, RAW, REMOTE, UPSERTED, rows, targets_of

ENTITIES = [*UPSERTED, "certificate"]
PARENTS = {
    "organization": {"institution_id"},
    "course": {"institution_id"},
    "module": {"institution_id"},
    "module_group": {"course_id"},
    "course_module": {"course_id"},
    "cohort": {"course_id"},
    "enrollment": {"student_id", "course_id"},
    "certificate": {"institution_id", "course_id", "student_id", "document"},
}


def kept(entity: str, raw: dict[str, Any]) -> dict[str, Json]:
    checked = check(EVENT_TYPE[entity], "X-1", raw)
    assert checked.faults == ()
    return dict(checked.data or {})


def names(entity: str) -> tuple[str, ...]:
    return tuple(field.name for field in resource(entity).fields if field.name != "document")


def means_the_same(name: str, first: Json, second: Json) -> bool:
    folded = name == "email" or name in REMOTE or name == "template_uuid"
    return str(first).lower() == str(second).lower() if folded else first == second


@pytest.mark.parametrize("entity", ENTITIES)
@settings(max_examples=25)
@given(source=st.data())
def test_trap_33_a_row_that_says_the_same_in_another_format_needs_no_call(
    entity: str, source: st.DataObject
) -> None:
    data = kept(entity, source.draw(RAW[entity]))
    row = source.draw(rows(data, names(entity)))

    assert resource(entity).differences(data, row, targets_of(data)) == {}


@pytest.mark.parametrize("entity", ENTITIES)
@settings(max_examples=25)
@given(source=st.data())
def test_one_changed_field_is_the_only_difference(entity: str, source: st.DataObject) -> None:
    data, other = (kept(entity, source.draw(RAW[entity])) for _ in range(2))
    free = sorted((data.keys() | other.keys()) - PARENTS.get(entity, set()))
    name = source.draw(st.sampled_from(free)) if free else ""
    assume(name in other and not means_the_same(name, data.get(name), other[name]))
    wanted = {**data, name: other[name]}
    row = source.draw(rows(data, names(entity)))
    targets = targets_of(wanted) | targets_of(data)

    body = resource(entity).body(wanted, targets)
    remote = REMOTE.get(name, name)

    assert resource(entity).differences(wanted, row, targets) == {remote: body[remote]}


@pytest.mark.parametrize("entity", UPSERTED)
@settings(max_examples=25)
@given(source=st.data())
def test_what_was_sent_already_is_not_sent_again(entity: str, source: st.DataObject) -> None:
    data = kept(entity, source.draw(RAW[entity]))

    assert resource(entity).changes(data, data, targets_of(data)) == {}


@pytest.mark.parametrize("entity", UPSERTED)
@settings(max_examples=25)
@given(source=st.data())
def test_an_update_holds_exactly_what_changed(entity: str, source: st.DataObject) -> None:
    sent, wanted = (kept(entity, source.draw(RAW[entity])) for _ in range(2))
    targets = targets_of(sent) | targets_of(wanted)
    free = (sent.keys() | wanted.keys()) - resource(entity).parents
    changed = {
        REMOTE.get(name, name)
        for name in free
        if not means_the_same(name, sent.get(name), wanted.get(name))
    }

    body = resource(entity).changes(wanted, sent, targets)

    # A default that is spelled out may stand for a value left out, and the other way round.
    defaults = {"status", "is_active", "completion_status"}
    assert body.keys() | defaults == changed | defaults
    assert body.keys() <= changed


@pytest.mark.parametrize("entity", ENTITIES)
@settings(max_examples=25)
@given(source=st.data())
def test_reading_what_was_kept_keeps_it(entity: str, source: st.DataObject) -> None:
    data = kept(entity, source.draw(RAW[entity]))

    assert kept(entity, data) == data


@pytest.mark.parametrize("entity", UPSERTED)
@settings(max_examples=25)
@given(source=st.data())
def test_a_record_matches_the_row_that_was_made_of_it(entity: str, source: st.DataObject) -> None:
    data = kept(entity, source.draw(RAW[entity]))
    row = source.draw(rows(data, names(entity)))

    assert resource(entity).match(data, row, targets_of(data)) == "same"


def test_a_body_spells_out_what_dokstamp_would_decide_otherwise() -> None:
    course = {"institution_id": "I", "name": "Law", "organization_id": "O"}
    module = {"institution_id": "I", "name": "Roman Law"}

    assert resource("course").body(course, TARGETS) == {
        "institution_uuid": "i-uuid",
        "name": "Law",
        "organization_uuid": "o-uuid",
        "status": "active",
    }
    assert resource("institution").body({"name": "U"}, {})["status"] == "active"
    assert resource("module").body(module, TARGETS)["is_active"] is True
    assert resource("module_group").body({"course_id": "C", "name": "A"}, TARGETS) == {
        "name": "A",
        "is_active": True,
    }
    assert resource("enrollment").body(ENROLLMENT, TARGETS)["completion_status"] == "enrolled"


def test_trap_08_hours_go_under_the_name_that_each_resource_has() -> None:
    course = {**COURSE, "workload_hours": 3200}
    module: dict[str, Json] = {"institution_id": "I", "name": "N", "workload": 40}

    assert resource("course").body(course, TARGETS)["workload_hours"] == 3200
    assert resource("module").body(module, TARGETS)["workload"] == 40


def test_trap_32_a_grade_is_sent_as_an_exact_number_and_compared_as_one() -> None:
    data = {**ENROLLMENT, "grade": "8.75"}

    body = resource("enrollment").body(data, TARGETS)

    assert repr(body["grade"]) == repr(Decimal("8.75"))
    for shown in (8.75, "8.75", "8.750"):
        row = {"grade": shown}
        assert "grade" not in resource("enrollment").differences(data, row, TARGETS)


def test_an_attachment_is_an_object_with_the_modules_uuid() -> None:
    data: dict[str, Json] = {
        "course_id": "C",
        "module_id": "M",
        "order": 2,
        "is_required": False,
        "workload": 40,
        "module_group_id": "G",
    }

    assert resource("course_module").body(data, TARGETS) == {
        "uuid": "m-uuid",
        "order": 2,
        "is_required": False,
        "workload": 40,
        "course_module_group_uuid": "g-uuid",
    }
    assert resource("course_module").collection(data, TARGETS) == "/courses/c-uuid/attach/modules"


def test_an_attachment_moved_to_another_course_has_changed() -> None:
    sent = {"course_id": "C", "module_id": "M"}
    other = {SourceRef("course", "D"): TargetId("d-uuid")}

    changes = resource("course_module").changes({**sent, "course_id": "D"}, sent, TARGETS | other)

    assert changes == {"course_uuid": "d-uuid"}


def test_a_certificate_body_leaves_file_and_state_to_the_one_who_issues() -> None:
    assert resource("certificate").body(CERTIFICATE, TARGETS) == {
        "institution_uuid": "i-uuid",
        "course_uuid": "c-uuid",
        "student_uuid": "s-uuid",
        "cohort_uuid": "k-uuid",
        "enrollment_uuid": "e-uuid",
        "template_uuid": "t-uuid",
        "issued_at": "2026-02-01T00:00:00Z",
    }


def test_a_field_that_disappears_is_cleared_if_it_was_sent() -> None:
    course: dict[str, Json] = {**COURSE, "status": "draft", "organization_id": "O"}
    module: dict[str, Json] = {"institution_id": "I", "name": "N", "code": "X", "is_required": True}
    bare_module: dict[str, Json] = {"institution_id": "I", "name": "N"}

    assert resource("course").changes(COURSE, course, TARGETS) == {
        "status": "active",
        "organization_uuid": None,
    }
    assert resource("module").changes(bare_module, module, TARGETS) == {
        "code": None,
        "is_required": False,
    }
    assert resource("module").changes(bare_module, bare_module, TARGETS) == {}


def test_a_default_that_was_spelled_out_is_not_a_change() -> None:
    assert resource("course").changes({**COURSE, "status": "active"}, COURSE, TARGETS) == {}


def test_parents_are_never_in_an_update() -> None:
    sent = {**COURSE, "institution_id": "J"}

    assert resource("course").changes(COURSE, sent, TARGETS) == {}
    assert resource("course").differences(COURSE, {"name": "Law", "code": "LAW-1"}, TARGETS) == {}


def test_an_email_in_another_letter_case_is_not_a_change_but_a_name_is() -> None:
    sent = {**STUDENT, "email": "ana@example.edu", "name": "ana de souza"}

    assert resource("student").changes(STUDENT, sent, {}) == {"name": "Ana de Souza"}


def test_differences_leave_alone_what_the_source_does_not_speak_of() -> None:
    row = {"name": "Law", "code": "LAW-1", "area": "Humanities", "organization": {"uuid": "z"}}

    assert resource("course").differences(COURSE, row, TARGETS) == {}


def test_a_suspended_institution_is_never_made_active() -> None:
    data: dict[str, Json] = {"name": "U", "status": "active"}

    row = {"name": "V", "status": "suspended"}

    assert resource("institution").differences(data, row, {}) == {"name": "U"}
