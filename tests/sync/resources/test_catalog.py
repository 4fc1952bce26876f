"""The catalogue is complete and without cycles, and its check reports every fault at once."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.resources import EVENT_TYPES, ORDER, RESOURCES, Kind, check, resource
from sync.resources.values import Link
from tests.sync.resources.samples import EVENT_TYPE, RAW

REQUIRED = {
    "institution.upserted": "name country",
    "organization.upserted": "institution_id name",
    "course.upserted": "institution_id name",
    "module.upserted": "institution_id name",
    "module_group.upserted": "course_id name",
    "course_module.upserted": "course_id module_id",
    "cohort.upserted": "course_id code",
    "student.upserted": "name email date_of_birth",
    "enrollment.upserted": "student_id course_id enrolled_at",
    "certificate.requested": "institution_id course_id student_id document",
    "certificate.revoked": "reason_code",
}
OPTIONAL = {
    "institution.upserted": "legal_name tax_id website status",
    "organization.upserted": "code",
    "course.upserted": "code description workload_hours area version status organization_id",
    "module.upserted": (
        "code description syllabus workload credits modality level is_active is_required"
    ),
    "module_group.upserted": "order is_active",
    "course_module.upserted": "order is_required workload module_group_id",
    "cohort.upserted": "modality start_date end_date",
    "student.upserted": "gender social_name",
    "enrollment.upserted": "cohort_id completion_status grade completed_at",
    "certificate.requested": "cohort_id enrollment_id template_uuid issued_at",
    "certificate.revoked": "",
}
CONTRACT = Path(__file__).parents[4] / "shared" / "events.md"


def test_every_entity_of_the_contract_is_there_and_no_other() -> None:
    upserted = {name.removesuffix(".upserted") for name in REQUIRED if name.endswith(".upserted")}

    assert RESOURCES.keys() == upserted | {"certificate"}
    assert EVENT_TYPES.keys() == REQUIRED.keys() | {f"{entity}.removed" for entity in upserted}


@pytest.mark.parametrize("event_type", REQUIRED)
def test_every_field_of_the_contract_is_there_and_no_other(event_type: str) -> None:
    fields = EVENT_TYPES[event_type].fields or ()

    assert {f.name for f in fields if f.is_required} == set(REQUIRED[event_type].split())
    assert {f.name for f in fields if not f.is_required} == set(OPTIONAL[event_type].split())


@pytest.mark.skipif(not CONTRACT.exists(), reason="no contract beside this checkout")
def test_the_contract_itself_names_the_same_fields() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.*) \|$", CONTRACT.read_text(), re.MULTILINE)
    named = {
        event_type: re.findall(r"`(\w+)`(\*?)", re.sub(r"\([^)]*\)", "", fields).split(":")[0])
        for event_type, fields in rows
    }

    assert named.keys() == REQUIRED.keys()
    for event_type, found in named.items():
        assert {name for name, star in found if star} == set(REQUIRED[event_type].split())
        assert {name for name, star in found if not star} == set(OPTIONAL[event_type].split())


def test_every_reference_is_to_an_entity_that_comes_earlier() -> None:
    for each in RESOURCES.values():
        for field in each.fields:
            is_link = field.name.endswith("_id") and field.name != "tax_id"
            assert isinstance(field.form, Link) == is_link
            if field.refers_to:
                assert ORDER.index(field.refers_to) < ORDER.index(each.entity)


def test_every_part_of_a_declaration_names_a_field_of_its_table() -> None:
    for each in RESOURCES.values():
        named = {*sum(each.keys, ()), *each.identity, *each.lane_key[1:], *(each.filtered or ())}
        named |= {each.person_field or ""} - {""} | (each.retired or {}).keys()
        named |= {rule.link for rule in each.agreements}

        assert named <= {field.name for field in each.fields}


@pytest.mark.parametrize("entity", ORDER)
@settings(max_examples=20)
@given(source=st.data())
def test_valid_data_of_every_entity_is_accepted(entity: str, source: st.DataObject) -> None:
    raw = source.draw(RAW[entity])

    checked = check(EVENT_TYPE[entity], "X-1", raw)

    assert checked.is_accepted
    assert checked.entity == entity
    assert checked.data is not None
    assert None not in checked.data.values()


def test_the_kind_follows_from_the_type() -> None:
    kinds = {
        "course.upserted": Kind.UPSERT,
        "course.removed": Kind.RETIRE,
        "certificate.requested": Kind.ISSUE,
        "certificate.revoked": Kind.REVOKE,
    }

    for event_type, kind in kinds.items():
        assert check(event_type, "X", None).kind is kind


def test_every_fault_is_reported_at_once() -> None:
    raw = {
        "student_id": "",
        "enrolled_at": "yesterday",
        "grade": "ten",
        "completion_status": "done",
        "cohort_id": "ana@example.edu",
        "gradee": 7,
    }

    checked = check("enrollment.upserted", " E", raw)

    assert checked.data is None
    assert {(fault.exact_field, fault.code) for fault in checked.faults} == {
        ("subject", "blanks"),
        ("data.gradee", "unknown"),
        ("data.student_id", "length"),
        ("data.course_id", "required"),
        ("data.enrolled_at", "date"),
        ("data.cohort_id", "email_like"),
        ("data.completion_status", "choice"),
        ("data.grade", "type"),
    }


def test_no_fault_repeats_what_the_source_sent() -> None:
    raw = {"name": 77777, "email": "secret-address", "date_of_birth": "secret-day", "secret day": 1}

    checked = check("student.upserted", "secret@example.edu", raw)

    assert len(checked.faults) == 5
    assert "secret" not in repr(checked)
    assert "77777" not in repr(checked)


def test_the_name_of_an_unknown_field_is_for_who_may_see_the_data() -> None:
    fault = check("module.upserted", "M", {"ada@example.edu": "x"}).faults[0]

    assert (fault.field, fault.exact_field) == ("data", "data.ada@example.edu")
    assert "ada" not in repr(fault)


def test_many_unknown_fields_make_few_faults() -> None:
    raw = {f"field_{number}": 1 for number in range(1_000)}

    assert len(check("student.upserted", "S-1", raw).faults) < 30


@pytest.mark.parametrize("event_type", ["certificate.removed", "course", "", None, 7, ["x"]])
def test_an_unknown_type_is_a_fault_beside_the_others(event_type: object) -> None:
    checked = check(event_type, "", {})

    assert checked.entity == ""
    assert checked.kind is None
    assert [fault.field for fault in checked.faults] == ["type", "subject"]


@pytest.mark.parametrize("data", [None, {}])
def test_a_removal_carries_nothing(data: object) -> None:
    checked = check("student.removed", "S-1", data)

    assert checked.is_accepted
    assert checked.data is None


@pytest.mark.parametrize("data", [{"name": "x"}, [], "x", 0, False])
def test_a_removal_with_data_is_refused(data: object) -> None:
    assert [f.code for f in check("student.removed", "S-1", data).faults] == ["unexpected"]


@pytest.mark.parametrize(("data", "code"), [(None, "required"), ([], "type"), ("x", "type")])
def test_a_change_without_data_is_refused(data: object, code: str) -> None:
    faults = check("course.upserted", "C-1", data).faults

    assert [(fault.field, fault.code) for fault in faults] == [("data", code)]


def test_null_and_left_out_mean_the_same() -> None:
    base: dict[str, Any] = {"institution_id": "I", "name": "Law"}

    left_out = check("course.upserted", "C-1", base)
    null = check("course.upserted", "C-1", {**base, "code": None, "organization_id": None})

    assert left_out == null


def test_ids_like_addresses_are_taken_where_a_setting_allows_them() -> None:
    raw = {"student_id": "ana@example.edu", "course_id": "C", "enrolled_at": "2026-02-01"}

    refused = check("enrollment.upserted", "bob@example.edu", raw)
    taken = check("enrollment.upserted", "bob@example.edu", raw, allow_email_ids=True)

    assert [fault.field for fault in refused.faults] == ["subject", "data.student_id"]
    assert taken.is_accepted


def test_an_entity_is_looked_up_by_its_name() -> None:
    assert resource("course") is RESOURCES["course"]


def test_trap_07_the_two_words_for_modality_are_not_mixed() -> None:
    cohort = {"course_id": "C", "code": "2026A", "modality": "in_person"}
    module = {"institution_id": "I", "name": "N", "modality": "presential"}

    assert [f.code for f in check("cohort.upserted", "K", cohort).faults] == ["choice"]
    assert [f.code for f in check("module.upserted", "M", module).faults] == ["choice"]


def test_trap_09_a_course_without_status_is_meant_to_be_active() -> None:
    base = {"institution_id": "I", "name": "Law"}

    said = check("course.upserted", "C-1", {**base, "status": "active"})

    assert said.data == {**base, "status": "active"}
    assert check("course.upserted", "C-1", base) == said
