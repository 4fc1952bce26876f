"""Courses, and the cohorts that study them."""

from collections.abc import Mapping

from sync.simulator.call import Call
from sync.simulator.entity import Dependant, Entity, Field, Unique, brief
from sync.simulator.institutions import deleted_at, use_badge_image
from sync.simulator.message import JsonObject
from sync.simulator.refusal import Errors
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, stamp
from sync.simulator.validation import selected_is_invalid


def _present_course(call: Call, record: Record) -> JsonObject:
    values = record.values
    return {
        "uuid": record.uuid,
        "name": values.get("name"),
        "code": values.get("code"),
        "description": values.get("description"),
        "workload_hours": values.get("workload_hours"),
        "area": values.get("area"),
        "version": values.get("version"),
        "status": values.get("status"),
        "institution": brief(call, "institutions", values.get("institution_uuid")),
        "organization": brief(call, "organizations", values.get("organization_uuid")),
        "badge_image_uuid": values.get("badge_image_uuid"),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _unique_course(switches: Switches) -> tuple[Unique, ...]:
    match switches.course_code_unique:
        case "institution":
            return (Unique(columns=("institution_uuid", "code"), error="code"),)
        case "tenant":
            return (Unique(columns=("code",), error="code"),)
        case _:
            return ()


def _check_course(call: Call, values: Mapping[str, object]) -> Errors:
    return check_same(
        call,
        values,
        reference="organization_uuid",
        table="organizations",
        columns=("institution_uuid",),
    )


def check_same(
    call: Call,
    values: Mapping[str, object],
    *,
    reference: str,
    table: str,
    columns: tuple[str, ...],
) -> Errors:
    """Return the error of a reference that belongs elsewhere, when the switch asks for it."""
    uuid = values.get(reference)
    if call.switches.reference_consistency == "not_checked" or not isinstance(uuid, str):
        return {}
    other = call.store.table(table).get(uuid)
    if other is None or all(other.values.get(name) == values.get(name) for name in columns):
        return {}
    return {reference: selected_is_invalid(reference)}


COURSE = Entity(
    table="courses",
    fields=(
        Field(name="name", required=True, maximum=255),
        Field(name="institution_uuid", kind="reference", table="institutions", required=True),
        Field(name="code"),
        Field(name="description"),
        Field(name="workload_hours", kind="integer"),
        Field(name="area"),
        Field(name="version"),
        Field(name="status", default="draft", choices=("draft", "active", "archived")),
        Field(name="organization_uuid", kind="reference", table="organizations"),
        Field(name="badge_image_uuid", kind="reference", table="files"),
    ),
    present=_present_course,
    parents=frozenset({"institution_uuid"}),
    unique=_unique_course,
    check=_check_course,
    follow_up=use_badge_image,
    dependants=(
        Dependant(table="cohorts", column="course_uuid"),
        Dependant(table="enrollments", column="course_uuid"),
        Dependant(table="certificates", column="course_uuid"),
    ),
    indexed=("code",),
)


def _present_cohort(call: Call, record: Record) -> JsonObject:
    values = record.values
    return {
        "uuid": record.uuid,
        "course": brief(call, "courses", values.get("course_uuid")),
        "code": values.get("code"),
        "modality": values.get("modality"),
        "start_date": values.get("start_date"),
        "end_date": values.get("end_date"),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _unique_cohort(switches: Switches) -> tuple[Unique, ...]:
    is_tenant_wide = switches.cohort_code_scope == "tenant"
    columns = ("code",) if is_tenant_wide else ("course_uuid", "code")
    return (Unique(columns=columns, error="code"),)


COHORT = Entity(
    table="cohorts",
    fields=(
        Field(name="course_uuid", kind="reference", table="courses", required=True),
        Field(name="code", required=True),
        Field(name="modality", choices=("presential", "remote", "hybrid")),
        Field(name="start_date", kind="datetime"),
        Field(name="end_date", kind="datetime"),
    ),
    present=_present_cohort,
    parents=frozenset({"course_uuid"}),
    unique=_unique_cohort,
    dependants=(
        Dependant(table="enrollments", column="cohort_uuid"),
        Dependant(table="certificates", column="cohort_uuid"),
    ),
    indexed=("code",),
)
