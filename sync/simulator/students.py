"""Students, and their enrollments in courses."""

from collections.abc import Mapping

from sync.simulator.call import Call
from sync.simulator.courses import check_same
from sync.simulator.entity import Dependant, Entity, Field, Unique, brief
from sync.simulator.institutions import deleted_at
from sync.simulator.message import JsonObject
from sync.simulator.refusal import Errors
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, stamp


def _present_student(_call: Call, record: Record) -> JsonObject:
    values = record.values
    return {
        "uuid": record.uuid,
        "name": values.get("name"),
        "email": values.get("email"),
        "date_of_birth": values.get("date_of_birth"),
        "gender": values.get("gender"),
        "social_name": values.get("social_name"),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _unique_student(_switches: Switches) -> tuple[Unique, ...]:
    return (Unique(columns=("email",), error="email", is_case_blind=True),)


STUDENT = Entity(
    table="students",
    fields=(
        Field(name="name", required=True),
        Field(name="email", kind="email", required=True),
        Field(name="date_of_birth", kind="date", required=True),
        Field(name="gender"),
        Field(name="social_name"),
    ),
    present=_present_student,
    unique=_unique_student,
    dependants=(
        Dependant(table="enrollments", column="student_uuid"),
        Dependant(table="certificates", column="student_uuid", counts_deleted_with="snapshot"),
    ),
    indexed=("email",),
)


def _present_enrollment(call: Call, record: Record) -> JsonObject:
    values = record.values
    return {
        "uuid": record.uuid,
        "student": brief(call, "students", values.get("student_uuid")),
        "course": brief(call, "courses", values.get("course_uuid")),
        "cohort": brief(call, "cohorts", values.get("cohort_uuid"), "code"),
        "completion_status": values.get("completion_status"),
        "grade": _present_grade(call, values.get("grade")),
        "enrolled_at": _present_date(values.get("enrolled_at")),
        "completed_at": _present_date(values.get("completed_at")),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _present_grade(call: Call, grade: object) -> object:
    if not isinstance(grade, str) or call.switches.grade_type == "string":
        return grade
    return float(grade)


def _present_date(day: object) -> object:
    return f"{day}T00:00:00.000000Z" if isinstance(day, str) else None


def _unique_enrollment(switches: Switches) -> tuple[Unique, ...]:
    match switches.enrollment_unique:
        case "student_course":
            return (Unique(columns=("course_uuid", "student_uuid"), error="student_uuid"),)
        case "student_course_cohort":
            columns = ("course_uuid", "cohort_uuid", "student_uuid")
            return (Unique(columns=columns, error="student_uuid", counts_null=True),)
        case _:
            return ()


def _check_enrollment(call: Call, values: Mapping[str, object]) -> Errors:
    return check_same(
        call, values, reference="cohort_uuid", table="cohorts", columns=("course_uuid",)
    )


ENROLLMENT = Entity(
    table="enrollments",
    fields=(
        Field(name="student_uuid", kind="reference", table="students", required=True),
        Field(name="course_uuid", kind="reference", table="courses", required=True),
        Field(name="enrolled_at", kind="date", required=True),
        Field(name="cohort_uuid", kind="reference", table="cohorts"),
        Field(
            name="completion_status",
            default="enrolled",
            choices=("enrolled", "completed", "dropped"),
        ),
        Field(name="grade", kind="grade"),
        Field(name="completed_at", kind="date"),
    ),
    present=_present_enrollment,
    # A student may move to another cohort of the same course, so the cohort is no parent.
    parents=frozenset({"student_uuid", "course_uuid"}),
    unique=_unique_enrollment,
    check=_check_enrollment,
)
